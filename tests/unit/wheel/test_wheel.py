import time
from pathlib import Path

import pytest
from packaging.tags import parse_tag
from packaging.version import Version

from factory.digest import Digest
from factory.wheel import RecordRow, parse_record, read_wheel, record_hash
from tests.makers.objects import make_module
from tests.makers.wheels import MODULE, NAME, make_wheel, wheel_text


def test_a_wheel_says_its_name_texts_members_and_objects(tmp_path: Path) -> None:
    metadata = (
        "Name: Demo\nVersion: 1.0\nRequires-Python: >=3.9\nRequires-Dist: a>1\nRequires-Dist: b\nProvides-Extra: x\n"
    )

    wheel = read_wheel(make_wheel(tmp_path, {MODULE: make_module(), "demo/__init__.py": b""}, metadata=metadata))

    assert wheel.name is not None
    assert (wheel.name.name, wheel.name.version) == ("demo", Version("1.0"))
    assert wheel.tags == parse_tag("cp311-cp311-manylinux_2_17_x86_64")
    assert wheel.metadata is not None
    assert (wheel.metadata.name, wheel.metadata.requires_python) == ("Demo", ">=3.9")
    assert (wheel.metadata.requires_dist, wheel.metadata.extras) == (("a>1", "b"), ("x",))
    assert wheel.wheel_text is not None
    assert wheel.wheel_text.tags == wheel.tags
    assert list(wheel.members) == sorted(wheel.members)
    assert list(wheel.objects) == [MODULE]
    assert wheel.objects[MODULE].exports == {"PyInit_core"}


def test_objects_are_found_by_their_magic_and_not_by_suffix_or_record(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, {"demo/fake.so": b"text"}, unlisted={"demo/data.bin": make_module()})

    assert list(read_wheel(path).objects) == ["demo/data.bin"]


def test_an_object_that_cannot_be_read_is_kept_with_the_reason(tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path, {MODULE: make_module()[:50]}))

    assert dict(wheel.broken) == {MODULE: "the ELF header lies past the end of the file"}
    assert not wheel.objects


def test_the_dist_info_that_the_name_calls_for_is_read(tmp_path: Path) -> None:
    other = {"aaa-1.dist-info/METADATA": b"Name: aaa\nVersion: 1\n"}

    wheel = read_wheel(make_wheel(tmp_path, other))

    assert wheel.dist_infos == ("aaa-1.dist-info", "demo-1.0.dist-info")
    assert wheel.metadata is not None
    assert wheel.metadata.name == "demo"


BAD_NAMES = [
    "demo.whl",
    "demo-1.0.whl",
    "demo-x-cp311-cp311-any.whl",
    "de mo-1.0-py3-none-any.whl",
    "demo-1.0-a-b-.whl",
]


@pytest.mark.parametrize("filename", BAD_NAMES)
def test_a_name_that_is_no_wheels_is_a_reason(filename: str, tmp_path: Path) -> None:
    path = make_wheel(tmp_path)

    wheel = read_wheel(path.rename(tmp_path / filename))

    assert wheel.name is None
    assert wheel.name_problem


def test_a_name_whose_tags_multiply_is_not_expanded(tmp_path: Path) -> None:
    many = ".".join(["a"] * 60)

    wheel = read_wheel(make_wheel(tmp_path).rename(tmp_path / f"d-1-{many}-{many}-b.c.whl"))

    assert wheel.name is None


def test_a_tag_line_that_is_no_tag_is_kept_apart(tmp_path: Path) -> None:
    text = wheel_text(NAME) + "Tag: cp311-cp311\n"

    wheel = read_wheel(make_wheel(tmp_path, wheel=text))

    assert wheel.wheel_text is not None
    assert wheel.wheel_text.bad_tags == ("cp311-cp311",)


def test_a_text_beyond_measure_is_a_flaw(tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path, metadata="Name: demo\n" + "x" * (9 << 20)))

    assert [(flaw.kind, flaw.member) for flaw in wheel.flaws] == [("too-large", "demo-1.0.dist-info/METADATA")]


RECORDS = {
    "quoted comma": (b'"a,b",sha256=x,1\n', (RecordRow(path="a,b", hash="sha256=x", size="1"),), ""),
    "blank lines": (b"\na,,\n\n", (RecordRow(path="a", hash="", size=""),), ""),
    "two fields": (b"a,b\n", None, "row 1 has 2 fields; three are expected"),
}


@pytest.mark.parametrize("case", RECORDS)
def test_record_is_rows_or_a_reason(case: str) -> None:
    content, rows, problem = RECORDS[case]

    assert parse_record(content) == (rows, problem)


@pytest.mark.parametrize("text", ["[a]\nb" + " " * 7_000_000 + "c", "\n" * 7_000_000, "a" + " " * 900_000 + "b"])
def test_entry_points_that_kept_configparser_busy_for_a_week_are_a_reason(text: str, tmp_path: Path) -> None:
    begin = time.process_time()

    wheel = read_wheel(make_wheel(tmp_path, {"demo-1.0.dist-info/entry_points.txt": text.encode()}))

    assert wheel.entry_points_problem
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("name", ["METADATA", "WHEEL"])
def test_a_text_of_too_many_fields_is_a_flaw(name: str, tmp_path: Path) -> None:
    text = "A: b\n" * 20_000
    path = make_wheel(tmp_path, metadata=text) if name == "METADATA" else make_wheel(tmp_path, wheel=text)

    wheel = read_wheel(path)

    assert [flaw.message for flaw in wheel.flaws] == ["has 20000 fields; at most 10000 are read"]


def test_a_hash_is_written_as_record_writes_it() -> None:
    """The binary distribution format: "urlsafe-base64-nopad"."""
    assert record_hash(Digest.of(b"")) == "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


def test_objects_whose_names_would_fill_the_memory_are_not_kept(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, {"a.so": make_module("a"), "b.so": make_module("b")})

    wheel = read_wheel(path, kept_bytes=5000)

    assert list(wheel.objects) == ["a.so"]
    assert dict(wheel.broken) == {"b.so": "the wheel's objects have more names and table entries in all than are read"}


FLOODS = {
    "requirements": ("Requires-Dist: a\n", "has 5000 Requires-Dist fields; at most 4096 are read"),
    "extras": ("Provides-Extra: a\n", "has 5000 Provides-Extra fields; at most 4096 are read"),
    "licences": ("License-File: a\n", "has 5000 License-File fields; at most 4096 are read"),
}


@pytest.mark.parametrize("case", FLOODS)
def test_more_fields_than_any_project_has_are_a_flaw(case: str, tmp_path: Path) -> None:
    line, message = FLOODS[case]

    wheel = read_wheel(make_wheel(tmp_path, metadata="Metadata-Version: 2.4\nName: demo\n" + line * 5000))

    assert [(flaw.kind, flaw.message) for flaw in wheel.flaws] == [("too-large", message)]


def test_tags_of_all_lines_count_together(tmp_path: Path) -> None:
    lines = "".join(f"Tag: a{number}.b.c.d-e.f.g.h-any\n" for number in range(100))

    wheel = read_wheel(make_wheel(tmp_path, wheel=f"Wheel-Version: 1.0\n{lines}"))

    assert wheel.wheel_text is not None
    assert len(wheel.wheel_text.tags) == 64 * 4 + 3 * 4
    assert [flaw.message for flaw in wheel.flaws] == [
        "its Tag lines name more than 1024 tags in all, the most that are read"
    ]


@pytest.mark.parametrize(
    ("filename", "build", "label"),
    [
        ("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", "", ""),
        ("demo-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl", "1", ""),
        ("demo-1.0-cp311-cp311-manylinux_2_17_x86_64-x86_64_v3.whl", "", "x86_64_v3"),
        ("demo-1.0-1-cp311-cp311-manylinux_2_17_x86_64-x86_64_v3.whl", "1", "x86_64_v3"),
        ("demo-1.0-py3-none-any-null.whl", "", "null"),
    ],
)
def test_a_label_of_a_variant_is_told_from_a_build_number(
    tmp_path: Path, filename: str, build: str, label: str
) -> None:
    """PEP 825 (a draft): the label stands behind the platform tag."""
    wheel = read_wheel(make_wheel(tmp_path, filename=filename))

    assert wheel.name is not None
    assert (wheel.name.build, wheel.name.label) == (build, label)


@pytest.mark.parametrize("label", ["X86", "a+b", ""])
def test_what_cannot_be_a_label_is_no_variant(tmp_path: Path, label: str) -> None:
    path = make_wheel(tmp_path)
    wheel = read_wheel(path.rename(path.with_name(f"{path.stem}-{label}.whl")))

    assert wheel.name is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "it is not valid JSON"),
        (b"[]", "it does not have exactly one label in `variants`"),
        (b'{"variants": {}}', "it does not have exactly one label in `variants`"),
        (b'{"variants": {"a": {}, "b": {}}}', "it does not have exactly one label in `variants`"),
        (b'{"variants": {"a": []}}', "its label does not map namespaces to features"),
        (b'{"variants": {"a": {"x": {"level": "v3"}}}}', "its feature 'level' is not a list of texts"),
    ],
)
def test_a_variants_text_that_cannot_be_read_is_told(tmp_path: Path, content: bytes, problem: str) -> None:
    wheel = read_wheel(make_wheel(tmp_path, {"demo-1.0.dist-info/variant.json": content}))

    assert wheel.variant is None
    assert wheel.variant_problem.startswith(problem)


def test_a_variants_properties_are_read(tmp_path: Path) -> None:
    content = b'{"variants": {"fast": {"x86_64": {"level": ["v3"]}, "blas": {"library": ["a", "b"]}}}}'
    wheel = read_wheel(make_wheel(tmp_path, {"demo-1.0.dist-info/variant.json": content}))

    assert wheel.variant is not None
    assert wheel.variant.label == "fast"
    assert wheel.variant.properties == {"x86_64 :: level :: v3", "blas :: library :: a", "blas :: library :: b"}
