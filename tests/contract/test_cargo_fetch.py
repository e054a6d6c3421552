"""The real cargo in the folder that it fetches in; no registry is asked."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.diagnoses.cargo import explain_cargo_failure
from factory.process import Completed
from factory.resolve.cargo import fetch_folder
from tests.makers.cargo import CRATES_IO, cargo, require_cargo, write
from tests.makers.sources import Files


@pytest.fixture(autouse=True, scope="module")
def _working_cargo(tmp_path_factory: pytest.TempPathFactory) -> None:
    require_cargo(tmp_path_factory.mktemp("cargo"))


PACKAGE = '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n'
LOCK = 'version = 3\n\n[[package]]\nname = "demo"\nversion = "0.1.0"\n'
VENDORED = '[source.crates-io]\nreplace-with = "mine"\n[source.mine]\ndirectory = "vendor"\n'
VENDORED_CRATE = {
    "vendor/dep/Cargo.toml": '[package]\nname = "dep"\nversion = "1.0.0"\nedition = "2021"\n',
    "vendor/dep/src/lib.rs": "pub fn answer() -> u8 { 42 }",
    "vendor/dep/.cargo-checksum.json": '{"files":{},"package":"' + "0" * 64 + '"}',
}


def lock_with(version: str) -> str:
    dep = f'[[package]]\nname = "dep"\nversion = "{version}"\nsource = "{CRATES_IO}"\nchecksum = "{"0" * 64}"\n'
    return f'version = 3\n\n[[package]]\nname = "demo"\nversion = "0.1.0"\ndependencies = ["dep"]\n\n{dep}'


def fetch(tmp_path: Path, files: Mapping[str, str], *, locked: bool = True) -> Completed:
    fetched = fetch_folder(Files(files), "Cargo.toml")
    write(tmp_path / "fetch", fetched)
    return cargo(tmp_path / "fetch", *fetched.commands(locked=locked)[0][1:], home=tmp_path / "home")


def test_a_program_that_the_project_names_runs_in_its_own_tree_and_not_in_the_folder(tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\ntouch {tmp_path}/ran\nexec "$@"\n')
    wrapper.chmod(0o755)
    files = {
        "Cargo.toml": PACKAGE,
        "Cargo.lock": LOCK,
        "src/lib.rs": "pub fn answer() -> u8 { 42 }",
        "rust-toolchain.toml": '[toolchain]\nchannel = "no-such-channel"\n',
        ".cargo/config.toml": f'[build]\nrustc = "{wrapper}"\nrustc-wrapper = "{wrapper}"\n',
    }
    for name, content in files.items():
        if name != "rust-toolchain.toml":
            path = tmp_path / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    cargo(tmp_path / "tree", "fetch", "--offline", home=tmp_path / "home")
    ran_in_tree = (tmp_path / "ran").exists()
    (tmp_path / "ran").unlink(missing_ok=True)
    ended = fetch(tmp_path, files)

    assert ran_in_tree
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "ran").exists()


def test_every_kind_of_target_is_found_in_the_folder(tmp_path: Path) -> None:
    targets = '[lib]\npath = "rust/lib.rs"\n[[bin]]\nname = "tool"\npath = "rust/tool.rs"\n'
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["member"]\n'
        + PACKAGE.replace("[package]", '[package]\nbuild = "b.rs"')
        + targets,
        "Cargo.lock": LOCK + '\n[[package]]\nname = "member"\nversion = "0.1.0"\n',
        "rust/lib.rs": "compile_error!();",
        "rust/tool.rs": "not even Rust",
        "b.rs": "fn main() { panic!() }",
        "benches/b.rs": "",
        "member/Cargo.toml": PACKAGE.replace("demo", "member"),
        "member/src/main.rs": "",
    }

    ended = fetch(tmp_path, files)

    assert ended.returncode == 0, ended.stderr


def test_vendored_crates_are_fetched_without_network(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": PACKAGE + '[dependencies]\ndep = "1"\n',
        "Cargo.lock": lock_with("1.0.0"),
        "src/lib.rs": "",
        ".cargo/config.toml": VENDORED,
        **VENDORED_CRATE,
    }

    ended = fetch(tmp_path, files)

    assert not fetch_folder(Files(files), "Cargo.toml").needs_network
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("files", "locked", "kind", "sentence"),
    [
        pytest.param(
            {"Cargo.lock": LOCK, "other/Cargo.toml": PACKAGE.replace("demo", "other"), "other/src/lib.rs": ""}
            | {"Cargo.toml": PACKAGE + '[dependencies]\nother = {path = "other"}\n'},
            True,
            "lock",
            "the lock must change: Cargo.lock does not satisfy Cargo.toml",
            id="a stale lock",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE},
            True,
            "lock",
            "there is no Cargo.lock",
            id="no lock",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE + '[dependencies]\ndep = "1"\n', "Cargo.lock": lock_with("1.0.9")}
            | {".cargo/config.toml": VENDORED}
            | VENDORED_CRATE,
            True,
            "missing",
            "the crate dep 1.0.9 of Cargo.lock is not in the configured registry",
            id="a locked version that the registry lacks",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE + '[dependencies]\ndep = "2"\n', ".cargo/config.toml": VENDORED} | VENDORED_CRATE,
            False,
            "missing",
            "no version of the crate dep in the configured registry satisfies ^2",
            id="a version that the registry lacks",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE + '[dependencies]\nnope = "2"\n', ".cargo/config.toml": VENDORED} | VENDORED_CRATE,
            False,
            "missing",
            "the crate nope is not in the configured registry",
            id="a crate that the registry lacks",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE + '[dependencies]\ndep = "1"\n'}
            | {
                ".cargo/config.toml": '[source.crates-io]\nreplace-with = "m"\n'
                '[source.m]\nregistry = "sparse+http://127.0.0.1:9/index/"\n'
            },
            False,
            "network",
            "the crates cannot be downloaded: [7] ",
            id="a registry that cannot be reached",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE + '[dependencies]\ndep = {git = "http://127.0.0.1:9/dep.git"}\n'},
            False,
            "network",
            "the crates cannot be downloaded: failed to connect to 127.0.0.1",
            id="a repository that cannot be reached",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE, "Cargo.lock": LOCK.replace("version = 3", "version = 99")},
            True,
            "other",
            "Cargo.lock has version 99, which the image's cargo is too old for",
            id="a lock from the future",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE + '[dependencies]\ndep = {version = "1", registry = "corp"}\n'},
            False,
            "other",
            "the registry corp has no index in the project's cargo configuration",
            id="a registry without an index",
        ),
        pytest.param(
            {"Cargo.toml": PACKAGE.replace("2021", "2099")},
            False,
            "other",
            "cargo could not fetch the crates: supported edition values are",
            id="anything else quotes its last cause",
        ),
    ],
)
def test_a_failure_is_explained(
    tmp_path: Path, files: Mapping[str, str], locked: bool, kind: str, sentence: str
) -> None:
    ended = fetch(tmp_path, {"src/lib.rs": "", **files}, locked=locked)

    explained = explain_cargo_failure(ended.stderr)

    assert ended.returncode != 0
    assert explained.kind == kind
    assert explained.sentence.startswith(sentence)
