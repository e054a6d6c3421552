"""uv's answer is read without trust in what an index said."""

import pytest
from packaging.requirements import Requirement

from factory.resolve.model import Found, Question, Unresolved
from factory.resolve.requirements import _read
from factory.tags import Interpreter, PlatformTag

QUESTION = Question(
    requirements=(Requirement("spam"),),
    interpreter=Interpreter(13),
    platform=PlatformTag.parse("manylinux_2_31_x86_64"),
)
LOCK = """\
lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "spam"
version = "1.0"
wheels = [{{ url = "https://index.example/spam-1.0-py3-none-any.whl", hashes = {{ sha256 = "{sha256}" }} }}]
"""


def test_a_wheel_with_its_hash_is_found() -> None:
    answer = _read(LOCK.format(sha256="0A" * 32), QUESTION)

    assert isinstance(answer, Found)
    assert [(file.filename, file.digest.hex) for file in answer.files] == [("spam-1.0-py3-none-any.whl", "0a" * 32)]


@pytest.mark.parametrize("sha256", ["0a", "zz" * 32, "0a" * 33, ""], ids=["short", "no digits", "long", "empty"])
def test_a_malformed_hash_is_refused(sha256: str) -> None:
    answer = _read(LOCK.format(sha256=sha256), QUESTION)

    assert isinstance(answer, Unresolved)
    assert (answer.kind, answer.sentence) == ("refused", "spam has no wheel with a valid name and a sha256")
