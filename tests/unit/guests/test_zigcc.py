"""What zig is given for the options that builds give to gcc."""

from pathlib import Path

import pytest

from factory.guests.zigcc import UnusableError, for_machine, refuse_headers, translated

TARGET = "x86_64-linux-gnu.2.17"
COMPILE = ("-O2", "-c", "a.c")


def given(*arguments: str) -> tuple[list[str], list[str]]:
    """Return what zig is given after its target, and what was left out."""
    left_out = list[str]()
    options = translated(arguments, TARGET, left_out.append)
    assert options[:2] == ["-target", TARGET]
    return options[2:], left_out


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        pytest.param("-march=x86-64-v3", ["-march=x86_64_v3"], id="a level"),
        pytest.param("-march=x86-64", ["-march=x86_64"], id="the first level"),
        pytest.param("-march=haswell", ["-march=haswell"], id="a processor"),
        pytest.param("--target=x86_64-unknown-linux-gnu", [], id="clang's target"),
        pytest.param("-lgcc_s", ["-lunwind"], id="the unwinder"),
        pytest.param("-I/usr/include/eigen3", ["-I/usr/include/eigen3"], id="headers alone"),
        pytest.param("-Wl,-z,relro,-z,now", ["-Wl,-z,relro", "-Wl,-z,now"], id="keywords"),
        pytest.param("-Wl,-rpath,$ORIGIN/lib", ["-Wl,-rpath,$ORIGIN/lib"], id="a search path of the wheel"),
        pytest.param("-Wl,-L/work/lib", ["-L/work/lib"], id="a folder for the linker"),
    ],
)
def test_an_option_is_spelt_as_zig_spells_it(option: str, expected: list[str]) -> None:
    assert given(*COMPILE, option) == ([*COMPILE, *expected], [])


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        pytest.param(["-mtune=generic"], ["-mtune=generic"], id="tuning"),
        pytest.param(["-Wl,-Bsymbolic-functions"], ["-Wl,-Bsymbolic-functions"], id="binding"),
        pytest.param(["-Wl,-z,separate-code"], ["-Wl,-z,separate-code"], id="pages"),
        pytest.param(["-z", "separate-code"], ["-Wl,-z,separate-code"], id="pages, to the driver"),
        pytest.param(["-Wl,--exclude-libs,ALL"], ["-Wl,--exclude-libs,ALL"], id="a value behind a comma"),
        pytest.param(["-Wl,-Map=a.map"], ["-Wl,-Map,a.map"], id="a value behind an equals sign"),
        pytest.param(["-Xlinker", "-Map", "-Xlinker", "a.map"], ["-Wl,-Map,a.map"], id="a value of its own"),
        pytest.param(["-L/usr/lib/x86_64-linux-gnu"], ["-L/usr/lib/x86_64-linux-gnu"], id="the image's libraries"),
        pytest.param(["-isystem", "/usr/include"], ["-isystem/usr/include"], id="the image's headers"),
        pytest.param(["-Wl,-rpath,/opt/_internal/a/lib"], ["-Wl,-rpath,/opt/_internal/a/lib"], id="an interpreter"),
    ],
)
def test_what_is_left_out_is_named(options: list[str], left_out: list[str]) -> None:
    assert given(*COMPILE, *options) == ([*COMPILE], left_out)


@pytest.mark.parametrize("options", [[], ["-O0"], ["-O2", "-Og"]])
def test_code_that_is_not_optimised_gets_no_traps(options: list[str]) -> None:
    assert given("-c", "a.c", *options)[0][0] == "-fno-sanitize=undefined"


def test_what_the_build_itself_sanitizes_is_left_to_it() -> None:
    assert given("-c", "a.c", "-fsanitize=undefined")[0] == ["-c", "a.c", "-fsanitize=undefined"]


def test_a_linked_object_is_stripped_unless_debug_information_is_asked_for() -> None:
    assert given("-O2", "-shared", "a.o")[0] == ["-s", "-O2", "-shared", "a.o"]
    assert given("-O2", "-shared", "-g", "a.o")[0] == ["-O2", "-shared", "-g", "a.o"]
    assert given("-O2", "-shared", "-g0", "a.o")[0] == ["-s", "-O2", "-shared", "-g0", "a.o"]


def test_options_in_a_response_file_are_seen(tmp_path: Path) -> None:
    (tmp_path / "options").write_text("-O2 -c\n'a b.c' -mtune=native\n")

    assert given(f"@{tmp_path / 'options'}") == (["-O2", "-c", "a b.c"], ["-mtune=native"])


def test_openmp_is_refused_by_name() -> None:
    with pytest.raises(UnusableError, match="no OpenMP"):
        given(*COMPILE, "-fopenmp")


def test_arm_has_no_neon() -> None:
    assert translated(COMPILE, "arm-linux-gnueabihf.2.17", print)[2] == "-mcpu=generic+v7a+vfp3d16"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["-I/opt/_internal/trixie/include/python3.13"], ["-I/headers"], id="joined"),
        pytest.param(["-isystem", "/opt/python/cp39-cp39/include/python3.9/"], ["-isystem", "/headers"], id="apart"),
        pytest.param(["-I/opt/python/pp311/include/pypy3.11"], ["-I/headers"], id="PyPy"),
        pytest.param(["-I/work/source/include/python3.13"], ["-I/work/source/include/python3.13"], id="the source's"),
        pytest.param(["-I/opt/rh/include"], ["-I/opt/rh/include"], id="no Python's"),
    ],
)
def test_a_machines_headers_take_the_place_of_the_images(arguments: list[str], expected: list[str]) -> None:
    assert list(for_machine(arguments, "/headers")) == expected


def install(site: Path, name: str, *, purelib: str) -> str:
    (info := site / f"{name}-1.0.dist-info").mkdir(parents=True)
    (info / "RECORD").write_text(f"{name}/include/{name}.h,,\n")
    (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nRoot-Is-Purelib: {purelib}\n")
    return f"-I{site}/{name}/include"


def test_headers_of_wheels_for_one_machine_are_refused(tmp_path: Path) -> None:
    site = tmp_path / "lib/python3.13/site-packages"
    sized, pure = install(site, "sized", purelib="false"), install(site, "pure", purelib="true")

    refuse_headers(["-c", "a.c", pure, "-I/work/source"])
    with pytest.raises(UnusableError, match="the headers of sized were made for another machine"):
        refuse_headers(["-c", "a.c", pure, sized])


def test_a_hash_table_that_zig_writes_wrongly_is_left_out() -> None:
    linking, compiling = (translated(given, "s390x-linux-gnu.2.17", print) for given in (["-O2", "a.o"], COMPILE))

    assert "-Wl,--hash-style=gnu" in linking
    assert "-Wl,--hash-style=gnu" not in compiling
