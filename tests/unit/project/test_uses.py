"""What a crate uses of PyO3 that stable ABIs may lack, found by pattern in its source."""

import pytest

from factory.project.model import Project
from factory.project.read import read_project
from tests.makers.sources import Files

MANIFEST = """
[package]
name = "spam"
version = "1.0"
[lib]
crate-type = ["cdylib"]
[dependencies]
pyo3 = { version = "0.29", features = ["abi3-py38"] }
"""


def project_of(**sources: str) -> Project:
    files = {f"src/{name}.rs": text for name, text in sources.items()}
    pyproject = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n[project]\nname = "spam"\n'
    return read_project(Files({"pyproject.toml": pyproject, "Cargo.toml": MANIFEST, **files}))


def uses(**sources: str) -> dict[str, str]:
    pyo3 = project_of(**sources).pyo3
    assert pyo3 is not None
    return {use.usage: use.place for use in pyo3.uses}


@pytest.mark.parametrize(
    ("source", "usage"),
    [
        pytest.param("#[pyclass(dict)]\nstruct Ham;", "dict", id="a dict"),
        pytest.param("#[pyclass(frozen, weakref)]\nstruct Ham;", "weakref", id="a weakref beside another option"),
        pytest.param('#[cfg_attr(feature = "python", pyclass(dict))]\nstruct Ham;', "dict", id="by an attribute"),
        pytest.param('#[pyclass(text_signature = "(a, b)")]\nstruct Ham;', "text_signature", id="of a class"),
        pytest.param(
            '#[new]\n#[pyo3(text_signature = "(a)")]\nfn new(a: u8) -> Self { Ham }', "text_signature", id="of a new"
        ),
        pytest.param("#[pyclass(extends=PyDict)]\nstruct Ham;", "native base", id="a dict as base"),
        pytest.param(
            "#[pyclass(extends = pyo3::exceptions::PyValueError, subclass)]\nstruct Ham;", "native base", id="by a path"
        ),
        pytest.param("#[pyclass(immutable_type)]\nstruct Ham;", "immutable_type", id="an immutable type"),
        pytest.param("unsafe fn __getbuffer__(slf: Bound<'_, Self>) {}", "buffer", id="offers a buffer"),
        pytest.param("fn read(buffer: PyBuffer<u8>) {}", "buffer", id="takes a buffer"),
        pytest.param("use pyo3::types::{PyDate, PyList};", "datetime", id="dates"),
    ],
)
def test_a_use_is_found(source: str, usage: str) -> None:
    assert uses(lib=f"use pyo3::prelude::*;\n{source}\n") == {usage: "src/lib.rs:2"}


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("#[pyclass]\nstruct Ham { dict: u8 }", id="a field of that name"),
        pytest.param('#[pyclass(module = "ham.dictionary")]\nstruct Ham;', id="part of a word"),
        pytest.param("// #[pyclass(dict)]\nstruct Ham;", id="a comment"),
        pytest.param("#[pyclass(extends=PyAny)]\nstruct Ham;", id="the base of everything"),
        pytest.param("#[pyclass(extends=Spam)]\nstruct Ham;", id="a class of the crate"),
        pytest.param(
            "#[pyclass(extends=PySpam)]\nstruct Ham;\nstruct PySpam;", id="a class of the crate that begins so"
        ),
        pytest.param('#[pyfunction]\n#[pyo3(text_signature = "(a)")]\nfn f(a: u8) {}', id="a function's signature"),
        pytest.param(
            "#[cfg(not(Py_LIMITED_API))]\nfn read(buffer: PyBuffer<u8>) {}",
            id="a file that has a way for the stable ABI",
        ),
    ],
)
def test_what_no_stable_abi_lacks_is_no_use(source: str) -> None:
    assert uses(lib=source) == {}


def test_each_use_is_named_once_where_it_is_first() -> None:
    assert uses(ham="\n#[pyclass(dict)]", lib="#[pyclass(dict, weakref)]") == {
        "dict": "src/ham.rs:2",
        "weakref": "src/lib.rs:1",
    }


def test_a_source_that_is_too_large_or_not_text_is_left_alone() -> None:
    assert uses(a="#[pyclass(dict)]", b="x" * (3 << 20), c="#[pyclass(weakref)]") == {"dict": "src/a.rs:1"}
