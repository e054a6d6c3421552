"""Whatever the bytes, the readers and the gate answer by a value or by their one declared error."""

import zipfile
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factory.audit import Expectation, audit
from factory.elf.read import parse
from factory.objects import ObjectError
from factory.pe import read as pe
from factory.wheel import parse_record, read_wheel
from tests.makers.objects import make_object
from tests.makers.pe import I386, make_pe
from tests.makers.wheels import ABI3_MODULE, ABI3_NAME, make_wheel

TODAY = date(2026, 11, 22)
EDITS = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6)
SAMPLES = (
    make_object(
        needed=["libfoo.so"],
        undefined=["Py_IncRef", "a@GLIBC_2.34"],
        weak=["w"],
        exports=["PyInit_core"],
        soname="s.so",
    ),
    make_object(
        undefined=["a@GLIBC_2.34"], exports=["b", "c"], hashes="gnu", runpath="$ORIGIN", interpreter="/lib/ld.so"
    ),
    make_object(undefined=["a@ZLIB_1.2.9"], exports=["b"], elf_class=32, byte_order="big", machine=21),
)
PE_SAMPLES = (
    make_pe(
        imports={"python3.dll": ["Py_IncRef", 7], "a.dll": ["f"]}, exports=["PyInit_core"], sections=[".debug_info"]
    ),
    make_pe(machine=I386, imports={"python313.dll": ["f"]}, exports=["a", "b"]),
)
HOSTILE = settings(
    max_examples=3 * settings().max_examples,  # three times as many as elsewhere, in every profile
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _edited(content: bytes, edits: list[tuple[int, bytes]], cut: int) -> bytes:
    data = bytearray(content)
    for place, patch in edits:
        at = place % len(data)
        data[at : at + len(patch)] = patch
    return bytes(data[: len(data) - cut % len(data)] if cut else data)


@HOSTILE
@given(sample=st.sampled_from(SAMPLES), edits=EDITS, cut=st.integers(0, 64))
def test_any_edit_of_an_object_is_read_or_an_elf_error(sample: bytes, edits: list[tuple[int, bytes]], cut: int) -> None:
    with suppress(ObjectError):
        parse(_edited(sample, edits, cut))


@HOSTILE
@given(content=st.binary(max_size=2000))
def test_any_bytes_after_the_magic_are_read_or_an_elf_error(content: bytes) -> None:
    with suppress(ObjectError):
        parse(b"\x7fELF" + content)


@HOSTILE
@given(sample=st.sampled_from(PE_SAMPLES), edits=EDITS, cut=st.integers(0, 64))
def test_any_edit_of_a_pe_file_is_read_or_the_same_error(
    sample: bytes, edits: list[tuple[int, bytes]], cut: int
) -> None:
    with suppress(ObjectError):
        pe.parse(_edited(sample, edits, cut))


@HOSTILE
@given(content=st.binary(max_size=2000))
def test_any_bytes_after_a_dos_header_are_read_or_the_same_error(content: bytes) -> None:
    with suppress(ObjectError):
        pe.parse(PE_SAMPLES[0][:0x80] + b"PE\0\0" + content)


@pytest.mark.thorough
@HOSTILE
@given(edits=EDITS, cut=st.integers(0, 64))
def test_any_edit_of_a_module_for_windows_is_judged(tmp_path: Path, edits: list[tuple[int, bytes]], cut: int) -> None:
    module = _edited(PE_SAMPLES[0], edits, cut)
    path = make_wheel(tmp_path, {"demo/core.pyd": module}, filename="demo-1.0-cp39-abi3-win_amd64.whl")

    verdict = audit(read_wheel(path), Expectation(modules=("demo.core",)), TODAY)

    assert verdict.passed == all(not finding.fails for finding in verdict.findings)


@pytest.mark.thorough
@HOSTILE
@given(edits=EDITS, cut=st.sampled_from([0, 0, 0, 1, 22, 100]), stored=st.booleans())
def test_any_edit_of_a_wheel_is_judged(
    tmp_path: Path, edits: list[tuple[int, bytes]], cut: int, *, stored: bool
) -> None:
    good = make_wheel(tmp_path, {ABI3_MODULE: SAMPLES[0], "demo/x.py": b"pass\n"}, filename=ABI3_NAME)
    if stored:
        _store(good)
    good.write_bytes(_edited(good.read_bytes(), edits, cut))

    verdict = audit(read_wheel(good), Expectation(modules=("demo.core",)), TODAY)

    assert verdict.passed == all(not finding.fails for finding in verdict.findings)


def _store(path: Path) -> None:
    """Pack without compression, so that an edit meets the content too."""
    with zipfile.ZipFile(path) as archive:
        content = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


TEXTS = ["METADATA", "WHEEL", "RECORD"]


@pytest.mark.thorough
@HOSTILE
@given(name=st.sampled_from(TEXTS), content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_text_in_dist_info_is_judged(tmp_path: Path, name: str, content: bytes) -> None:
    path = make_wheel(tmp_path, metadata=None, wheel=None)
    _replace(path, f"demo-1.0.dist-info/{name}", content)

    verdict = audit(read_wheel(path), Expectation(), TODAY)

    assert not verdict.passed


def _replace(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        held = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in {**held, name: content}.items():
            archive.writestr(member, data)


FIELDS = st.tuples(
    st.sampled_from(["Name", "Version", "Requires-Python", "Tag", "Root-Is-Purelib", "Requires-Dist"]),
    st.text(st.characters(exclude_characters="\r\n"), max_size=60),
)


@pytest.mark.thorough
@HOSTILE
@given(fields=st.lists(FIELDS, max_size=6))
def test_any_fields_in_the_texts_are_judged(tmp_path: Path, fields: list[tuple[str, str]]) -> None:
    text = "".join(f"{name}: {value}\n" for name, value in fields) + "\n"
    path = make_wheel(tmp_path, metadata="\n", wheel="\n")
    _replace(path, "demo-1.0.dist-info/METADATA", text.encode(errors="surrogatepass"))
    _replace(path, "demo-1.0.dist-info/WHEEL", text.encode(errors="surrogatepass"))

    assert not audit(read_wheel(path), Expectation(), TODAY).passed


@given(content=st.binary(max_size=200))
def test_any_record_is_rows_or_a_reason(content: bytes) -> None:
    rows, problem = parse_record(content)

    assert (rows is None) == bool(problem)
