"""Crates are fetched where cargo sees neither the package's code nor an image that a recipe had a hand in."""

from pathlib import Path

from factory.stages.locks import locked_crates
from tests.doubles.engine import Answer, Call
from tests.doubles.looking import calls_of, failure_of, images_of, only, values
from tests.doubles.projects import HASHES, WORDS, instead, programs
from tests.doubles.run import World, make_world

BUILDER = "lookalike-manylinux_2_31_x86_64"
PREPARED = HASHES.replace("{locked: false}", "{locked: false, system: {apt: [libwords-dev]}}")
NETWORK = Answer(
    code=101, output="error: failed to download from `https://crates.example/`\n[6] Could not resolve host\n"
)
CONFIGURATION = '[registries.mine]\nindex = "sparse+https://crates.example/"\n[build]\nrustc-wrapper = "evil"\n'


def test_cargo_sees_manifests_and_empty_sources(world: World) -> None:
    seen: list[dict[str, bytes]] = []

    def fetch(call: Call) -> Answer:
        seen.append(call.files.below("/work/fetch"))
        return programs(call)

    world.engine.commands = instead("crates", fetch)
    world.run(HASHES)

    assert sorted(seen[0]) == ["Cargo.toml", "src/lib.rs"]
    assert seen[0]["src/lib.rs"] == b""


def test_a_lock_that_cargo_made_is_in_the_source_and_holds_the_second_fetch(world: World) -> None:
    seen: list[bytes | None] = []

    def build(call: Call) -> Answer:
        seen.append(call.read("/work/source/Cargo.lock"))
        return programs(call)

    world.engine.commands = instead("build", build)
    world.run(HASHES)

    making, fetching = calls_of(world, "crates")
    assert seen == [making.read("/work/fetch/Cargo.lock")]
    assert ("--locked" in making.argv, "--locked" in fetching.argv) == (False, True)
    assert fetching.read("/work/fetch/Cargo.lock") == seen[0]


def test_the_crates_are_a_volume_of_the_build(world: World) -> None:
    seen: list[bytes | None] = []

    def build(call: Call) -> Answer:
        seen.append(call.read("/cargo/registry/pyo3.crate"))
        return programs(call)

    world.engine.commands = instead("build", build)
    world.run(HASHES)

    assert seen == [b"a crate"]


def test_cargo_fetches_in_the_image_that_no_recipe_prepared(world: World) -> None:
    world.run(PREPARED)

    base = world.image(BUILDER).reference
    assert set(images_of(world, "crates")) == {base}
    assert base not in images_of(world, "hashes/")[:1]


def test_a_token_is_given_to_cargo_alone(tmp_path: Path) -> None:
    (tmp_path / "home/.cargo").mkdir(parents=True)
    (tmp_path / "home/.cargo/config.toml").write_text(CONFIGURATION)
    with make_world(tmp_path, CARGO_REGISTRIES_MINE_TOKEN="a-secret-token") as world:
        run = world.run(HASHES)
        fetches = calls_of(world, "crates")
        others = [call for call in world.engine.calls if call not in fetches]
        configuration = fetches[0].read("/work/cargo/config.toml")

    assert run.passed
    assert values(fetches, "CARGO_REGISTRIES_MINE_TOKEN") == {"a-secret-token"}
    assert values(others, "CARGO_REGISTRIES_MINE_TOKEN") == {None}
    assert configuration is not None
    assert b"https://crates.example/" in configuration
    assert b"evil" not in configuration


def test_what_the_network_lost_is_fetched_once_more(world: World) -> None:
    world.engine.commands = instead("crates", NETWORK)

    assert only(world.run(HASHES)).status == "passed"
    assert world.engine.waits == 1


def test_a_network_that_is_away_loses_the_cell(world: World) -> None:
    world.engine.commands = instead("crates", NETWORK, NETWORK)

    record = only(world.run(HASHES))

    assert (record.status, failure_of(record).step) == ("lost", "crates")


def test_a_link_that_leads_out_of_what_cargo_left_fails_the_cell(world: World) -> None:
    def fetch(call: Call) -> Answer:
        call.files.link("/work/cargo/out", "/etc/passwd")
        return programs(call)

    world.engine.commands = instead("crates", fetch, fetch)

    record = only(world.run(HASHES))

    assert (record.status, failure_of(record).step) == ("failed", "crates")
    assert "out of the folder" in failure_of(record).message


def test_update_asks_cargo_for_another_lock(world: World) -> None:
    world.run(HASHES)
    fetched = len(calls_of(world, "crates"))
    world.update = True

    record = only(world.run(HASHES))

    assert record.status == "cached"
    assert len(calls_of(world, "crates")) == fetched + 1


def test_crates_of_a_project_without_rust_are_asked_for_nowhere(world: World) -> None:
    world.run(WORDS)

    assert images_of(world, "crates") == []


def test_a_lock_that_cargo_made_is_evidence_and_compared_with_the_source_s(world: World) -> None:
    record = only(world.run(HASHES))

    (lock,) = record.locks
    assert (lock.path, lock.kept) == ("Cargo.lock", None)
    assert (world.evidence / lock.file).read_bytes() == calls_of(world, "crates")[1].read("/work/fetch/Cargo.lock")
    events = (world.evidence / "events.jsonl").read_text()
    assert "Cargo.lock is the one that cargo made, with 1 crate; the source has none; it lies in " in events


def test_what_a_made_lock_keeps_is_counted_by_name_version_and_source() -> None:
    pins = "[[package]]\nname = 'a'\nversion = '1'\n[[package]]\nname = 'b'\nversion = '{}'\nsource = 'registry'\n"

    old, new = (locked_crates(pins.format(version).encode()) for version in ("1.0.0", "1.0.1"))

    assert (len(new), len(new & old)) == (2, 1)
    assert locked_crates(b"\xff") == frozenset()
