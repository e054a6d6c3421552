"""What a wheel brings to import, and what of a source a trial's tests do not get."""

import pytest

from factory.trials.witness import modules_in, roots_of


@pytest.mark.parametrize(
    ("members", "roots"),
    [
        pytest.param(["spam/__init__.py", "spam/eggs/__init__.py"], ["spam"], id="a package"),
        pytest.param(["spam.py", "_spam.cpython-313-x86_64-linux-gnu.so"], ["_spam", "spam"], id="modules"),
        pytest.param(["spam.abi3.so", "ham.so"], ["ham", "spam"], id="modules of the stable ABI"),
        pytest.param(["google/ham/__init__.py", "google/ham/eggs.py"], ["google.ham"], id="a package in a namespace"),
        pytest.param(["space/one.py", "space/two/three.so"], ["space.one", "space.two.three"], id="a namespace"),
        pytest.param(["spam/__init__.so", "spam/ham.py"], ["spam"], id="a compiled package"),
        pytest.param(["spam-1.0.data/purelib/spam/__init__.py"], ["spam"], id="a folder of .data"),
        pytest.param(["tests/__init__.py", "test_spam.py", "conftest.py"], [], id="tests"),
        pytest.param(["spam-1.0.dist-info/METADATA", "spam.libs/libham-1.so.2", "spam/data.txt"], [], id="no module"),
        pytest.param(["no-name/x.py", "1x.py"], [], id="names that no statement imports"),
    ],
)
def test_what_a_wheel_brings_to_import_follows_from_its_members(members: list[str], roots: list[str]) -> None:
    assert roots_of(members) == tuple(roots)


@pytest.mark.parametrize(
    ("path", "is_left_out"),
    [
        ("spam/__init__.py", True),
        ("spam/lacking/in/the/wheel.py", True),
        ("spam/core.cpython-313-x86_64-linux-gnu.so", True),
        ("src/eggs/__init__.py", True),
        ("python/single.py", True),
        ("spam/words.txt", False),
        ("spam/core.c", False),
        ("spam/tests/__init__.py", False),
        ("spam/tests/data/make.py", False),
        ("spam/conftest.py", False),
        ("spam/test_spam.py", False),
        ("tests/helpers.py", False),
        ("tests/fixtures/spam/__init__.py", False),
        ("setup.py", False),
        ("tools/spam/make.py", False),
    ],
)
def test_modules_of_the_wheels_packages_are_left_out_of_a_source_and_tests_are_not(
    path: str, is_left_out: bool
) -> None:
    known = {path, "spam/__init__.py", "src/eggs/__init__.py"}

    assert (path in modules_in(known, ["eggs", "single", "spam"])) is is_left_out
