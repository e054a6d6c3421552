from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from packaging.tags import parse_tag

from factory.audit import Audit, Expectation, audit
from factory.catalogue import Waiver
from factory.tags import Abi3Floor, PlatformTag
from factory.wheel import read_wheel
from tests.corpus.sample import TODAY
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import ABI3_MODULE, ABI3_NAME, MODULE, NAME, make_wheel

NOTHING_SAID = Expectation()
NO_LIBPYTHON = "an interpreter need not come with that library"
ARCH = "manylinux_2_17_x86_64"


def _judge(
    folder: Path, files: dict[str, bytes] | None = None, filename: str = NAME, expect: Expectation = NOTHING_SAID
) -> Audit:
    return audit(read_wheel(make_wheel(folder, files, filename=filename)), expect, TODAY)


def _lines(verdict: Audit) -> list[str]:
    return [f"{finding.severity} {finding.rule} {finding.subject}: {finding.message}" for finding in verdict.findings]


def test_a_good_wheel_passes_without_a_word(tmp_path: Path) -> None:
    verdict = _judge(tmp_path)

    assert _lines(verdict) == []
    assert verdict.passed
    assert verdict.deserves == PlatformTag.parse("manylinux_2_5_x86_64")
    assert verdict.floor is None


MESSAGES = {
    "version": (
        {MODULE: make_module(undefined=["a@GLIBC_2.34", "b@GLIBC_2.28", "c@GLIBCXX_3.4.30"])},
        "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        [
            ("platform-policy", MODULE, "needs GLIBCXX_3.4.30; manylinux_2_28_x86_64 promises up to GLIBCXX_3.4.24"),
            ("platform-policy", MODULE, "needs GLIBC_2.34; manylinux_2_28_x86_64 promises up to GLIBC_2.28"),
        ],
    ),
    "every claimed tag": (
        {MODULE: make_module(undefined=["a@GLIBC_2.28"])},
        "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.manylinux_2_28_x86_64.whl",
        [("platform-policy", MODULE, "needs GLIBC_2.28; manylinux_2_17_x86_64 promises up to GLIBC_2.17")],
    ),
    "library": (
        {MODULE: make_module(needed=["libssl.so.3"], runpath="$ORIGIN/libs")},
        NAME,
        [
            (
                "library-missing",
                MODULE,
                "needs libssl.so.3, which is neither in the wheel nor promised by manylinux_2_17_x86_64",
            )
        ],
    ),
    "library out of reach": (
        {MODULE: make_module(needed=["libfoo.so"]), "demo/deep/libfoo.so": make_object()},
        NAME,
        [
            (
                "library-missing",
                MODULE,
                "needs libfoo.so; the wheel has it as demo/deep/libfoo.so, where no search path leads",
            )
        ],
    ),
    "libpython through a library": (
        {
            MODULE: make_module(needed=["liba.so"], runpath="$ORIGIN"),
            "demo/liba.so": make_object(needed=["libb.so"], runpath="$ORIGIN"),
            "demo/libb.so": make_object(needed=["libpython3.11.so.1.0"]),
        },
        NAME,
        [
            ("libpython-linked", "demo/libb.so", f"needs libpython3.11.so.1.0; {NO_LIBPYTHON}"),
            ("libpython-reached", MODULE, f"reaches libpython3.11.so.1.0 through demo/libb.so; {NO_LIBPYTHON}"),
            ("libpython-reached", "demo/liba.so", f"reaches libpython3.11.so.1.0 through demo/libb.so; {NO_LIBPYTHON}"),
        ],
    ),
    "program": (
        {MODULE: make_module(), "demo-1.0.data/scripts/x": make_object(program=True, needed=["libpython3.11.so.1.0"])},
        NAME,
        [("libpython-linked", "demo-1.0.data/scripts/x", f"this program needs libpython3.11.so.1.0; {NO_LIBPYTHON}")],
    ),
    "abi3": (
        {ABI3_MODULE: make_module(undefined=["PyType_GetName", "PyObject_GetBuffer", "PyUnicode_New"])},
        ABI3_NAME,
        [
            (
                "abi3-symbol-above-floor",
                ABI3_MODULE,
                "needs PyType_GetName, which came with Python 3.11; cp39-abi3 promises 3.9",
            ),
            (
                "abi3-symbol-unstable",
                ABI3_MODULE,
                "needs PyUnicode_New, which is not in the stable ABI; cp39-abi3 promises nothing else",
            ),
        ],
    ),
    "machine": (
        {MODULE: make_module(machine=183)},
        NAME,
        [("wrong-machine", MODULE, "is for aarch64; the wheel is for x86_64")],
    ),
    "class alone": (
        {MODULE: make_module(elf_class=32)},
        NAME,
        [("wrong-machine", MODULE, "is for 32-bit little-endian x86-64; the wheel is for x86_64")],
    ),
    "init of another name": (
        {MODULE: make_object(exports=["PyInit_fast"])},
        NAME,
        [("init-missing", MODULE, "importing demo.core calls PyInit_core or PyModExport_core; it has PyInit_fast")],
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_finding_says_what_was_found_and_what_was_expected(case: str, tmp_path: Path) -> None:
    files, filename, lines = MESSAGES[case]

    findings = _judge(tmp_path, files, filename).findings
    assert [(finding.rule, finding.subject, finding.message) for finding in findings] == lines
    assert all(finding.fails for finding in findings)


FINE = {
    "a hook that leaves the asking to its library": (
        {
            MODULE: make_object(exports=["PyInit_core"], needed=["liba.so"], runpath="$ORIGIN"),
            "demo/liba.so": make_object(),
        },
        NAME,
    ),
    "a hook of the newer kind that asks for nothing": ({MODULE: make_object(exports=["PyModExport_core"])}, NAME),
    "a library of pycryptodome's kind, with a module's suffix and no hook": ({"demo/lib.abi3.so": make_object()}, NAME),
    "a search path that goes up and stays inside": (
        {
            "demo/a/b/x.so": make_module("x", needed=["liba.so"], runpath="$ORIGIN/../../../other"),
            "other/liba.so": make_object(),
        },
        NAME,
    ),
    "a library that another object finds and loads": (
        {
            MODULE: make_module(needed=["liba.so"], runpath="$ORIGIN"),
            "demo/liba.so": make_object(),
            "demo/plugins/p.so": make_object(needed=["liba.so"]),
        },
        NAME,
    ),
    "an RPATH that is inherited": (
        {
            MODULE: make_module(needed=["liba.so"], rpath="$ORIGIN/libs"),
            "demo/libs/liba.so": make_object(needed=["libb.so"]),
            "demo/libs/libb.so": make_object(),
        },
        NAME,
    ),
    "a version that its own library brings": (
        {
            MODULE: make_module(undefined=["a@GLIBCXX_3.4.32"], runpath="$ORIGIN"),
            "demo/libstdc++.so.6": make_object(exports=["a"]),
        },
        NAME,
    ),
    "symbols of the form Py… that the wheel defines": (
        {ABI3_MODULE: make_module(undefined=["PyDemo_Make"]), "demo/libdemo.so": make_object(exports=["PyDemo_Make"])},
        ABI3_NAME,
    ),
    "functions that 3.9 has and abi3info dates 3.10": (
        {ABI3_MODULE: make_module(undefined=["PyModule_AddType"])},
        ABI3_NAME,
    ),
    "functions that only need a system with fork": (
        {ABI3_MODULE: make_module(undefined=["PyOS_BeforeFork"])},
        ABI3_NAME,
    ),
    "a suffix for abi3t": (
        {"demo/core.abi3t.so": make_object(exports=["PyModExport_core"], undefined=["PyModule_AddType"])},
        "demo-1.0-cp315-abi3.abi3t-manylinux_2_17_x86_64.whl",
    ),
    "a module under .data": ({f"demo-1.0.data/platlib/{MODULE}": make_module()}, NAME),
    "a module that is not ASCII": (
        {"demo/é.so": make_object(exports=["PyInitU_9ca"], undefined=["PyModuleDef_Init"])},
        NAME,
    ),
    "a package that is a module": ({"demo/__init__.so": make_module("demo")}, NAME),
    "a program of its own": ({MODULE: make_module(), "demo/bin/tool": make_object(program=True)}, NAME),
    "a static program for two systems": (
        {"demo-1.0.data/scripts/tool": make_object(program=True)},
        "demo-1.0-py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl",
    ),
    "PyPy's suffix": (
        {"demo/core.pypy311-pp73-x86_64-linux-gnu.so": make_module()},
        "demo-1.0-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl",
    ),
    "a free-threaded suffix": (
        {"demo/core.cpython-313t-x86_64-linux-gnu.so": make_module()},
        "demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl",
    ),
    "pure Python": ({"demo/__init__.py": b""}, "demo-1.0-py3-none-any.whl"),
}


@pytest.mark.parametrize("case", FINE)
def test_what_works_is_no_finding(case: str, tmp_path: Path) -> None:
    files, filename = FINE[case]

    assert [line for line in _lines(_judge(tmp_path, files, filename)) if "symbols-unjudged" not in line] == []


BAD = {
    "an interpreter inside whose symbols are hidden": (
        {MODULE: make_object(exports=["PyInit_core"], needed=["libm.so.6", "libc.so.6"])},
        NAME,
        "libpython-embedded",
    ),
    "the lowest of several floors counts": (
        {ABI3_MODULE: make_module(undefined=["PyObject_GetBuffer"])},
        "demo-1.0-cp39.cp312-abi3-manylinux_2_17_x86_64.whl",
        "abi3-symbol-above-floor",
    ),
    "a function that one later version lacks": (
        {ABI3_MODULE: make_module(undefined=["PyCFunction_New"])},
        ABI3_NAME,
        "abi3-symbol-above-floor",
    ),
    "a symbol of debug builds": (
        {ABI3_MODULE: make_module(undefined=["_Py_NegativeRefcount"])},
        "demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl",
        "abi3-symbol-unstable",
    ),
    "abi3 in a wheel for free threading": (
        {"demo/core.abi3.so": make_module()},
        "demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl",
        "suffix-interpreter",
    ),
    "a private symbol of libz": (
        {MODULE: make_module(needed=["libz.so.1"], undefined=["inflate_fast"])},
        NAME,
        "platform-policy",
    ),
    "a library of glibc's that no policy promises": (
        {MODULE: make_module(needed=["libcrypt.so.1"])},
        NAME,
        "library-missing",
    ),
    "a needed path": (
        {MODULE: make_module(needed=["build/liba.so"]), "build/liba.so": make_object()},
        NAME,
        "needed-path",
    ),
    "musl in manylinux": ({MODULE: make_module(needed=["libc.musl-x86_64.so.1"])}, NAME, "wrong-libc"),
    "a function of glibc's with musl": (
        {MODULE: make_module(needed=["libc.musl-x86_64.so.1"], undefined=["__printf_chk"])},
        "demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
        "symbol-undefined",
    ),
    "a function of glibc's with musl on another machine": (
        {MODULE: make_module(needed=["libc.musl-aarch64.so.1"], undefined=["__printf_chk"], machine=183)},
        "demo-1.0-cp311-cp311-musllinux_1_2_aarch64.whl",
        "symbol-undefined",
    ),
    "a suffix that interpreters with musl do not look for": (
        {"demo/core.cpython-311-x86_64-linux-gnu.so": make_module()},
        "demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
        "suffix-interpreter",
    ),
    "a suffix that interpreters of this machine do not look for": (
        {"demo/core.cpython-311-aarch64-linux-gnu.so": make_module()},
        "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "suffix-interpreter",
    ),
    "the other machine beside a good one": (
        {MODULE: make_module(), "demo/b.so": make_module("b", machine=3, elf_class=32)},
        NAME,
        "wrong-machine",
    ),
    "a hashed graft of libpython": (
        {
            MODULE: make_module(needed=["libpython3-1a2b3c4d.11.so.1.0"], runpath="$ORIGIN"),
            "demo/libpython3-1a2b3c4d.11.so.1.0": make_object(),
        },
        NAME,
        "libpython-linked",
    ),
    "a policy that is younger than the architecture's first": (
        {"demo/core.so": make_module(machine=243)},
        "demo-1.0-cp311-cp311-manylinux_2_17_riscv64.whl",
        "platform-unknown",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_hides_is_found(case: str, tmp_path: Path) -> None:
    files, filename, rule = BAD[case]

    assert rule in {finding.rule for finding in _judge(tmp_path, files, filename).findings}


def test_the_least_that_any_check_allows_is_deserved(tmp_path: Path) -> None:
    files = {MODULE: make_module(undefined=["a@GLIBC_2.26", "b@GLIBCXX_3.4.22"])}

    assert _judge(tmp_path, files).deserves == PlatformTag.parse("manylinux_2_26_x86_64")


def test_libpython_deserves_no_platform(tmp_path: Path) -> None:
    assert _judge(tmp_path, {MODULE: make_module(needed=["libpython3.11.so.1.0"])}).deserves is None


def test_the_deserved_floor_is_the_oldest_that_has_all_symbols(tmp_path: Path) -> None:
    files = {ABI3_MODULE: make_module(undefined=["PyList_New", "PyModule_AddFunctions"])}

    assert _judge(tmp_path, files, ABI3_NAME).floor == Abi3Floor(7)


def test_a_floor_below_the_tags_is_held(tmp_path: Path) -> None:
    files = {ABI3_MODULE: make_module(undefined=["PyModule_AddType"])}
    expect = Expectation(floor=Abi3Floor(8))

    assert [finding.rule for finding in _judge(tmp_path, files, ABI3_NAME, expect).findings] == [
        "abi3-symbol-above-floor"
    ]


BUILT = "demo-1.0-cp311-cp311-linux_x86_64.whl"


def test_a_built_wheel_is_not_asked_for_its_platform(tmp_path: Path) -> None:
    files = {MODULE: make_module(needed=["libssl.so.3"], undefined=["a@GLIBC_2.39"])}
    expect = Expectation(
        stage="built",
        tags=parse_tag("cp311-cp311-manylinux_2_17_x86_64"),
        platform=PlatformTag.parse("manylinux_2_17_x86_64"),
    )

    assert _lines(_judge(tmp_path, files, BUILT, expect)) == []


BUILT_BAD = {
    "libpython": ({MODULE: make_module(needed=["libpython3.11.so.1.0"])}, "libpython-linked"),
    "a silent fallback": ({"demo/core.py": b""}, "module-missing"),
    "the wrong machine": ({MODULE: make_module(machine=183)}, "wrong-machine"),
    "the wrong libc": ({MODULE: make_module(needed=["ld-musl-x86_64.so.1"])}, "wrong-libc"),
}


@pytest.mark.parametrize("case", BUILT_BAD)
def test_a_built_wheel_is_asked_for_all_else(case: str, tmp_path: Path) -> None:
    files, rule = BUILT_BAD[case]
    expect = Expectation(stage="built", platform=PlatformTag.parse("manylinux_2_17_x86_64"), modules=("demo.core",))

    assert rule in {finding.rule for finding in _judge(tmp_path, files, BUILT, expect).findings}


def test_a_silent_fallback_is_named(tmp_path: Path) -> None:
    expect = Expectation(modules=("demo.core",))

    verdict = _judge(tmp_path, {"demo/core.py": b""}, "demo-1.0-py3-none-any.whl", expect)

    assert [finding.message for finding in verdict.findings] == [
        "extension module demo.core is expected but is not in the wheel; demo/core.py takes its place"
    ]


NEEDS_SSL = {MODULE: make_module(needed=["libssl.so.3"])}
WAIVER = Waiver(rule="library-missing", subject="demo/*", reason="another wheel brings it", until=TODAY)


def test_a_waived_error_lets_the_wheel_pass_and_stays_in_sight(tmp_path: Path) -> None:
    verdict = _judge(tmp_path, NEEDS_SSL, expect=Expectation(waivers=(WAIVER,)))

    assert verdict.passed
    assert [finding.waived for finding in verdict.findings] == [WAIVER]


WAIVERS = {
    "out of date": replace(WAIVER, until=TODAY - timedelta(days=1)),
    "of another rule": replace(WAIVER, rule="wrong-libc"),
    "of another subject": replace(WAIVER, subject="other/*"),
    "of no rule": replace(WAIVER, rule="no-such-rule"),
}


@pytest.mark.parametrize("case", WAIVERS)
def test_a_waiver_that_does_not_cover_is_named_and_the_error_remains(case: str, tmp_path: Path) -> None:
    verdict = _judge(tmp_path, NEEDS_SSL, expect=Expectation(waivers=(WAIVERS[case],)))

    assert not verdict.passed
    assert {finding.rule for finding in verdict.findings} & {"waiver-unused", "waiver-expired"}


def test_a_waiver_of_what_only_a_repaired_wheel_can_lack_is_not_unused_before_the_repair(tmp_path: Path) -> None:
    of_the_build = Expectation(waivers=(WAIVER,), stage="built")

    built = _judge(tmp_path, NEEDS_SSL, "demo-1.0-cp311-cp311-linux_x86_64.whl", expect=of_the_build)

    assert not {finding.rule for finding in built.findings} & {"library-missing", "waiver-unused"}


def test_long_evidence_is_cut_and_says_so(tmp_path: Path) -> None:
    symbols = [f"f{index:03}@GLIBC_2.34" for index in range(50)]

    (finding,) = _judge(tmp_path, {MODULE: make_module(undefined=symbols)}).findings

    assert finding.evidence[0] == "f000@GLIBC_2.34"
    assert finding.evidence[-1] == "and 30 more"


UNREAD = {
    "empty": b"",
    "cut short": b"PK\3\4" + bytes(60),
    "no archive": b"no zip",
    "more volumes": b"PK\5\6\1\0" + bytes(16),
}


@pytest.mark.parametrize("content", UNREAD.values(), ids=UNREAD)
def test_of_an_archive_that_cannot_be_read_nothing_else_is_reported(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)

    verdict = audit(read_wheel(path), Expectation(modules=("demo.core",)), TODAY)

    assert [finding.rule for finding in verdict.findings] == ["archive-unreadable"]


def test_an_archive_without_members_has_no_dist_info_folder(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"PK\5\6" + bytes(18))

    findings = {finding.rule for finding in audit(read_wheel(path), NOTHING_SAID, TODAY).findings}

    assert findings == {"dist-info-count", "pure-wheel"}


def test_a_date_is_all_the_gate_needs_of_the_world(tmp_path: Path) -> None:
    wheel = read_wheel(make_wheel(tmp_path, NEEDS_SSL))

    assert audit(wheel, NOTHING_SAID, date(2000, 1, 1)) == audit(wheel, NOTHING_SAID, date(2100, 1, 1))


def test_of_very_many_findings_under_one_rule_the_first_are_kept_and_the_rest_counted(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, unlisted={f"demo/{index}.txt": b"" for index in range(700)})

    verdict = audit(read_wheel(path), Expectation(), TODAY)

    findings = [finding for finding in verdict.findings if finding.rule == "record-unlisted"]
    assert len(findings) == 501
    assert "200 more findings of this rule are not listed" in {finding.message for finding in findings}
    assert not verdict.passed


def test_findings_of_long_texts_lose_their_evidence_first_and_then_are_counted(tmp_path: Path) -> None:
    exports = [f"{index:03}{'x' * 470}" for index in range(21)]
    short = {f"demo/m{index:03}.abi3.so": make_module(f"m{index:03}", exports=exports) for index in range(100)}
    long = {f"demo/{'/'.join(['m' * 225] * 4)}{index:03}.py": b"" for index in range(400)}

    verdict = audit(read_wheel(make_wheel(tmp_path, short, filename=ABI3_NAME, unlisted=long)), NOTHING_SAID, TODAY)

    findings = [finding for finding in verdict.findings if finding.rule == "exports-extra"]
    counted = [finding for finding in verdict.findings if "more findings of this rule" in finding.message]
    assert [len(finding.subject) for finding in findings] == [len("demo/m000.abi3.so")] * 100
    assert exports[0] in findings[0].evidence
    assert findings[-1].evidence == ("its evidence is left out: the findings of this rule are too long together",)
    assert [finding.rule for finding in counted] == ["record-unlisted"]
    assert all(finding in verdict.findings for ruling in verdict.rulings for finding in ruling.findings)


def test_a_waiver_that_covers_many_findings_hides_none_that_it_does_not_cover(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, unlisted={f"demo/{index}.txt": b"" for index in range(700)} | {"z.txt": b""})
    waiver = Waiver(rule="record-unlisted", subject="demo/*", reason="many")

    verdict = audit(read_wheel(path), Expectation(waivers=(waiver,)), TODAY)

    assert [finding.subject for finding in verdict.findings if finding.fails] == ["z.txt"]


def test_interpreters_with_musl_had_glibcs_suffix_before_3_11(tmp_path: Path) -> None:
    files = {"demo/core.cpython-310-x86_64-linux-gnu.so": make_module()}

    found = _judge(tmp_path, files, "demo-1.0-cp310-cp310-musllinux_1_2_x86_64.whl").findings

    assert "suffix-interpreter" not in {finding.rule for finding in found}


@pytest.mark.parametrize("name", ["printf", "qsort_r", "fopen64"])
def test_what_any_musl_1_2_has_is_there(tmp_path: Path, name: str) -> None:
    """Its newer loaders find the names ending in 64 all the same."""
    files = {MODULE: make_module(needed=["libc.musl-x86_64.so.1"], undefined=[name])}

    found = _judge(tmp_path, files, "demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl").findings

    assert {"symbol-undefined", "symbols-unjudged"}.isdisjoint(finding.rule for finding in found)
