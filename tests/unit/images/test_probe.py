"""What an image answers, and when it is not what it declares."""

from dataclasses import replace

import pytest
from packaging.version import Version

from factory.errors import ImageError
from factory.image_facts import ImageFacts, Release
from factory.images.probe import Libc, Probed, read_answer, require_declared
from factory.tags import Interpreter, PlatformTag

FACTS = ImageFacts(
    name="lookalike-manylinux_2_31_x86_64",
    family="lookalike",
    role="build",
    platform=PlatformTag("glibc", 2, 31, "x86_64"),
    interpreters=(Interpreter(9), Interpreter(13)),
    rust=Version("1.96"),
    packages="apt",
    c=Version("10.2"),
    releases=(Release.of("cp39", "3.9.2"),),
)
SAME = Probed(
    libc=Libc(family="glibc", major=2, minor=31),
    builders=frozenset({Release.of("cp39", "3.9.2"), Release.of("cp313", "3.13.5")}),
    rust=Version("1.96.0"),
    packages="apt",
    c=Version("10.2.1"),
)
NEWER = frozenset({Release.of("cp39", "3.9.23"), Release.of("cp313", "3.13.9")})
OLDER = frozenset({Release.of("cp39", "3.9.1"), Release.of("cp313", "3.13.5")})
MAKE = "make it anew"


def test_answers_are_read_and_noise_is_not() -> None:
    text = """
python /opt/python/cp39-cp39/bin/python ["CPython", 9, false, "3.9.2"]
python /opt/python/cp314-cp314t/bin/python ["CPython", 14, true, "3.14.0rc2"]
python /usr/bin/python3.6 ["CPython", 6, false, "3.6.8"]
glibc [2, 31]
musl [1, 2]
rustc "1.96.0"
gcc "10.2.1"
packages "dnf"
broken /opt/python/cp315-cp315/bin/python
some warning
"""

    found = read_answer(text)

    assert found == Probed(
        libc=Libc(family="glibc", major=2, minor=31),
        builders=frozenset({Release.of("cp39", "3.9.2"), Release.of("cp314t", "3.14.0rc2")}),
        runners=frozenset({Release.of("cp36", "3.6.8")}),
        rust=Version("1.96.0"),
        c=Version("10.2.1"),
        packages="dnf",
        broken=("/opt/python/cp315-cp315/bin/python",),
    )


BAD_ANSWERS = [
    "glibc [2]", "glibc [2, -1]", "musl [", "rustc [", "rustc 3",
    'rustc "x"', f'gcc "{"9" * 5000}"', 'packages "pacman"',
    'python /a ["CPython", "13", false, "3.13.5"]', 'python /a ["CPython", 13, false]',
    'python /a ["CPython", 13, false, "new"]', "python /a " + "[" * 20_000, "python /a", f"python /a [{'9' * 5000}]",
]  # fmt: skip


@pytest.mark.parametrize("line", BAD_ANSWERS, ids=lambda line: line[:20])
def test_an_image_that_answers_nonsense_is_refused(line: str) -> None:
    """Programs of the image answer, and a recipe may name any image."""
    with pytest.raises(ImageError, match="the image answers the probe with"):
        read_answer(f"glibc [2, 31]\n{line}\n")


def test_cpython_and_pypy_count_and_no_other_implementation() -> None:
    text = """
python /opt/python/pp311-pypy311_pp73/bin/python ["PyPy", 11, false, "3.11.11"]
python /opt/python/graalpy311-graalpy242_311_native/bin/python ["GraalVM", 11, false, "3.11.7"]
python /usr/bin/pypy3.11 ["PyPy", 11, false, "3.11.13"]
"""

    found = read_answer(text)

    assert found.builders == {Release.of("pp311", "3.11.11")}
    assert found.runners == {Release.of("pp311", "3.11.13")}


def test_a_pypy_that_is_not_declared_is_welcome_and_one_that_is_declared_must_be_there() -> None:
    pypy = Release.of("pp311", "3.11.11")
    declaring = replace(FACTS, interpreters=(*FACTS.interpreters, pypy.interpreter))

    require_declared(FACTS, replace(SAME, builders=SAME.builders | {pypy}), hint=MAKE)
    with pytest.raises(ImageError, match="its interpreters are cp39 cp313; cp39 pp311 cp313 are declared"):
        require_declared(declaring, SAME, hint=MAKE)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(SAME, id="equal"),
        pytest.param(replace(SAME, rust=Version("1.99.1")), id="a newer Rust"),
        pytest.param(replace(SAME, builders=NEWER), id="newer releases of interpreters"),
    ],
)
def test_an_image_that_is_what_it_declares_passes(found: Probed) -> None:
    require_declared(FACTS, found, hint=MAKE)


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        pytest.param(
            replace(SAME, libc=Libc(family="glibc", major=2, minor=36)),
            "its libc is glibc 2.36, manylinux_2_31 is declared",
            id="newer glibc",
        ),
        pytest.param(
            replace(SAME, libc=Libc(family="musl", major=2, minor=31)),
            "its libc is musl 2.31, manylinux_2_31 is declared",
            id="another libc",
        ),
        pytest.param(replace(SAME, libc=None), "its libc is unknown", id="no libc"),
        pytest.param(replace(SAME, packages="dnf"), "its package manager is dnf, apt is declared", id="packages"),
        pytest.param(
            replace(SAME, builders=frozenset({Release.of("cp39", "3.9.2")})),
            "its interpreters are cp39; cp39 cp313 are declared",
            id="an interpreter is missing",
        ),
        pytest.param(
            replace(SAME, rust=Version("1.63")), "its rustc is 1.63, 1.96 or newer is declared", id="older Rust"
        ),
        pytest.param(replace(SAME, rust=None), "its rustc is absent", id="no Rust"),
        pytest.param(
            replace(SAME, builders=OLDER), "its cp39 is 3.9.1, 3.9.2 or newer is declared", id="an older release"
        ),
        pytest.param(replace(SAME, c=Version("9.3")), "its gcc is 9.3, 10.2 or newer is declared", id="older GCC"),
        pytest.param(
            replace(SAME, broken=("/opt/python/cp39-cp39/bin/python",)),
            "/opt/python/cp39-cp39/bin/python does not run",
            id="an interpreter does not run",
        ),
    ],
)
def test_an_image_that_differs_from_its_declaration_is_refused(found: Probed, difference: str) -> None:
    with pytest.raises(ImageError, match=difference) as caught:
        require_declared(FACTS, found, hint=MAKE)

    assert caught.value.hint == MAKE
