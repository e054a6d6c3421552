"""The recipe's line for what a build lacks."""

import pytest

from factory.diagnoses import ways


@pytest.mark.parametrize(
    ("line", "package"),
    [
        pytest.param(ways.header("ffi.h"), "libffi-dev", id="header"),
        pytest.param(ways.pkg_config("geos"), "libgeos-dev", id="pkg-config"),
        pytest.param(ways.program("pg_config"), "libpq-dev", id="a library's program"),
        pytest.param(ways.program("nasm"), "nasm", id="program"),
    ],
)
def test_a_system_package_is_named_by_debians_index(line: str, package: str) -> None:
    assert line.startswith(f"build: {{system: {{apt: [{package}]}}}} ")


def test_what_no_package_or_several_have_is_left_to_the_reader() -> None:
    assert "[NAME]}} with the package that has nobody_has_this.h" in ways.header("nobody_has_this.h")


def test_what_a_wheel_brings_is_required() -> None:
    assert ways.program("swig") == "build: {requires: [swig]} brings swig"
    assert ways.header("numpy/arrayobject.h").startswith("build: {requires: [numpy]} ")


def test_a_module_may_have_a_distribution_of_another_name() -> None:
    assert ways.distribution("yaml.nodes") == "pyyaml"
    assert ways.distribution("flit_scm") == "flit-scm"
