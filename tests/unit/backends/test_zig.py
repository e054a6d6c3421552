"""What builds by zig are told of the target."""

from factory.backends.environment import build_env
from factory.backends.settings import config_settings
from factory.backends.zig import headers_step
from factory.recipe.model import BuildSpec
from factory.tags import Interpreter, PlatformTag
from tests.makers.plans import make_project

CRATE = make_project(backend="maturin", crate=True)


def env(platform: str, *, crate: bool = True, interpreter: str = "cp313") -> dict[str, str]:
    project = CRATE if crate else make_project()
    zig_for = PlatformTag.parse(platform)
    return dict(build_env(BuildSpec(), project, Interpreter.parse(interpreter), epoch_s=1, zig_for=zig_for))


def test_the_glibc_of_the_platform_is_the_target() -> None:
    told = env("manylinux_2_17_x86_64")

    assert told["ZIG_TARGET"] == "x86_64-linux-gnu.2.17"
    assert told["CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"] == told["CC"] == "/zig/bin/cc"
    assert told["LDSHARED"] == "/zig/bin/cc -shared"


def test_a_build_for_this_machine_is_told_of_no_other() -> None:
    assert {"_PYTHON_HOST_PLATFORM", "CARGO_BUILD_TARGET", "SETUPTOOLS_EXT_SUFFIX", "ZIG_HEADERS"}.isdisjoint(
        env("manylinux_2_17_x86_64")
    )


def test_a_foreign_build_is_told_of_its_machine() -> None:
    told = env("manylinux_2_17_armv7l", interpreter="cp314t")

    assert told["CARGO_BUILD_TARGET"] == "armv7-unknown-linux-gnueabihf"
    assert told["CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER"] == "/zig/bin/cc"
    assert told["PYO3_CROSS_PYTHON_VERSION"] == "3.14t"
    assert told["SETUPTOOLS_EXT_SUFFIX"] == ".cpython-314t-arm-linux-gnueabihf.so"
    assert told["HOST_CC"] == "cc", "build scripts run on this machine"
    assert told["ZIG_HEADERS"] == "/work/headers"


def test_another_machine_gets_headers_of_python_from_the_interpreter_that_builds() -> None:
    here, there = (
        headers_step(PlatformTag.parse(name), Interpreter(13), {}, "x86_64")
        for name in ("musllinux_1_2_x86_64", "manylinux_2_17_armv7l")
    )

    assert here is None
    assert there is not None
    assert there.argv[0] == "/opt/python/cp313-cp313/bin/python"
    assert there.argv[-2:] == ("/work/headers", "/zig/include/pyconfig.h")


def test_a_build_for_musl_links_it_under_the_distributions_name() -> None:
    told = env("musllinux_1_2_x86_64", crate=False)

    assert told["ZIG_TARGET"] == "x86_64-linux-musl"
    assert (told["CC"], told["LDCXXSHARED"]) == ("/musl/bin/cc", "/musl/bin/c++ -shared")
    assert told["MUSL_SONAME"] == "libc.musl-x86_64.so.1"
    assert told["SETUPTOOLS_EXT_SUFFIX"] == ".cpython-313-x86_64-linux-musl.so"


def test_interpreters_before_3_11_have_glibcs_name_on_musl_too() -> None:
    told = env("musllinux_1_2_aarch64", interpreter="cp310")

    assert told["SETUPTOOLS_EXT_SUFFIX"] == ".cpython-310-aarch64-linux-gnu.so"


def test_rust_links_musl_as_a_shared_library() -> None:
    told = env("musllinux_1_2_x86_64")

    assert told["CARGO_BUILD_TARGET"] == "x86_64-unknown-linux-musl"
    assert told["CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS"] == "-C target-feature=-crt-static"
    assert told["CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER"] == "/musl/bin/cc"


def test_cargo_is_not_spoken_of_where_there_is_no_crate() -> None:
    told = env("manylinux_2_17_aarch64", crate=False)

    assert told["_PYTHON_HOST_PLATFORM"] == "linux-aarch64"
    assert not [name for name in told if name.startswith(("CARGO_BUILD", "CARGO_TARGET", "PYO3"))]


def test_maturin_is_given_a_name_in_place_of_an_interpreter_that_is_not_here() -> None:
    settings = config_settings(BuildSpec(), CRATE, None, cross=Interpreter(13))

    assert settings["build-args"] == ["-i", "python3.13"]
