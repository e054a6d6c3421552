"""What a tool of the comparison says becomes a word, and the page holds a word for every rule and every tool."""

import re
from pathlib import Path

import pytest

from bench.peers import PEERS, Answer, compared, read_answer
from bench.peers_table import BEGIN, PAGE, compiled_name
from factory.audit import RULES
from tests.corpus.cases import CASES
from tests.corpus.compiled import PAIRS

_LOCK = Path(__file__).parents[3] / "requirements" / "peers.lock"
_NAME = "demo-1.0-cp39-abi3-manylinux_2_17_x86_64.whl"
_SHOWN = f'{_NAME} is consistent with the\nfollowing platform tag: "%s".\n'
_STACK = "Traceback (most recent call last):\n  File x\nKeyError: 'y'\n"
_REFUSED_ON_PURPOSE = "Traceback (most recent call last):\nauditwheel.error.InvalidLibcError: found musl\n"
_NOT_ABI3 = "💀 core.so: auditing error: failed to determine ABI version baseline: not abi3 tagged?\n"

ANSWERS = {
    "nothing to say": (0, "Successfully installed demo\n", "silent"),
    "a warning": (0, "WARNING: it is odd\n", "warns"),
    "a deprecation": (0, "DEPRECATION: it will end\n", "warns"),
    "a step that failed and was forgiven": (0, "💀 core.so: auditing error: no symbols\n", "warns"),
    "a module that is not its business": (0, _NOT_ABI3, "silent"),
    "a refusal": (1, "ERROR: no\n", "refuses"),
    "a refusal without a word": (1, "", "refuses"),
    "a stack": (1, _STACK, "crashes"),
    "a stack that is shown on purpose": (1, _REFUSED_ON_PURPOSE, "refuses"),
    "a stack that is forgiven": (0, _STACK, "silent"),
    "a signal": (-11, "", "crashes"),
    "the platform that is claimed": (0, _SHOWN % "manylinux_2_17_x86_64", "silent"),
    "an older platform": (0, _SHOWN % "manylinux_2_5_x86_64", "silent"),
    "a newer platform than is claimed": (0, _SHOWN % "manylinux_2_34_x86_64", "warns"),
    "no platform": (0, _SHOWN % "linux_x86_64", "warns"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_word_is_found_for(case: str) -> None:
    code, output, word = ANSWERS[case]

    assert read_answer(code, output, _NAME).word == word


_SILENT, _REFUSES = Answer(word="silent"), Answer(word="refuses", lines=("no",))
_CRASHES, _WARNS = Answer(word="crashes", lines=("stack",)), Answer(word="warns", lines=("odd", "old"))
COMPARED = {
    "only what breaks the rule is refused": (_REFUSES, _SILENT, ("refuses", "no")),
    "the near-miss is refused as well": (_REFUSES, _REFUSES, ("both", "")),
    "the near-miss is refused, for whatever reason": (_REFUSES, _CRASHES, ("both", "")),
    "only the near-miss is refused": (_SILENT, _REFUSES, ("silent", "")),
    "a warning about both": (_WARNS, _WARNS, ("silent", "")),
    "one warning more": (_WARNS, Answer(word="warns", lines=("odd",)), ("warns", "old")),
    "refused instead of warned about": (_CRASHES, _WARNS, ("crashes", "stack")),
}


@pytest.mark.parametrize("case", COMPARED)
def test_the_near_miss_tells_whether_the_rule_was_judged(case: str) -> None:
    bad, near, expected = COMPARED[case]

    assert compared(bad, near) == expected


def _table() -> dict[str, list[str]]:
    """The words by sample."""
    made = PAGE.read_text("utf-8").partition(BEGIN)[2]
    rows = re.findall(r"^\| \[([\w-]+)\]\(rules\.md#\1\) \| (.*?) \| \w+ \| (.*) \|$", made, re.MULTILINE)
    return {f"{rule}/{variant}" if variant else rule: words.split(" | ") for rule, variant, words in rows}


def test_every_rule_is_in_the_table() -> None:
    assert {name.partition("/")[0] for name in _table()} == set(RULES)


def test_every_sample_is_in_the_table_with_a_word_of_every_peer() -> None:
    table = _table()

    assert set(table) == {*CASES, *map(compiled_name, PAIRS)}, "run: make peers"
    assert {len(words) for words in table.values()} == {len(PEERS)}


def test_the_table_is_of_the_pinned_versions() -> None:
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)", _LOCK.read_text("utf-8"), re.MULTILINE))
    made = PAGE.read_text("utf-8").partition(BEGIN)[2]

    assert all(f"{peer.program} {pins[peer.program]}" in made for peer in PEERS), "run: make peers"
