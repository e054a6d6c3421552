"""What an image answers, and when it is not what it declares."""

from dataclasses import replace

import pytest
from packaging.version import Version

from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.images.probe import Probed, read_answer, require_declared
from factory.tags import Interpreter, PlatformTag

FACTS = ImageFacts(
    name="lookalike-manylinux_2_31_x86_64",
    family="lookalike",
    role="build",
    platform=PlatformTag("glibc", 2, 31, "x86_64"),
    interpreters=(Interpreter(9), Interpreter(13)),
    rust=Version("1.96"),
)
SAME = Probed(glibc=(2, 31), interpreters=frozenset({Interpreter(9), Interpreter(13)}), rust=Version("1.96.0"))


def test_answers_are_read_and_noise_is_not() -> None:
    text = 'python ["CPython", 9, false]\npython ["CPython", 14, true]\nglibc [2, 31]\nrustc "1.96.0"\nsome warning\n'

    found = read_answer(text)

    assert found == Probed(
        glibc=(2, 31),
        interpreters=frozenset({Interpreter(9), Interpreter(14, free_threaded=True)}),
        rust=Version("1.96.0"),
    )


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(SAME, id="equal"),
        pytest.param(replace(SAME, rust=Version("1.99.1")), id="a newer Rust"),
    ],
)
def test_an_image_that_is_what_it_declares_passes(found: Probed) -> None:
    require_declared(FACTS, found)


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        pytest.param(
            replace(SAME, glibc=(2, 36)), r"its glibc is \(2, 36\), manylinux_2_31 is declared", id="newer glibc"
        ),
        pytest.param(replace(SAME, glibc=None), "its glibc is None", id="no glibc"),
        pytest.param(
            replace(SAME, interpreters=frozenset({Interpreter(9)})),
            "its interpreters are cp39; cp39 cp313 are declared",
            id="an interpreter is missing",
        ),
        pytest.param(
            replace(SAME, rust=Version("1.63")), "its rustc is 1.63, 1.96 or newer is declared", id="older Rust"
        ),
        pytest.param(replace(SAME, rust=None), "its rustc is absent", id="no Rust"),
        pytest.param(
            replace(SAME, broken=("/opt/python/cp39-cp39/bin/python",)),
            "/opt/python/cp39-cp39/bin/python does not run",
            id="an interpreter does not run",
        ),
    ],
)
def test_an_image_that_differs_from_its_declaration_is_refused(found: Probed, difference: str) -> None:
    with pytest.raises(ImageError, match=difference) as caught:
        require_declared(FACTS, found)

    assert "factory image build lookalike-manylinux_2_31_x86_64 --update" in caught.value.hint
