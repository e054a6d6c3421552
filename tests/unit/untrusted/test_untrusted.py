"""Strangers' texts give a value or the one exception, whatever they hold."""

import ast
from collections.abc import Callable

import pytest
from packaging.version import Version

from factory.untrusted import (
    UntrustedTextError,
    compressed_tags,
    dependency_group,
    excerpt,
    judge_metadata,
    literal,
    marker_holds,
    parse_configuration,
    parse_entry_points,
    parse_headers,
    parse_json,
    parse_project_name,
    parse_requirement,
    parse_rows,
    parse_script,
    parse_sdist_name,
    parse_specifiers,
    parse_toml,
    parse_version,
    parse_wheel_name,
)

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "toml-broken": (lambda: parse_toml("[a"), "is not valid TOML"),
    "toml-deep": (lambda: parse_toml("a=" + "[" * 70), "is nested too deep: more than 64 brackets"),
    "toml-dotted": (lambda: parse_toml(".".join("a" * 40) + "=1"), "a key of more than 32 parts"),
    "toml-quoted-parts": (lambda: parse_toml(".".join(['"a.b"'] * 40) + "=1"), "a key of more than 32 parts"),
    "toml-elements": (lambda: parse_toml("a=[" + "1," * 300_000), "more than 250000 elements"),
    "toml-large": (lambda: parse_toml(" " * 5_000_000), "has 5000000 characters"),
    "toml-digits": (lambda: parse_toml("a=" + "9" * 5000), "is not valid TOML"),
    "json-deep": (lambda: parse_json(b"[" * 100_000), "is nested too deep"),
    "json-large": (lambda: parse_json(b" " * 2_000_000), "has 2000000 bytes"),
    "json-no-utf-8": (lambda: parse_json(b"\xff"), "is not valid UTF-8 at byte 0"),
    "json-digits": (lambda: parse_json(b"9" * 5000), "is not valid JSON"),
    "rows-no-utf-8": (lambda: parse_rows(b"\xff", 9), "is not valid UTF-8"),
    "rows-many": (lambda: parse_rows(b"\n" * 100, 9), "has 101 lines"),
    "rows-wide": (lambda: parse_rows(b"x" * 200_000, 9), "cannot be read as comma-separated values"),
    "requirement-deep": (lambda: parse_requirement(f"a; {'(' * 21}"), "is nested too deep"),
    "requirement-long": (lambda: parse_requirement("a" * 10_001), "has 10001 characters"),
    "requirement-backslash": (lambda: parse_requirement(r"a; os_name == '\x27\x22'"), "a backslash"),
    "requirement-surrogate": (lambda: parse_requirement("a; os_name == '\udcff'"), "a control character"),
    "requirement-specifiers": (
        lambda: parse_requirement(f"a{','.join(f'>{n}' for n in range(101))}"),
        "more than 100 version",
    ),
    "specifiers": (lambda: parse_specifiers("3.9"), "is not a version specifier"),
    "version-digits": (lambda: parse_version("9" * 250 + "x"), "is not a version"),
    "version-long": (lambda: parse_version("9" * 5000), "has 5000 characters"),
    "name": (lambda: parse_project_name("-"), "is not a project name"),
    "wheel-name": (lambda: parse_wheel_name("demo.whl"), "does not end in python-abi-platform"),
    "wheel-version": (lambda: parse_wheel_name("demo-x-py3-none-any.whl"), "is not a wheel file name"),
    "wheel-tags": (lambda: parse_wheel_name(f"d-1-{'.'.join('a' * 80)}-{'.'.join('b' * 80)}-c.whl"), "expands to 6400"),
    "sdist-name": (lambda: parse_sdist_name("demo.zip"), "is not an sdist file name"),
    "tags": (lambda: compressed_tags("a-b"), "does not end in python-abi-platform"),
    "headers-many": (lambda: parse_headers(b"A: b\n" * 10_001), "has 10001 fields"),
    "headers-long": (lambda: parse_headers(b"A: b\n" + b" x" * 2_000_000), "has 4000005 characters"),
    "headers-lines": (lambda: parse_headers(b"A: b\n" + b" x\n" * 60_000), "has 60002 lines"),
    "metadata-deep": (lambda: judge_metadata(b"Requires-Dist: a; " + b"(" * 5000), "is nested too deep"),
    "licence-deep": (lambda: judge_metadata(b"License-Expression: " + b"(" * 5000), "is nested too deep"),
    "type-long": (lambda: judge_metadata(b"Description-Content-Type: " + b"a;" * 9000), "has 18000 characters"),
    "section-missing": (lambda: parse_configuration("a = b"), "has no section before line 1: 'a = b'"),
    "section-twice": (lambda: parse_configuration("[a]\n[a]\n"), "repeats the section 'a' in line 2"),
    "option-twice": (lambda: parse_configuration("[a]\nb=1\nB=1\n"), "repeats the option 'b' in line 3"),
    "option-empty": (lambda: parse_configuration("[a]\n=1\n"), "has no option with a value in line 2"),
    "sections-lines": (lambda: parse_configuration("\n" * 30_000), "has 30001 lines"),
    "entry-points-no-utf-8": (lambda: parse_entry_points(b"\xff"), "is not valid UTF-8"),
    "entry-points-colon": (lambda: parse_entry_points(b"[a]\nb: c\n"), "has no option with a value in line 2"),
    "script-2": (lambda: parse_script("print 'two'"), "is not valid Python"),
    "script-null": (lambda: parse_script("\0"), "is not valid Python"),
    "script-deep": (lambda: parse_script("(" * 100), "is nested too deep"),
    "script-operators": (lambda: parse_script("-" * 50_000 + "1"), "is nested too deep"),
    "script-sum": (lambda: parse_script("1" + "+1" * 40_000), "is nested too deep"),
    "script-elements": (lambda: parse_script("a\n" * 200_000), "more than 100000 elements"),
    "computed": (lambda: literal(ast.parse("f()", mode="eval").body), "is computed"),
    "group-absent": (lambda: dependency_group({}, "a"), "has no dependency group 'a'"),
    "group-odd": (lambda: dependency_group({"a": [1]}, "a"), "has an item in the group 'a'"),
    "group-many": (lambda: dependency_group({"a": ["x"] * 1001}, "a"), "has more than 1000 items"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_one_exception(case: str) -> None:
    read, says = REFUSED[case]

    with pytest.raises(UntrustedTextError) as caught:
        read()

    assert says in str(caught.value)
    assert len(str(caught.value)) <= 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("marker", ['os_name ~= "linux"', '"x" ~= "y"', '"x" in "y"', 'extra >= "a"'])
def test_a_marker_gives_an_answer_or_the_one_exception(marker: str) -> None:
    try:
        requirement = parse_requirement(f"a; {marker}")
        answer = marker_holds(requirement, {"os_name": "posix", "extra": ""})
    except UntrustedTextError:
        return
    assert answer in (True, False)


def test_what_stands_in_strings_and_comments_is_neither_nested_nor_many() -> None:
    brackets = "[({" * 100

    toml = parse_toml(f'a = \'{brackets}\' # {brackets}\nb = """\n{brackets}\n"""\nc = 1.5\nd.e = 2\n')
    script = parse_script(f"a = '''\n{brackets}\n''' # {brackets}\n")

    assert toml["a"] == brackets
    assert len(script.body) == 1


def test_honest_texts_are_read() -> None:
    requirement = parse_requirement('A[b]>=1,<2; python_version > "3" and (os_name == "a" or extra == "c")')

    assert str(requirement) == 'A[b]<2,>=1; python_version > "3" and (os_name == "a" or extra == "c")'
    assert parse_version("1.0rc1") == Version("1rc1")
    assert parse_wheel_name("demo-1.0-1-cp39-abi3-any.whl")[:3] == ("demo", Version("1.0"), (1, ""))
    assert len(compressed_tags("py2.py3-none-any")) == 2
    assert parse_json(b'{"a": [1]}') == {"a": [1]}
    assert parse_rows(b'"a,b",c\n\n', 9) == [["a,b", "c"], []]


def test_fields_keep_their_order_and_bytes() -> None:
    headers = parse_headers("Tag: a\ntag:  é \nX: \udcff\n\nthe\n\nbody\n".encode(errors="surrogateescape"))

    assert headers.all("Tag") == ("a", "é")
    assert headers.first("x") == r"\xff"
    assert headers.first("absent") == ""
    assert headers.body == "the\n\nbody\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system(end: str) -> None:
    headers = parse_headers(f"A: b{end}C: d{end}{end}rest{end}".encode())

    assert (headers.first("a"), headers.first("c"), headers.body) == ("b", "d", f"rest{end}")


def test_what_follows_a_line_that_is_no_field_is_the_body() -> None:
    assert parse_headers(b"A: b\nno field\nC: d\n\nrest").body == "no field\nC: d\n\nrest"


def test_metadata_is_judged_by_its_fields_and_the_encoding_of_its_description() -> None:
    head = b"Metadata-Version: 2.1\nName: demo\nVersion: 1\n"

    assert judge_metadata(head + b"\n" + b"\n" * 4_000_000) == ()
    assert [field for field, _ in judge_metadata(head + b"Requires-Dist: !\n\n")] == ["requires-dist"]
    assert [field for field, _ in judge_metadata(head + b"\nb\xff")] == ["description"]


def test_entry_points_keep_case_and_the_last_of_two() -> None:
    text = b"[console_scripts]\nA = b:c\nA = d:e\n[A]\n[console_scripts]\nz=y\n"

    assert parse_entry_points(text) == {"console_scripts": {"A": "d:e", "z": "y"}, "A": {}}


def test_a_group_includes_others_once() -> None:
    """Groups that include the next one twice each stood for 2 to the power of their number."""
    groups: dict[str, object] = {f"g{n}": [{"include-group": f"G{n + 1}"}] * 2 for n in range(100)}

    assert dependency_group({**groups, "g100": ["pytest"]}, "g0") == ("pytest",)


def test_groups_that_include_one_another_end() -> None:
    assert dependency_group({"a": ["x", {"include-group": "b"}], "b": [{"include-group": "a"}]}, "a") == ("x",)


def test_an_excerpt_is_short_and_plain() -> None:
    assert excerpt("a\n\u202e") == r"'a\n\u202e'"
    assert len(excerpt("x" * 10_000)) == 83
