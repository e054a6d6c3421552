"""The Rust project's own Rust, from a distribution that is made of this machine's and served on loopback."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from factory.host import Host
from factory.images.rust import RustBundle, input_digest, make_rust, make_std, rust_spec
from factory.memory import Memory
from factory.stages.rust import MakeRust, MakeStd
from factory.store import Store
from tests.docker.command import Command, Ran
from tests.docker.projects import make_rust_project
from tests.docker.rust_projects import make_maturin_project
from tests.makers.rust_dist import ARM, HOST, Distribution, add_real, repacked, serve_rust, sysroot

pytestmark = [pytest.mark.engine, pytest.mark.index]

TELL = "import subprocess; print('compiler:', subprocess.check_output(['rustc', '--version'], text=True))"
CLASSY = '[dependencies]\npyo3 = {version = "0.29", default-features = false, features = ["macros"]}\n'
MODULE = """\
#[pyo3::pymodule]
mod classy {
    #[pyo3::pyfunction]
    fn answer() -> u32 { 42 }
}
"""


@pytest.fixture(scope="module")
def rust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Distribution, str]]:
    """A distribution with one release, and its version."""
    root = sysroot() or pytest.skip("this machine has no Rust that was installed from the Rust project's components")
    distribution = Distribution()
    version = add_real(distribution, root, tmp_path_factory.mktemp("dist"))
    with serve_rust(distribution):
        yield distribution, version


@pytest.fixture(scope="module")
def ran(workshop: Command, rust: tuple[Distribution, str]) -> Ran:
    distribution, version = rust
    named = {"toolchain": {"rust": version.rpartition(".")[0]}}
    file = {"rust-toolchain.toml": f'[toolchain]\nchannel = "{version}"\ncomponents = ["clippy"]\n'}
    recipes: list[Path] = [
        workshop.recipe(make_rust_project("tiny", setup=TELL), build=named),
        workshop.recipe(make_rust_project("pinned", setup=TELL, files=file)),
        workshop.recipe(
            make_maturin_project("classy", cargo=CLASSY, code=MODULE),
            build={**named, "locked": False},
            test={"run": "python -c 'import classy; assert classy.answer() == 42'"},
        ),
    ]
    return workshop.build(*recipes, "-o", "rust", env={"RUSTUP_DIST_SERVER": distribution.url})


def test_a_tiny_crate_and_one_of_pyo3_are_built_by_the_release_that_their_recipes_name(
    ran: Ran, rust: tuple[Distribution, str]
) -> None:
    _, version = rust

    told = {name: (ran.records[name].status, ran.records[name].rust) for name in ("tiny", "classy")}
    assert told == {"tiny": ("passed", version), "classy": ("passed", version)}, ran.stderr
    assert f"compiler: rustc {version} " in ran.log("tiny")


def test_a_projects_own_file_names_the_release_where_the_recipe_says_nothing(
    ran: Ran, rust: tuple[Distribution, str]
) -> None:
    _, version = rust

    assert (ran.records["pinned"].status, ran.records["pinned"].rust) == ("passed", version), ran.stderr
    assert f"compiler: rustc {version} " in ran.log("pinned")


def test_the_report_names_the_release_and_each_file_was_asked_for_once(
    ran: Ran, rust: tuple[Distribution, str]
) -> None:
    distribution, version = rust

    packed = [path for path in distribution.asked if path.endswith(".tar.gz")]
    assert f"compiled by Rust {version} of the Rust project: 3 wheels" in ran.stderr + ran.stdout
    assert sorted(packed) == sorted(set(packed))


def test_the_plan_names_the_release_without_asking_the_server(
    command: Command, rust: tuple[Distribution, str], ran: Ran
) -> None:
    distribution, version = rust
    asked, named = len(distribution.asked), {"toolchain": {"rust": version}}

    planned = command(
        "plan", command.recipe(make_rust_project("tiny"), build=named), env={"RUSTUP_DIST_SERVER": distribution.url}
    )

    assert f"rust: {version} of the Rust project is brought to lookalike-" in planned.stdout, ran.stderr
    assert len(distribution.asked) == asked


def test_a_release_without_a_server_is_no_plan(command: Command) -> None:
    recipe = command.recipe(make_rust_project("tiny"), build={"toolchain": {"rust": "1.89"}})

    planned = command("plan", recipe, env={"RUSTUP_DIST_SERVER": ""})

    assert planned.code == 3
    assert "asks for Rust 1.89, and RUSTUP_DIST_SERVER, the server" in planned.stderr
    assert "set RUSTUP_DIST_SERVER" in planned.stderr


@pytest.fixture(scope="module")
def both(shared_store: Path, host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server of a release with the standard library of another machine, all of Debian's; its URL and the release."""
    folder, distribution = tmp_path_factory.mktemp("debian"), Distribution()
    with Store.open(shared_store) as store:
        rust, std = debians(store, host)
        with store.lend(rust.file) as bundle, store.lend(std.file) as other:
            with tarfile.open(bundle) as tar:
                manifest = tar.extractfile("./manifest")
                said = re.search(r"rustc-web_([0-9]+\.[0-9]+\.[0-9]+)", manifest.read().decode() if manifest else "")
            assert said is not None
            version = said[1]
            parts = {
                ("rustc", HOST): repacked(bundle, folder, "rustc", HOST, version),
                ("cargo", HOST): repacked(bundle, folder, "cargo", HOST, version, below="bin/cargo"),
                ("rust-std", HOST): repacked(bundle, folder, "rust-std", HOST, version, below=f"lib/rustlib/{HOST}/"),
                ("rust-std", ARM): repacked(other, folder, "rust-std", ARM, version, below=f"lib/rustlib/{ARM}/"),
            }
    distribution.add_release(version, parts, packing="gz", channels=["stable"])
    with serve_rust(distribution):
        yield distribution.url, version


def debians(store: Store, host: Host) -> tuple[RustBundle, RustBundle]:
    """Have Debian's Rust, and its standard library for aarch64, as they are brought where no server is named."""
    memory, made_of = Memory(store=store, cancelled=Event()), input_digest(rust_spec())
    bundle = memory.surely(MakeRust(made_of=made_of), lambda: make_rust(host, store, "x86_64", lambda _: None))
    stage = MakeStd(made_of=made_of, bundle=bundle.file.digest, machine="aarch64")
    return bundle, memory.surely(stage, lambda: make_std(host, store, bundle, "aarch64", lambda _: None))


@pytest.mark.slow
def test_a_release_compiles_for_another_machine_by_the_standard_library_that_it_has(
    workshop: Command, both: tuple[str, str]
) -> None:
    url, version = both
    platforms = ("manylinux_2_17_aarch64", "manylinux_2_31_x86_64")
    recipe = workshop.recipe(
        make_rust_project("far"),
        platforms=platforms,
        build={"toolchain": {"rust": version}},
        test={"untried": "allow"},
    )

    ran = workshop.build(recipe, "-o", "far", env={"RUSTUP_DIST_SERVER": url})

    assert ran.run is not None, ran.stderr
    told = {str(record.cell.platform): (record.status, record.rust) for record in ran.run.records}
    assert told == dict.fromkeys(platforms, ("passed", version)), ran.stderr
