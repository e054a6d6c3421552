import pytest
import words
from words import _fast


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("one", 1), (" one\ttwo \n three", 3)])
def test_words_are_counted(text, expected):
    assert words.count(text) == expected


def test_it_is_the_fast_one():
    assert words.count is _fast.count


def test_the_extra_says_it():
    assert (words.in_words("one"), words.in_words("one two")) == ("1 word", "2 words")
