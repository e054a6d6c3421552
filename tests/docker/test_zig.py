"""Wheels for a glibc that is older than every image's, or for another machine, compiled and linked by zig."""

import shutil

import pytest

from tests.docker.command import Command, Ran
from tests.docker.projects import C_MODULE, SIZES, make_c_project, make_rust_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

OLD = "manylinux_2_17_x86_64"
FAR = "manylinux_2_17_aarch64"
OTHERS = ("manylinux_2_17_armv7l", "manylinux_2_24_ppc64le", "manylinux_2_17_s390x")
NEWER = "extra_link_args=['-Wl,-Bsymbolic-functions', '-Wl,--as-needed'], extra_compile_args=['-mtune=generic']"
GETTID = "#define _GNU_SOURCE\n#include <unistd.h>\n"  # declared since glibc 2.30


@pytest.fixture(scope="module")
def ran(workshop: Command, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    answers = {"run": "python -c 'import old; assert old.answer() == 42'"}
    recipes = (
        workshop.recipe(make_c_project("old", extension=NEWER), platforms=(OLD,), test=answers),
        workshop.recipe(make_rust_project("rusty"), platforms=(OLD,)),
        workshop.recipe(
            make_c_project(
                "newest", code=GETTID + C_MODULE.replace("PyLong_FromLong(42)", "PyLong_FromLong(gettid())")
            ),
            platforms=(OLD,),
        ),
        workshop.recipe(
            make_c_project("sized", code=SIZES + C_MODULE),
            interpreters=("cp39", "cp313"),
            platforms=OTHERS,
            test={"untried": "allow"},
        ),
        workshop.recipe(make_c_project("far"), interpreters=("cp39",), platforms=(FAR,), test={"untried": "allow"}),
    )
    for name in ("git", "mmdebstrap", "sh"):
        (tmp_path_factory.getbasetemp() / name).symlink_to(shutil.which(name) or "")
    return workshop.build(*recipes, env={"PATH": str(tmp_path_factory.getbasetemp())})  # no emulator is there


def test_c_and_rust_come_out_for_a_glibc_that_no_image_has(ran: Ran, workshop: Command) -> None:
    verdicts = [ran.records[name].after for name in ("old", "rusty")]

    assert [verdict.passed for verdict in verdicts if verdict is not None] == [True, True], ran.stderr
    # auditwheel adds the older name of the same platform.
    tag = f"cp313-cp313-manylinux2014_x86_64.{OLD}"
    assert {f"old-1.0-{tag}.whl", f"rusty-1.0-{tag}.whl"} <= workshop.wheels


def test_what_is_left_out_for_zig_is_in_the_log(ran: Ran) -> None:
    assert "note: left out for zig: -Wl,-Bsymbolic-functions" in ran.log("old", "build")


def test_a_function_of_a_newer_glibc_is_refused(ran: Ran) -> None:
    assert "gettid" in ran.failure("newest").message


def test_another_machines_wheel_is_judged_and_without_an_emulator_untried_for_that_reason(
    ran: Ran, workshop: Command
) -> None:
    record = ran.records["far"]

    (trial,) = record.trials
    reason = "no qemu-user for aarch64 is on PATH: apt-get install qemu-user-static"
    assert (record.status, trial.outcome, trial.reason) == ("passed", "untried", reason), ran.stderr
    assert f"not tried: far/cp39-cp39-{FAR}: cp39: {reason}" in ran.stderr
    assert f"far-1.0-cp39-cp39-manylinux2014_aarch64.{FAR}.whl" in workshop.wheels


def test_pythons_headers_say_the_sizes_and_the_byte_order_of_another_machine(ran: Ran) -> None:
    records = [record for address, record in ran.records.items() if address.startswith("sized/")]

    assert [record.status for record in records] == ["passed"] * 2 * len(OTHERS), ran.stderr
