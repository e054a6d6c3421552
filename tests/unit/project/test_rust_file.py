"""The file by which a project names a Rust for rustup."""

from collections.abc import Mapping

import pytest

from factory.project.files import Reading
from factory.project.model import RustFile
from factory.project.read import read_project
from factory.project.rust_file import read_rust_file
from tests.makers.sources import Files

TOML = '[toolchain]\nchannel = "1.85.0"\ncomponents = ["clippy"]\ntargets = ["wasm32-unknown-unknown"]\n'


def read(files: Mapping[str, str], folder: str = "") -> RustFile | None:
    return read_rust_file(Reading(Files(files)), folder)


@pytest.mark.parametrize(
    ("name", "text", "channel"),
    [
        pytest.param("rust-toolchain.toml", TOML, "1.85.0", id="a table"),
        pytest.param("rust-toolchain", TOML, "1.85.0", id="a table in the file of the older name"),
        pytest.param("rust-toolchain", "1.85\n", "1.85", id="one line"),
        pytest.param("rust-toolchain", "nightly-2026-01-01\n", "nightly-2026-01-01", id="a nightly"),
        pytest.param("rust-toolchain", "1.85\n1.86\n", None, id="two lines"),
        pytest.param("rust-toolchain.toml", "1.85\n", None, id="one line is no TOML"),
        pytest.param("rust-toolchain.toml", "", None, id="nothing"),
        pytest.param("rust-toolchain", "", None, id="nothing in the older file"),
        pytest.param("rust-toolchain.toml", '[toolchain]\npath = "../rust"\n', None, id="a path"),
        pytest.param("rust-toolchain.toml", "[toolchain]\nchannel = 1.85\n", None, id="a number"),
        pytest.param("rust-toolchain.toml", "toolchain = 1\n", None, id="no table"),
    ],
)
def test_a_file_names_a_channel_or_none(name: str, text: str, channel: str | None) -> None:
    assert read({name: text}) == RustFile(path=name, channel=channel)


class Garbled(Files):
    """A tree whose files are no text."""

    def read(self, path: str) -> bytes | None:
        return b"\xff\xfe" if path in self else None


def test_bytes_that_are_no_text_name_no_channel() -> None:
    files = Garbled({"rust-toolchain": ""})

    assert read_rust_file(Reading(files), "") == RustFile(path="rust-toolchain", channel=None)


def test_the_nearest_folder_counts_and_in_it_the_older_name() -> None:
    files = {"rust-toolchain": "1.80", "python/rust-toolchain.toml": TOML, "python/core/lib.rs": ""}
    both = {"rust-toolchain": "1.80", "rust-toolchain.toml": TOML}

    assert read(files, "python/core/") == RustFile(path="python/rust-toolchain.toml", channel="1.85.0")
    assert read(files) == read(both) == RustFile(path="rust-toolchain", channel="1.80")
    assert read({"other/rust-toolchain": "1.80"}) is None


def test_only_a_project_with_a_crate_has_one() -> None:
    plain = {"pyproject.toml": '[project]\nname = "demo"\nversion = "1"\n', "rust-toolchain": "1.80"}
    crate = {
        "pyproject.toml": plain["pyproject.toml"] + '[build-system]\nrequires = []\nbuild-backend = "maturin"\n',
        "Cargo.toml": '[package]\nname = "demo"\nversion = "1.0.0"\n',
        "rust-toolchain": "1.80",
    }

    assert read_project(Files(plain)).rust_file is None
    assert read_project(Files(crate)).rust_file == RustFile(path="rust-toolchain", channel="1.80")
