"""A finished wheel that holds a value of the caller's environment is refused, wherever and however it holds it."""

import base64
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.stages.leaks import leak_in
from tests.makers.wheels import make_wheel

TOKEN = "pass-env-secret-4417"
VALUES = {"LEVEL": "3", "TOKEN": TOKEN}
RAW = TOKEN.encode()


def leak(path: Path, values: dict[str, str] = VALUES) -> str:
    with path.open("rb") as stream:
        return leak_in(stream, path.name, values)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(RAW, id="as it is"),
        pytest.param(base64.b64encode(b"a" + RAW + b"bc"), id="base64"),
        pytest.param(base64.b64encode(b"ab" + RAW), id="base64, another alignment"),
        pytest.param(base64.urlsafe_b64encode(b"abc" + RAW), id="base64 for URLs"),
        pytest.param(RAW.hex().encode(), id="hex"),
        pytest.param(RAW.hex().upper().encode(), id="HEX"),
        pytest.param(b"x" * ((1 << 20) - 5) + RAW, id="across two pieces"),
        pytest.param(b"x" * (3 << 20) + RAW, id="at the end of a large member"),
    ],
)
def test_a_member_that_holds_a_value_is_named_with_the_variable_and_without_the_value(
    tmp_path: Path, content: bytes
) -> None:
    wheel = make_wheel(tmp_path, {"demo/__init__.py": b"good = 1\n", "demo/built.py": content})

    assert leak(wheel) == "holds the value of TOKEN in demo/built.py"


def comment(archive: zipfile.ZipFile) -> None:
    archive.comment = b"made with " + RAW


def member_comment(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("demo/b.py")
    entry.comment = RAW
    archive.writestr(entry, b"")


def member_name(archive: zipfile.ZipFile) -> None:
    archive.writestr(f"demo/{TOKEN}.py", b"")


def folder(archive: zipfile.ZipFile) -> None:
    archive.writestr(zipfile.ZipInfo("demo/data/"), RAW, zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize("pack", [comment, member_comment, member_name])
def test_what_is_beside_the_members_contents_is_searched_too(
    tmp_path: Path, pack: Callable[[zipfile.ZipFile], None]
) -> None:
    answer = leak(make_wheel(tmp_path, {"demo/__init__.py": b""}, pack=pack))

    assert answer == "holds the value of TOKEN in its file name, a member's name, a comment, or between its members"


def test_what_a_folder_holds_is_searched_too(tmp_path: Path) -> None:
    assert leak(make_wheel(tmp_path, {"a.py": b""}, pack=folder)) == "holds the value of TOKEN in demo/data/"


def test_the_wheels_own_name_is_searched(tmp_path: Path) -> None:
    name = "demo-1.0+pass_env_4417-py3-none-any.whl"
    path = make_wheel(tmp_path, {"a.py": b""}).rename(tmp_path / name)

    assert "holds the value of ID" in leak(path, {"ID": "pass_env_4417"})


def test_a_member_that_cannot_be_unpacked_is_reported_as_not_searched(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("demo/packed.py", RAW)
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(out.getvalue())

    assert leak(path).startswith("cannot be searched: demo/packed.py is compressed by method 12")


def test_a_wheel_without_a_value_passes_and_short_values_are_no_secrets(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"demo/__init__.py": b"level = 3\nci = 'true'\n"})

    assert leak(wheel) == ""
    assert leak(wheel, {"LEVEL": "3", "CI": "true", "EMPTY": ""}) == ""


@pytest.mark.thorough
def test_no_member_is_held_in_memory_as_a_whole(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"demo/big.bin": bytes(64 << 20)})

    tracemalloc.start()
    try:
        answer = leak(wheel)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert answer == ""
    assert peak < 16 << 20
