"""Releases of Rust from a server on loopback, brought to the images of a whole run, whose engine is a double."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from factory.catalogue import STABLE
from factory.digest import Digest
from factory.errors import ImageError
from factory.events.model import Run
from factory.host import read_host
from factory.images.on_demand import offered
from factory.images.rust_channel import read_channel
from factory.images.rust_server import RustServer
from factory.machines import MACHINES, MUSL_MACHINES, WINDOWS_RUST, rust_target
from tests.doubles.looking import calls_of, failure_of, values
from tests.doubles.projects import HASHES
from tests.doubles.run import World, make_world
from tests.makers.rust_dist import ARM, DAY, HOST, TINY, Distribution, add_tiny, make_component, serve_rust, sysroot

NAMED = HASHES.replace("locked: false", "locked: false, toolchain: {rust: RUST}")
MANIFEST = "dist/channel-rust-1.89.0.toml"
RUSTC = f"dist/{DAY}/rustc-1.89.0-{HOST}.tar.xz"


@pytest.fixture
def rust() -> Iterator[Distribution]:
    with serve_rust() as distribution:
        add_tiny(distribution, "1.89.0", channels=["1.89", "stable"])
        add_tiny(distribution, "1.95.0")
        yield distribution


@pytest.fixture
def world(rust: Distribution, tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path, RUSTUP_DIST_SERVER=rust.url) as made:
        yield made


def named(release: str) -> str:
    return NAMED.replace("RUST", f"'{release}'")


def failure(run: Run) -> tuple[str, str]:
    (record,) = run.records
    assert record.status == "blocked"
    return failure_of(record).message, failure_of(record).hint


def rust_files(world: World) -> dict[str, tuple[int, bytes]]:
    """Return what lies in the one volume of Rust, by path: modes and contents."""
    (name,) = [name for name in world.engine.volumes if name.startswith("factory-rust-")]
    held = world.engine.volumes[name].members
    return {str(path).lstrip("/"): (member.mode, content) for path, (member, content) in held.items() if member.isreg()}


@pytest.mark.parametrize(("release", "version"), [("1.89", "1.89.0"), ("1.89.0", "1.89.0"), ("stable", "1.89.0")])
def test_a_release_that_a_recipe_names_compiles_and_is_in_the_record(world: World, release: str, version: str) -> None:
    run = world.run(named(release))

    (record,) = run.records
    (build,) = calls_of(world, "build")
    assert (record.status, record.rust) == ("passed", version)
    assert build.env["PATH"].startswith("/work/env/bin:/rust/bin:")
    assert "/rust" in {str(mount.path) for mount in build.spec.mounts}


def test_only_what_compiles_is_laid_below_rusts_own_folder_with_the_right_to_run_it(world: World) -> None:
    world.run(named("1.89"))

    assert rust_files(world) == {
        "bin/rustc": (0o755, b"#!/bin/sh\necho rustc\n"),
        "bin/cargo": (0o755, b"#!/bin/sh\necho cargo\n"),
        "lib/librustc_driver.so": (0o644, b"a library"),
        f"lib/rustlib/{HOST}/lib/libstd.rlib": (0o644, b"std"),
    }


def test_the_pinned_release_compiles_where_nothing_names_another(world: World, rust: Distribution) -> None:
    run = world.run(HASHES)

    assert [record.rust for record in run.records] == ["1.95.0"]
    assert "dist/channel-rust-1.95.0.toml" in rust.asked


def test_cargo_of_the_release_fetches_the_crates_too(world: World) -> None:
    world.run(named("1.89"))

    assert {path and path.partition(":")[0] for path in values(calls_of(world, "crates"), "PATH")} == {"/rust/bin"}


def test_a_second_run_asks_no_server(world: World, rust: Distribution) -> None:
    world.run(named("stable"))
    asked = list(rust.asked)

    run = world.run(named("stable"))

    assert (run.records[0].status, run.records[0].rust, rust.asked) == ("cached", "1.89.0", asked)


def test_stable_is_the_same_until_update_asks_again(world: World, rust: Distribution) -> None:
    world.run(named("stable"))
    add_tiny(rust, "1.96.0", channels=["stable"])

    before = world.run(named("stable"))
    world.update = True
    after = world.run(named("stable"))

    assert [run.records[0].rust for run in (before, after)] == ["1.89.0", "1.96.0"]
    assert after.records[0].status == "passed", "another Rust builds again"


def test_two_names_of_the_same_release_share_its_files_and_its_results(world: World, rust: Distribution) -> None:
    world.run(named("1.89"))
    asked = len([path for path in rust.asked if path == RUSTC])

    run = world.run(named("1.89.0"))

    assert (run.records[0].status, asked, rust.asked.count(RUSTC)) == ("cached", 1, 1)


def test_a_release_is_packed_by_gzip_where_the_manifest_names_nothing_else(world: World, rust: Distribution) -> None:
    made = {
        (package, target): make_component(package, target, files, version="1.70.0")
        for (package, target), files in TINY.items()
    }
    rust.add_release("1.70.0", made, packing="gz")

    assert world.run(named("1.70.0")).records[0].rust == "1.70.0"


def break_sum(rust: Distribution) -> None:
    rust.files[f"{MANIFEST}.sha256"] = b"0" * 64


def break_component(rust: Distribution) -> None:
    content = rust.files[RUSTC]
    assert isinstance(content, bytes)
    rust.files[RUSTC] = content[:-1] + bytes([content[-1] ^ 1])


def replaced(rust: Distribution, before: str, after: str) -> None:
    """Have a manifest with another text, and its right sum."""
    content = rust.files[MANIFEST]
    assert isinstance(content, bytes)
    assert before in content.decode()
    rust.add_manifest("1.89.0", content.decode().replace(before, after))


def have_rustc(rust: Distribution, **odd: object) -> None:
    """Have a rustc that is packed in another way, with its right sum."""
    made = {
        (package, target): make_component(package, target, files, version="1.89.0")
        for (package, target), files in TINY.items()
    }
    files = TINY["rustc", HOST]
    rust.add_release("1.89.0", {**made, ("rustc", HOST): make_component("rustc", HOST, files, version="1.89.0", **odd)})  # type: ignore[arg-type] # as the tests hand them


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


BAD: dict[str, tuple[Callable[[Distribution], object], str, str]] = {
    "unknown release": (lambda rust: rust.files.pop(MANIFEST), "has no Rust 1.89.0", "is that a release?"),
    "no sum": (
        lambda rust: rust.files.update({f"{MANIFEST}.sha256": b"hello"}),
        "does not hold a sha256",
        "RUSTUP_DIST",
    ),
    "wrong sum": (break_sum, "and the file beside it says sha256:000", "run again"),
    "wrong component": (break_component, "and the manifest says sha256:", "do not use it before"),
    "absent component": (lambda rust: rust.files.pop(RUSTC), "has no rustc-1.89.0-", "RUSTUP_DIST_SERVER"),
    "unavailable": (
        lambda rust: replaced(rust, "available = true", "available = false"),
        f"Rust 1.89.0 has no rustc for {HOST}",
        "another release",
    ),
    "another release": (lambda rust: replaced(rust, '"1.89.0 (', '"1.90.0 ('), "is that of 1.90.0", "another release"),
    "not TOML": (lambda rust: rust.add_manifest("1.89.0", "<html>"), "is not valid TOML", "RUSTUP_DIST_SERVER"),
    "later format": (
        lambda rust: replaced(rust, 'manifest-version = "2"', 'manifest-version = "3"'),
        "has version '3' of the format; 2 is read",
        "RUSTUP_DIST_SERVER",
    ),
    "address that leads out": (
        lambda rust: replaced(rust, f"/dist/{DAY}/rustc", "/dist/../rustc"),
        "not the address of a .tar.xz",
        "RUSTUP_DIST_SERVER",
    ),
    "no digest": (lambda rust: replaced(rust, 'xz_hash = "', 'xz_hash = "x'), "xz_hash is not a sha256", "RUSTUP_DIST"),
    "huge manifest": (
        lambda rust: rust.add_manifest("1.89.0", "#" * (5 << 20)),
        "is larger than 4194304 bytes",
        "is the address right?",
    ),
    "member that leads out": (
        lambda rust: have_rustc(rust, extra=[member("../../etc/passwd", tarfile.REGTYPE)]),
        "which leads out of the tree",
        "RUSTUP_DIST_SERVER; after the server was mended, `factory build --update`",
    ),
    "link that leads out": (
        lambda rust: have_rustc(rust, extra=[member("rustc/bin/x", tarfile.SYMTYPE, "../../../../etc/passwd")]),
        "outside of the tree",
        "RUSTUP_DIST_SERVER; after the server was mended, `factory build --update`",
    ),
    "device": (
        lambda rust: have_rustc(rust, extra=[member("rustc/bin/x", tarfile.CHRTYPE)]),
        "is a device, a pipe or a sparse file",
        "RUSTUP_DIST_SERVER; after the server was mended, `factory build --update`",
    ),
    "file that is not there": (
        lambda rust: have_rustc(rust, listed=["file:bin/rustdoc"]),
        "lacks 'bin/rustdoc', which its manifest.in names",
        "RUSTUP_DIST_SERVER; after the server was mended, `factory build --update`",
    ),
    "file outside of its folder": (
        lambda rust: have_rustc(rust, listed=["file:../components"]),
        "lacks '../components', which its manifest.in names",
        "RUSTUP_DIST_SERVER; after the server was mended, `factory build --update`",
    ),
    "other installer": (
        lambda rust: have_rustc(rust, installer="4"),
        "is of version '4' of rust-installer",
        "`factory build --update`",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_server_or_archive_is_a_sentence_with_a_way_out_and_nothing_stays(
    world: World, rust: Distribution, fault: str
) -> None:
    spoil, sentence, hint = BAD[fault]
    spoil(rust)

    said, way_out = failure(world.run(named("1.89.0")))

    assert sentence in said
    assert hint in way_out
    assert [name for name in world.engine.volumes if name.startswith("factory-rust-")] == []


@pytest.mark.parametrize("fault", ["unknown release", "wrong sum", "wrong component"])
def test_what_a_server_lacked_is_asked_for_again_when_it_is_mended(
    world: World, rust: Distribution, fault: str
) -> None:
    whole = dict(rust.files)
    BAD[fault][0](rust)
    failure(world.run(named("1.89.0")))
    rust.files.update(whole)

    assert world.run(named("1.89.0")).records[0].status == "passed"


def asked(rust: Distribution, pauses: list[float]) -> ImageError:
    """Ask for a manifest without pausing between attempts; why it did not come."""
    server = RustServer(read_host({"RUSTUP_DIST_SERVER": rust.url}), Event(), sleep=pauses.append)
    with pytest.raises(ImageError) as caught:
        server.manifest("1.89.0")
    return caught.value


@pytest.mark.parametrize("spoilt", [MANIFEST, f"{MANIFEST}.sha256"])
def test_a_server_that_fails_is_asked_four_times(rust: Distribution, spoilt: str) -> None:
    rust.failing.add(spoilt)
    pauses: list[float] = []

    error = asked(rust, pauses)

    assert "127.0.0.1 answers 500" in error.message
    assert error.hint == "name another server in RUSTUP_DIST_SERVER"
    assert (len(pauses), rust.asked.count(spoilt)) == (3, 4)


def test_a_manifest_that_ends_early_is_asked_for_again(rust: Distribution) -> None:
    rust.cut.add(MANIFEST)

    error = asked(rust, [])

    assert error.message.startswith("cannot get channel-rust-1.89.0.toml: ")
    assert error.hint == "is the network up, and RUSTUP_DIST_SERVER right?"


def test_a_component_that_ends_early_is_not_kept(rust: Distribution, world: World) -> None:
    rust.cut.add(RUSTC)
    server = RustServer(world.host, Event(), sleep=lambda _: None)
    channel = read_channel(server.manifest("1.89.0"), "1.89.0")
    (rustc, *_) = channel.components(HOST, (HOST, ARM))

    with pytest.raises(ImageError, match=r"cannot get rustc-1\.89\.0-x86_64-unknown-linux-gnu\.tar\.xz: "):
        server.component(rustc, world.store)

    assert not world.store.has(rustc.digest)


def test_the_standard_library_of_another_target_comes_beside_the_machines_own(rust: Distribution, world: World) -> None:
    server = RustServer(world.host, Event())
    channel = read_channel(server.manifest("1.89.0"), "1.89.0")

    named = [(component.package, component.target) for component in channel.components(HOST, (HOST, ARM))]

    assert named == [("rustc", HOST), ("cargo", HOST), ("rust-std", HOST), ("rust-std", ARM)]
    with pytest.raises(ImageError, match=r"Rust 1\.89\.0 has no rust-std for riscv64gc-unknown-linux-gnu"):
        channel.components(HOST, (HOST, "riscv64gc-unknown-linux-gnu"))
    assert rust.asked == [f"{MANIFEST}.sha256", MANIFEST]


def test_a_server_that_cannot_be_reached_is_named() -> None:
    error = asked(Distribution(url="http://127.0.0.1:9"), [])

    assert error.message == "cannot get channel-rust-1.89.0.toml.sha256: 127.0.0.1:9: connection refused"
    assert error.hint == "is the network up, and RUSTUP_DIST_SERVER right?"


def test_debians_rust_compiles_where_nothing_names_a_release_and_the_server_is_silent(tmp_path: Path) -> None:
    for name in ("without", "with"):
        (tmp_path / name).mkdir()
    with make_world(tmp_path / "without") as plain:
        plain.run(HASHES)
        without = plain.remembered()["build"][0].document
    with make_world(tmp_path / "with", RUSTUP_DIST_SERVER="http://127.0.0.1:9") as world:
        run = world.run(HASHES)
        events = (world.evidence / "events.jsonl").read_text()

    assert [(record.status, record.rust) for record in run.records] == [("passed", None)]
    assert world.remembered()["build"][0].document == without
    assert "127.0.0.1:9: connection refused; Debian's Rust is brought instead" in events


def test_what_arrives_and_is_wrong_is_not_passed_over(world: World, rust: Distribution) -> None:
    rust.files["dist/channel-rust-1.95.0.toml.sha256"] = b"0" * 64

    said, _ = failure(world.run(HASHES))

    assert "and the file beside it says sha256:000" in said


def test_a_server_by_another_scheme_is_refused_before_it_is_asked() -> None:
    host = read_host({"RUSTUP_DIST_SERVER": "file:///srv/rust"})

    with pytest.raises(ImageError, match="RUSTUP_DIST_SERVER is file:///srv/rust"):
        RustServer(host, Event())


def test_a_failure_of_one_recipes_rust_stops_no_other(world: World) -> None:
    other = named("1.95.0").replace("hashes", "others")

    run = world.run(named("1.1"), other)

    assert {record.cell.recipe: record.status for record in run.records} == {"hashes": "blocked", "others": "passed"}


def test_the_newest_release_must_meet_what_the_recipe_asks_for(world: World) -> None:
    said, hint = failure(world.run(named(">=1.99")))

    assert said == "Rust stable is 1.89.0 on this machine, and >=1.99 is needed"
    assert "--update" in hint


def test_a_stores_keys_hold_the_server_without_its_password_the_release_and_the_files(tmp_path: Path) -> None:
    """A change of these documents has every user's server asked again, and every file downloaded again."""
    with serve_rust() as rust:
        add_tiny(rust, "1.89.0")
        url = rust.url.replace("//", "//me:s3cr3t@")
        with make_world(tmp_path, RUSTUP_DIST_SERVER=f"{url}/") as world:
            world.run(named("1.89.0"))
            asked, files = (world.remembered()[stage] for stage in ("rust-release", "rust-component"))
    packed = [content for path, content in rust.files.items() if ".tar." in path and ARM not in path]
    sums = [str(Digest.of(content)) for content in packed if isinstance(content, bytes)]

    assert [entry.document for entry in asked] == [
        {
            "factory": 1,
            "stage": "rust-release",
            "version": 1,
            "inputs": {"server": f"{rust.url}/dist", "release": "1.89.0"},
        }
    ]
    assert sorted(str(entry.document["inputs"]) for entry in files) == sorted(str({"sha256": held}) for held in sums)


def test_where_no_server_is_named_everything_is_as_it_was(rust: Distribution, tmp_path: Path) -> None:
    with make_world(tmp_path) as world:
        offers = [offered(image, world.host) for image in world.images]
        run = world.run(HASHES)

    assert offers == list(world.images)
    assert [(record.status, record.rust) for record in run.records] == [("passed", None)]
    assert rust.asked == []


@pytest.mark.parametrize("machine", [*MACHINES, *WINDOWS_RUST, *(machine.rust for machine in MUSL_MACHINES.values())])
def test_a_genuine_manifest_has_a_standard_library_for_all_that_wheels_are_made_for(machine: str) -> None:
    root = sysroot() or pytest.skip("this machine has no Rust that was installed from the Rust project's components")
    path = root / "lib/rustlib/multirust-channel-manifest.toml"
    if not path.exists():
        pytest.skip("this machine's Rust came without the manifest of its channel")
    channel = read_channel(path.read_bytes(), STABLE)

    rustc, _, std = channel.components(HOST, (rust_target(machine),))

    assert rustc.filename == f"rustc-{channel.version}-{HOST}.tar.xz"
    assert std.filename == f"rust-std-{channel.version}-{rust_target(machine)}.tar.xz"
