"""Every pattern that may see a stranger's text takes time in proportion to the text's length."""

import re
import time
from collections.abc import Callable, Mapping

import pytest

from factory.diagnoses.cargo import explain_cargo_failure
from factory.diagnoses.causes.table import explain_command
from factory.diagnoses.commands import first_error, is_crowded, last_lines, wanted_libpython
from factory.diagnoses.git import complaint, explain_patch
from factory.diagnoses.network import network_attempt
from factory.diagnoses.packages import explain_packages
from factory.diagnoses.registries import explain_pull
from factory.diagnoses.scripts import explain_script
from factory.diagnoses.uv import explain_uv_failure
from factory.terminal import plain, shown
from tests.property.hostile import UNITS, texts
from tests.property.patterns import Named, patterns

pytestmark = pytest.mark.thorough

SHORT, LONG = 2_000, 16_000
MIB = 1 << 20


def seconds(named: Named, text: str) -> float:
    """Return the process's own time: others may use the machine."""
    began = time.process_time()
    named.run(text)
    return time.process_time() - began


def steepness(named: Named, short: str, long: str) -> float:
    """Return how much longer the longer text takes for each of its characters; 1 is linear, 8 quadratic.

    The least of some attempts counts: a busy machine makes one or the other slower, and nothing faster.
    """
    return min(_steepness(named, short, long), _steepness(named, short, long), _steepness(named, short, long))


def _steepness(named: Named, short: str, long: str) -> float:
    first = seconds(named, long)
    if first < 0.01:
        return 1.0
    of_long = min(first, seconds(named, long), seconds(named, long)) if first < 1 else first
    of_short = max(min(seconds(named, short) for _ in range(3)), 1e-5)
    return (of_long / len(long)) / (of_short / len(short))


@pytest.mark.parametrize("named", patterns(), ids=lambda named: named.place)
def test_a_pattern_takes_time_in_proportion_to_the_text(named: Named) -> None:
    for short, long in zip(texts(named.pattern, SHORT), texts(named.pattern, LONG), strict=True):
        assert seconds(named, short) < 1, repr(short[:60])
        assert steepness(named, short, long) < 3, repr(long[:60])


def test_the_look_for_patterns_finds_those_in_tables_functions_and_constants() -> None:
    places = {named.place.partition(":")[0] for named in patterns()}

    assert {
        "factory.terminal._STEERING",
        "factory.diagnoses.network._CASES",
        "factory.diagnoses.cargo._CASES",
        "factory.diagnoses.git._CASES",
        "factory.redaction",
    } <= places
    assert len(patterns()) > 150


@pytest.mark.parametrize(
    ("expression", "long", "is_steep"),
    [
        (r"^\s*[67];", 8000, True),
        (r"\w*Connect\w*Error", 8000, True),
        (r"(?:a+)+b", 22, True),
        (r"^[ \t]*+[67];", 8000, False),
    ],
)
def test_a_steep_pattern_is_told_from_a_flat_one(expression: str, long: int, is_steep: bool) -> None:
    named = Named("here", re.compile(expression, re.MULTILINE))
    pairs = zip(texts(named.pattern, long // 8), texts(named.pattern, long), strict=True)

    assert any(steepness(named, short, text) >= 3 for short, text in pairs) is is_steep


READERS: Mapping[str, Callable[[str], object]] = {
    "first error": first_error,
    "causes of builds": lambda text: explain_command(text, "build"),
    "causes of tests": lambda text: explain_command(text, "test"),
    "last lines": last_lines,
    "libpython": wanted_libpython,
    "crowded": is_crowded,
    "network": network_attempt,
    "cargo": explain_cargo_failure,
    "uv": lambda text: explain_uv_failure(text, "cp313"),
    "git": lambda text: complaint(text, 1),
    "patch": explain_patch,
    "packages": explain_packages,
    "pull": explain_pull,
    "script": explain_script,
}


@pytest.mark.parametrize("reader", READERS)
def test_four_mebibytes_of_anything_are_read_at_once(reader: str) -> None:
    for unit in UNITS:
        text = unit * (4 * MIB // len(unit))
        began = time.process_time()
        READERS[reader](text)
        assert time.process_time() - began < 5, repr(unit)


@pytest.mark.parametrize("printer", [plain, shown])
def test_half_a_mebibyte_of_anything_is_made_fit_to_print(printer: Callable[[str], str]) -> None:
    for unit in UNITS:
        text = unit * (MIB // 2 // len(unit))
        began = time.process_time()
        printer(text)
        assert time.process_time() - began < 5, repr(unit)
