"""No message grows with its input, whichever rule or step it is of."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.audit import RULES, audit
from factory.audit.verdict import Finding
from factory.errors import FactoryError
from factory.events.model import Progress
from factory.excerpt import ITEM_CHARACTERS, ITEMS, MESSAGE_CHARACTERS, cut, few, listed
from factory.failure import Failure
from factory.wheel import read_wheel
from tests.corpus.cases import CASES
from tests.corpus.sample import TODAY

_LONG = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=20), st.integers(0, 3000))


@given(text=_LONG, most=st.integers(30, 3000))
def test_a_cut_text_has_no_more_characters_and_is_not_cut_again(text: str, most: int) -> None:
    shown = cut(text, most)

    assert len(shown) <= most
    assert cut(shown, most) == shown
    assert shown == text or f"({len(text)} characters)" in shown


@given(texts=st.lists(_LONG, max_size=60).map(tuple))
def test_of_many_texts_the_first_are_left_with_the_count_of_the_rest(texts: tuple[str, ...]) -> None:
    shown = few(texts)

    assert len(shown) <= ITEMS + 1
    assert all(len(text) <= ITEM_CHARACTERS for text in shown)
    assert few(shown) == shown
    assert len(texts) <= ITEMS + 1 or shown[-1] == f"and {len(texts) - ITEMS} more"


@given(names=st.lists(_LONG, max_size=60), most=st.integers(1, 20))
def test_a_list_of_names_says_how_many_it_leaves_out(names: list[str], most: int) -> None:
    told = listed(names, most=most)

    assert len(told) <= 140 * most + 20
    assert told.endswith(f", and {len(names) - most} more") == (len(names) > most)


@given(rule=st.sampled_from(sorted(RULES)), subject=_LONG, message=_LONG, evidence=st.lists(_LONG, max_size=50))
def test_a_finding_of_any_rule_is_bounded(rule: str, subject: str, message: str, evidence: list[str]) -> None:
    _assert_bounded(Finding.of(RULES[rule], subject, message, tuple(evidence)))


@given(text=_LONG)
def test_what_stops_a_step_or_a_run_is_bounded(text: str) -> None:
    failure, error = Failure(step="build", message=text, hint=text), FactoryError(text, hint=text)

    texts = (
        failure.message,
        failure.hint,
        error.message,
        str(error),
        error.hint,
        Progress(subject="a", text=text).text,
    )
    assert max(map(len, texts)) <= MESSAGE_CHARACTERS


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_what_the_corpus_provokes_is_bounded(case: str, tmp_path: Path) -> None:
    sample = CASES[case][0]

    verdict = audit(read_wheel(sample.make(tmp_path)), sample.expect, TODAY)

    for told in verdict.findings:
        _assert_bounded(told)


def _assert_bounded(told: Finding) -> None:
    assert len(told.message) <= MESSAGE_CHARACTERS
    assert len(told.subject) <= 2 * MESSAGE_CHARACTERS + 96
    assert len(told.evidence) <= ITEMS + 1
    assert all(len(text) <= ITEM_CHARACTERS for text in told.evidence)
