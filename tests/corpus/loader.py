"""Wheels that the loader refuses somewhere they claim."""

from factory.audit import Expectation
from tests.corpus.sample import (
    LOADER,
    MUSL_NAME,
    PLATFORM,
    PROGRAM,
    RUNPATH,
    SBOM,
    Cases,
    Sample,
    beside,
    module,
    named,
    on,
    variant,
)
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import MODULE


def _with_byte(content: bytes, at: int, value: int) -> bytes:
    return content[:at] + bytes([value]) + content[at + 1 :]


def _headed(at: int, value: int) -> Sample:
    """A module with another byte in its ELF header."""
    return Sample({MODULE: _with_byte(make_module(), at, value)})


CASES: Cases = {
    "platform-policy": (
        Sample({MODULE: make_module(undefined=["qsort_r@GLIBC_2.34"])}),
        Sample({MODULE: make_module(undefined=["memcpy@GLIBC_2.14"], weak=["qsort_r@GLIBC_2.17"])}),
    ),
    "platform-unknown": (named("demo-1.0-cp311-cp311-linux_x86_64.whl"), Sample()),
    "platform-unknown/not repaired yet": (
        named("demo-1.0-cp311-cp311-linux_x86_64.whl"),
        Sample(expect=Expectation(stage="built"), wheel={"filename": "demo-1.0-cp311-cp311-linux_x86_64.whl"}),
    ),
    "platform-unjudged": (
        named("demo-1.0-cp311-cp311-macosx_11_0_arm64.whl", {"demo/core.so": b"\xcf\xfa\xed\xfe"}),
        Sample(),
    ),
    "platform-above-ceiling": (
        Sample(expect=PLATFORM, wheel={"filename": "demo-1.0-cp311-cp311-manylinux_2_31_x86_64.whl"}),
        Sample(expect=PLATFORM, wheel={"filename": "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"}),
    ),
    "library-missing": (
        Sample({MODULE: make_module(needed=["libssl.so.3"])}),
        Sample({MODULE: make_module(needed=["libssl.so.3"], runpath=RUNPATH), "demo.libs/libssl.so.3": make_object()}),
    ),
    "wrong-machine": (
        Sample({MODULE: make_module(), "demo/other.so": make_object(machine=183)}),
        Sample({MODULE: make_module(), "demo/kernel.cubin": make_object(machine=190)}),
    ),
    "wrong-libc": (
        named(MUSL_NAME, {"demo/core.so": make_module(needed=["libc.so.6"])}),
        named(MUSL_NAME, {"demo/core.so": make_module(needed=["libc.musl-x86_64.so.1"])}),
    ),
    "wrong-libc/musl's other name": (
        named(MUSL_NAME, {"demo/core.so": make_module(needed=["libc.so.6"])}),
        named(MUSL_NAME, {"demo/core.so": make_module(needed=["libc.so"])}),
    ),
    "elf-broken": (
        Sample({MODULE: make_module(), "demo/x.so": b"\x7fELF"}),
        Sample({MODULE: make_module(), "demo/x.so": b"ELF"}),
    ),
    "platform-policy/libstdc++": (
        module(undefined=["f@GLIBCXX_3.4.30"]),
        module(undefined=["f@GLIBCXX_3.4.19"]),
    ),
    "platform-policy/C++ runtime": (module(undefined=["f@CXXABI_1.3.13"]), module(undefined=["f@CXXABI_1.3.7"])),
    "platform-policy/libgcc": (module(undefined=["f@GCC_12.0.0"]), module(undefined=["f@GCC_4.8.0"])),
    "platform-policy/zlib": (module(undefined=["f@ZLIB_1.2.12"]), module(undefined=["f@ZLIB_1.2.5.2"])),
    "platform-policy/one of two tags": (
        named(
            "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux_2_34_x86_64.whl",
            {MODULE: make_module(undefined=["f@GLIBC_2.34"])},
        ),
        named(
            "demo-1.0-cp311-cp311-manylinux_2_34_x86_64.manylinux_2_35_x86_64.whl",
            {MODULE: make_module(undefined=["f@GLIBC_2.34"])},
        ),
    ),
    "platform-policy/an alias": (
        named("demo-1.0-cp311-cp311-manylinux2014_x86_64.whl", {MODULE: make_module(undefined=["f@GLIBC_2.18"])}),
        named("demo-1.0-cp311-cp311-manylinux2014_x86_64.whl", {MODULE: make_module(undefined=["f@GLIBC_2.17"])}),
    ),
    "platform-policy/private version": (
        module(undefined=["f@GLIBC_PRIVATE"]),
        module(undefined=["f@GLIBC_2.2.5"]),
    ),
    "platform-policy/private symbols of zlib": (
        module(needed=["libz.so.1"], undefined=["inflate_fast"]),
        module(needed=["libz.so.1"], undefined=["inflate"]),
    ),
    "platform-policy/marked packed relocations": (
        module(undefined=["f@GLIBC_ABI_DT_RELR"], entries={36: 64}),
        named(
            "demo-1.0-cp311-cp311-manylinux_2_36_x86_64.whl",
            {MODULE: make_module(undefined=["f@GLIBC_ABI_DT_RELR"], entries={36: 64})},
        ),
    ),
    "platform-policy/without section headers": (
        module(undefined=["f@GLIBC_2.34"], sections=None),
        module(undefined=["f@GLIBC_2.14"], sections=[".text"]),
    ),
    "platform-policy/in a program": (
        beside(PROGRAM, make_object(program=True, interpreter=LOADER, undefined=["f@GLIBC_2.34"])),
        beside(PROGRAM, make_object(program=True, interpreter=LOADER, undefined=["f@GLIBC_2.14"])),
    ),
    "platform-policy/big-endian": (
        on("s390x", "manylinux_2_17", machine=22, byte_order="big", undefined=["f@GLIBC_2.34"]),
        on("s390x", "manylinux_2_17", machine=22, byte_order="big", undefined=["f@GLIBC_2.14"]),
    ),
    "platform-policy/32 bits": (
        on("i686", "manylinux_2_17", machine=3, elf_class=32, undefined=["f@GLIBC_2.34"]),
        on("i686", "manylinux_2_17", machine=3, elf_class=32, undefined=["f@GLIBC_2.14"]),
    ),
    "platform-unknown/of no policy": (
        named("demo-1.0-cp311-cp311-manylinux_2_4_x86_64.whl"),
        named("demo-1.0-cp311-cp311-manylinux_2_18_x86_64.whl"),
    ),
    "platform-unknown/misspelt": (
        named("demo-1.0-cp311-cp311-manylinux2017_x86_64.whl"),
        named("demo-1.0-cp311-cp311-manylinux2010_x86_64.whl"),
    ),
    "library-missing/by the wrong use of a RUNPATH": (
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], runpath=RUNPATH),
                "demo.libs/liba.so": make_object(needed=["libb.so"], soname="liba-1a2b3c4d.so"),
                "demo.libs/libb.so": make_object(soname="libb-1a2b3c4d.so"),
                SBOM: b"{}",
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], rpath=RUNPATH),
                "demo.libs/liba.so": make_object(needed=["libb.so"], soname="liba-1a2b3c4d.so"),
                "demo.libs/libb.so": make_object(soname="libb-1a2b3c4d.so"),
                SBOM: b"{}",
            }
        ),
    ),
    "library-missing/an RPATH of nobody's": (
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], runpath="$ORIGIN"),
                "demo/liba.so": make_object(needed=["libb.so"]),
                "demo/deep/libb.so": make_object(),
                "demo/other.so": make_module("other", rpath="$ORIGIN/deep"),
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], rpath="$ORIGIN/deep:$ORIGIN"),
                "demo/liba.so": make_object(needed=["libb.so"]),
                "demo/deep/libb.so": make_object(),
            }
        ),
    ),
    "library-missing/by $LIB on one distribution": (
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], runpath="$ORIGIN/$LIB"),
                "demo/lib64/liba.so": make_object(),
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], runpath="$ORIGIN/$LIB"),
                "demo/lib64/liba.so": make_object(),
                "demo/lib/liba.so": make_object(),
                "demo/lib/x86_64-linux-gnu/liba.so": make_object(),
            }
        ),
    ),
    "library-missing/of glibc's, and no policy's": (
        module(needed=["libcrypt.so.1"]),
        module(needed=["libresolv.so.2"]),
    ),
    "library-missing/OpenMP": (module(needed=["libgomp.so.1"]), module(needed=["libgcc_s.so.1"])),
    "library-missing/on musl": (
        named(MUSL_NAME, {"demo/core.so": make_module(needed=["libstdc++.so.6"])}),
        named(MUSL_NAME, {"demo/core.so": make_module(needed=["libc.musl-x86_64.so.1"])}),
    ),
    "needed-path": (
        Sample({MODULE: make_module(needed=["deps/liba.so"]), "deps/liba.so": make_object()}),
        Sample({MODULE: make_module(needed=["$ORIGIN/liba.so"]), "demo/liba.so": make_object()}),
    ),
    "needed-path/absolute": (module(needed=["/usr/lib/libc.so.6"]), module(needed=["libc.so.6"])),
    "needed-hidden": (module(entries={0x7FFFFFFF: "liba.so"}), module(entries={0x7FFFFFFE: 0})),
    "needed-hidden/auxiliary": (module(entries={0x7FFFFFFD: "liba.so"}), module()),
    "needed-hidden/audit": (module(entries={0x6FFFFEFC: "liba.so"}), module()),
    "needed-hidden/audit of what it needs": (module(entries={0x6FFFFEFB: "liba.so"}), module()),
    "rpath-absolute": (module(runpath="/usr/local/lib64"), module(runpath="$ORIGIN")),
    "rpath-absolute/RPATH": (module(rpath="/home/me/lib:$ORIGIN"), module(rpath="$ORIGIN:$ORIGIN/lib")),
    "rpath-relative": (module(runpath="lib"), module(runpath="$ORIGIN/lib")),
    "rpath-relative/empty": (module(runpath="$ORIGIN:"), module(runpath="${ORIGIN}")),
    "rpath-relative/no token": (module(runpath="$ORIGINAL/lib"), module(runpath="$ORIGIN/al/lib")),
    "rpath-outside": (module(runpath="$ORIGIN/../../lib"), module(runpath="$ORIGIN/../other/lib")),
    "relr-unmarked": (
        module(entries={36: 64}),
        named("demo-1.0-cp311-cp311-manylinux_2_36_x86_64.whl", {MODULE: make_module(entries={36: 64})}),
    ),
    "relr-unmarked/on musl": (
        named("demo-1.0-cp311-cp311-musllinux_1_1_x86_64.whl", {"demo/core.so": make_module(entries={36: 64})}),
        named(MUSL_NAME, {"demo/core.so": make_module(entries={36: 64})}),
    ),
    "segment-refused": (module(align=64), module(align=0x200000)),
    "segment-refused/no segment": (
        Sample({MODULE: make_module(), "demo/x.so": make_object(loaded=False)}),
        Sample({MODULE: make_module(), "demo/x.o.txt": b"text"}),
    ),
    "segment-refused/of another system": (_headed(7, 9), _headed(7, 3)),
    "segment-refused/of another version": (_headed(20, 2), _headed(20, 1)),
    "segment-refused/padding": (_headed(9, 1), _headed(9, 0)),
    "segment-refused/not linked": (
        Sample({MODULE: make_module(), "demo/x.so": _with_byte(make_object(), 16, 1)}),
        Sample({MODULE: make_module(), "demo/x.bin": _with_byte(make_object(), 16, 1)}),
    ),
    "page-size": (on("aarch64", machine=183, align=0x1000), on("aarch64", machine=183, align=0x10000)),
    "page-size/of LoongArch": (
        on("loongarch64", "manylinux_2_38", machine=258, align=0x1000),
        on("loongarch64", "manylinux_2_38", machine=258, align=0x4000),
    ),
    "sections-missing": (module(sections=None), module(sections=[".text"])),
    "program-interpreter": (
        beside(PROGRAM, make_object(program=True, interpreter="/opt/lib/ld-linux.so.2", needed=["libc.so.6"])),
        beside(PROGRAM, make_object(program=True, interpreter=LOADER, needed=["libc.so.6"])),
    ),
    "symbol-undefined": (
        module(needed=["libc.so.6"], undefined=["no_such_function"]),
        module(needed=["libc.so.6"], undefined=["qsort"], weak=["no_such_function"]),
    ),
    "symbol-undefined/the other C++ ABI": (
        Sample(
            {
                MODULE: make_module(
                    needed=["libd.so"], runpath="$ORIGIN", undefined=["_Z1fNSt7__cxx1112basic_stringIcEE"]
                ),
                "demo/libd.so": make_object(exports=["_Z1fSs"]),
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["libd.so"], runpath="$ORIGIN", undefined=["_Z1fSs"]),
                "demo/libd.so": make_object(exports=["_Z1fSs"]),
            }
        ),
    ),
    "symbol-undefined/in a library": (
        Sample(
            {
                MODULE: make_module(needed=["libd.so"], runpath="$ORIGIN"),
                "demo/libd.so": make_object(undefined=["far_away"]),
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["libd.so"], runpath="$ORIGIN"),
                "demo/libd.so": make_object(undefined=["far_away"], needed=["libe.so"], runpath="$ORIGIN"),
                "demo/libe.so": make_object(exports=["far_away"]),
            }
        ),
    ),
    "symbol-undefined/C++ without its library": (
        module(undefined=["_ZNSt6localeC1Ev"]),
        module(needed=["libstdc++.so.6"], undefined=["_ZNSt6localeC1Ev"]),
    ),
    "symbol-undefined/of a newer glibc": (
        module(needed=["libc.so.6"], undefined=["gettid"]),  # glibc has it since 2.30
        Sample(
            {MODULE: make_module(needed=["libc.so.6"], undefined=["gettid"])},
            wheel={"filename": "demo-1.0-cp311-cp311-manylinux_2_30_x86_64.whl"},
        ),
    ),
    "symbol-version-undefined": (
        Sample(
            {
                MODULE: make_module(undefined=["f@DEMO_2"], runpath="$ORIGIN"),
                "demo/libdemo.so": make_object(exports=["f"], defines=["DEMO_1"]),
            }
        ),
        Sample(
            {
                MODULE: make_module(undefined=["f@DEMO_1"], runpath="$ORIGIN"),
                "demo/libdemo.so": make_object(exports=["f"], defines=["DEMO_1"]),
            }
        ),
    ),
    "executable-stack": (module(stack="executable"), module(stack="plain")),
    "executable-stack/by default": (module(stack="absent"), on("aarch64", machine=183, stack="absent")),
    "writable-code": (module(writable_code=True), module()),
    "text-relocations": (module(entries={22: 0}), module(entries={24: 0})),
    "text-relocations/by a flag": (module(bind_now=False, entries={30: 12}), module(bind_now=False, entries={30: 8})),
    "relro-missing": (module(relro=False), module()),
    "bind-now-missing": (module(bind_now=False), module(bind_now=False, entries={0x6FFFFFFB: 1})),
    "static-tls": (module(bind_now=False, entries={30: 24}), module()),
    "isa-level": (module(isa=3), module(isa=1)),
    "isa-level/a variant for older processors": (
        variant("x86_64_v2", level="v2", private=True, isa=7),
        variant("x86_64_v3", level="v3", private=True, isa=7),
    ),
    "isa-level/a variant for any processor": (
        variant("null", private=True, isa=3),
        variant("null", private=True, isa=1),
    ),
    "isa-level/v4": (
        module(isa=15),
        Sample({MODULE: make_module(), "demo/glibc-hwcaps/x86-64-v4/libd.so": make_object(isa=15)}),
    ),
    "wrong-machine/big-endian": (
        on("ppc64le", machine=21, byte_order="big"),
        on("ppc64le", machine=21),
    ),
    "wrong-machine/class": (module(elf_class=32), module(elf_class=64)),
    "wrong-machine/mixed": (
        Sample({MODULE: make_module(), "demo/b.so": make_module("b", machine=3, elf_class=32)}),
        Sample({MODULE: make_module(), "demo/b.so": make_module("b")}),
    ),
    "wrong-libc/musl in manylinux": (
        module(needed=["libc.musl-x86_64.so.1"]),
        module(needed=["libc.so.6"]),
    ),
    "wrong-libc/the loader": (
        beside(PROGRAM, make_object(program=True, interpreter="/lib/ld-musl-x86_64.so.1", needed=["libz.so.1"])),
        beside(PROGRAM, make_object(program=True, interpreter=LOADER, needed=["libz.so.1"])),
    ),
    "elf-broken/cut short": (
        Sample({MODULE: make_module()[:-600]}),
        Sample({MODULE: make_module()}),
    ),
    "elf-broken/cut in its headers": (
        Sample({MODULE: make_module()[:300]}),
        Sample({MODULE: make_module()}),
    ),
}
