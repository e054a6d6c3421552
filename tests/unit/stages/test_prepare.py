"""What a backend asks for beyond its static requirements."""

import pytest

from factory.stages.prepare import parse_requires
from factory.untrusted import UntrustedTextError


def test_requirements_are_read() -> None:
    assert [str(requirement) for requirement in parse_requires(b'["a>=1", "b"]')] == ["a>=1", "b"]


BAD = {
    "no-json": (b"a", "is not valid JSON"),
    "no-list": (b'{"a": 1}', "is not a list"),
    "many": (b"[" + b'"a",' * 2000 + b'"a"]', "is not a list of at most 1000"),
    "no-text": (b"[1]", "has an item that is not text"),
    "no-requirement": (b'["!"]', "holds '!', which is not a requirement"),
    "nested": (b"[" * 20_000, "is nested too deep"),
    "nested-requirement": (b'["a; ' + b"(" * 5000 + b'"]', "which is nested too deep"),
    "surrogate": (rb"""["a; os_name == '\ud800'"]""", "a control character"),
}


@pytest.mark.parametrize(("content", "says"), BAD.values(), ids=BAD)
def test_what_is_no_list_of_requirements_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(UntrustedTextError, match=says):
        parse_requires(content)
