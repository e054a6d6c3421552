"""Crates: fetched where no code of the project runs, built where there is no network."""

import json
from collections.abc import Iterator

import pytest

from factory.resolve.cargo import _CRATES_IO
from tests.docker.command import CP313, Command, Ran
from tests.docker.projects import RUST_MODULE, SHOW, Project, make_rust_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

CHECKSUM = "0" * 64
WRAPPER = """\
#!/bin/sh
echo "wrapped: $2" >> /tmp/wrapper.log
python3 -c 'import socket; socket.create_connection(("1.1.1.1", 53), 3)' >> /tmp/wrapper.log 2>&1 \\
    && echo "the network was there" >> /tmp/wrapper.log
exec "$@"
"""
HOSTILE = """\
[build]
rustc-wrapper = "./.cargo/wrapper"
[registry]
global-credential-providers = ["./.cargo/wrapper"]
[net]
git-fetch-with-cli = true
"""
TELL = "import atexit, os, sys\nif 'bdist_wheel' in sys.argv: atexit.register(os.system, 'cat /tmp/wrapper.log')"


def crate_in_lock(name: str, dependency: str, version: str) -> str:
    """Write the lock of a project with one crate of the public registry, whose checksum nothing there has."""
    locked = f'source = "{_CRATES_IO}"\nchecksum = "{CHECKSUM}"\n'
    return (
        f'version = 4\n\n[[package]]\nname = "{dependency}"\nversion = "{version}"\n{locked}\n'
        f'[[package]]\nname = "{name}"\nversion = "1.0.0"\ndependencies = [\n "{dependency}",\n]\n'
    )


def vendored() -> Project:
    """A project that brings its only crate along, as `cargo vendor` lays it out."""
    source = '[source.crates-io]\nreplace-with = "here"\n[source.here]\ndirectory = "vendor"\n'
    manifest = '[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n'
    return make_rust_project(
        "vendored",
        cargo='[dependencies]\ntiny = "0.1"\n',
        lock=crate_in_lock("vendored", "tiny", "0.1.0"),
        files={
            "lib.rs": RUST_MODULE.replace("NAME", "vendored") + "pub use tiny::ANSWER;\n",
            ".cargo/config.toml": source,
            "vendor/tiny/Cargo.toml": manifest,
            "vendor/tiny/src/lib.rs": "pub const ANSWER: u32 = 42;\n",
            "vendor/tiny/.cargo-checksum.json": json.dumps({"files": {}, "package": CHECKSUM}),
        },
    )


def write_recipes(command: Command) -> Iterator[object]:
    cfg_if = '[dependencies]\ncfg-if = "1"\n'
    hostile = {".cargo/config.toml": HOSTILE, ".cargo/wrapper": WRAPPER}
    yield command.recipe(
        make_rust_project("hostile", cargo=cfg_if, lock="", setup=TELL, files=hostile), build={"locked": False}
    )
    yield command.recipe(vendored())
    toolchain = {"rust-toolchain.toml": '[toolchain]\nchannel = "1.2.3"\n'}
    yield command.recipe(make_rust_project("toolchain", setup=SHOW, files=toolchain))
    yield command.recipe(make_rust_project("stale", cargo=cfg_if))
    yield command.recipe(make_rust_project("missing", cargo=cfg_if, lock=crate_in_lock("missing", "cfg-if", "1.99.0")))
    fetching = (
        'fn main() { assert!(std::process::Command::new("cargo").args(["add", "itoa"]).status().unwrap().success()) }'
    )
    yield command.recipe(make_rust_project("fetching", files={"build.rs": fetching}))


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    """One run of all of them."""
    return workshop.build(*map(str, write_recipes(workshop)), "-o", "rust")


def test_a_projects_own_wrapper_never_runs_with_network_and_is_in_force_without(ran: Ran) -> None:
    fetched, built = ran.log("crates:hostile", "crates"), ran.log("hostile")

    assert ran.records["hostile"].status == "passed", ran.stderr
    assert "cfg-if" in fetched
    assert "wrapped" not in fetched
    assert "wrapped: " in built, "the project's own configuration stays in force"
    assert "Network is unreachable" in built
    assert "the network was there" not in built


def test_the_lock_that_a_build_without_one_was_given_is_recorded(ran: Ran, workshop: Command) -> None:
    assert ran.records["hostile"].status == "passed", ran.stderr

    entries = [json.loads(path.read_text()) for path in (workshop.store / "ledger/crates").iterdir()]
    found = [lock["file"]["digest"] for entry in entries for lock in entry["result"]["locks"]]
    digests = [digest.removeprefix("sha256:") for digest in found]
    locks = [(workshop.store / "blobs" / digest[:2] / digest).read_text() for digest in digests]

    (lock,) = (lock for lock in locks if 'name = "hostile"' in lock)
    assert 'name = "cfg-if"' in lock


def test_vendored_crates_are_built_without_any_fetch(ran: Ran) -> None:
    """Its lock holds a checksum that no registry would answer with."""
    checked = ran.log("crates:vendored", "crates")

    assert ran.records["vendored"].status == "passed", ran.stderr
    assert not any(word in checked for word in ("Updating", "Download"))


def test_a_toolchain_file_does_not_reach_for_the_network(ran: Ran) -> None:
    assert ran.records["toolchain"].status == "passed", ran.stderr


def test_a_rust_extension_is_told_that_it_is_one(ran: Ran) -> None:
    log = ran.log("toolchain")

    assert "('PYO3_BUILD_EXTENSION_MODULE', '1')" in log
    assert "('PYO3_PYTHON', '/opt/python/cp313-cp313/bin/python')" in log


@pytest.mark.parametrize(
    ("recipe", "message", "hint"),
    [
        ("stale", "the lock must change: Cargo.lock does not satisfy Cargo.toml", "locked: false"),
        ("missing", "the crate cfg-if 1.99.0 of Cargo.lock is not in the configured registry", "locked: false"),
    ],
)
def test_a_lock_that_does_not_fit_is_reported_before_anything_compiles(
    ran: Ran, recipe: str, message: str, hint: str
) -> None:
    failure = ran.failure(recipe)

    assert (failure.step, failure.message) == ("crates", message)
    assert hint in failure.hint
    assert "build" not in ran.records[recipe].seconds


def test_a_source_without_a_lock_is_refused_by_its_plan(workshop: Command) -> None:
    cfg_if = '[dependencies]\ncfg-if = "1"\n'

    ran = workshop.build(workshop.recipe(make_rust_project("unlocked", cargo=cfg_if, lock="")))

    assert ran.code == 3
    assert "the source has no Cargo.lock" in ran.stderr
    assert "locked: false" in ran.stderr


def test_a_build_script_that_fetches_fails_with_what_it_wanted(ran: Ran) -> None:
    failure = ran.failure("fetching")

    assert failure.message == "cargo tried to get itoa from the network, and builds are offline"
    assert "Cargo.lock" in failure.hint


def test_the_good_ones_are_released(ran: Ran) -> None:
    assert ran.code == 1
    assert {path.name for path in (ran.folder / "rust").glob("*.whl")} == {
        f"{name}-1.0-{CP313}.whl" for name in ("hostile", "vendored", "toolchain")
    }
