"""What a trial loads, imports and starts, read from a wheel."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from factory.audit import Expectation, audit
from factory.catalogue import Waiver
from factory.recipe import model
from factory.tags import Interpreter
from factory.trials.subjects import Subjects, Wanted, loadable, subjects, tolerated_members, waived_members
from factory.wheel import Wheel, read_wheel
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import make_wheel

CP313 = Interpreter(13)
LOADER = "/lib64/ld-linux-x86-64.so.2"


def make(
    folder: Path, files: Mapping[str, bytes], filename: str = "demo-1.0-py3-none-manylinux_2_31_x86_64.whl"
) -> Wheel:
    return read_wheel(make_wheel(folder, files, filename=filename))


def about(
    wheel: Wheel,
    *waivers: Waiver,
    modules: tuple[str, ...] = (),
    test: model.TestSpec | None = None,
    interpreter: Interpreter = CP313,
) -> Subjects:
    verdict = audit(wheel, Expectation(waivers=waivers), date(2026, 1, 1))
    wanted = Wanted.of(model.AuditSpec(modules=modules), test or model.TestSpec())
    return subjects(wheel, waived_members(verdict), wanted, interpreter)


def test_every_extension_module_is_imported_whatever_the_recipe_names(tmp_path: Path) -> None:
    wheel = make(tmp_path, {f"demo/{name}.abi3.so": make_module(name) for name in ("core", "extra")})

    found = about(wheel, modules=("demo.core",), test=model.TestSpec(imports=("demo",), run=("true",)))

    assert found.modules == ("demo.core", "demo.extra", "demo")
    assert found.extensions == ("demo.core", "demo.extra")


def test_what_is_for_another_interpreter_is_left_alone(tmp_path: Path) -> None:
    suffixes = ("cpython-39-x86_64-linux-gnu", "cpython-313-x86_64-linux-gnu", "cpython-313t-x86_64-linux-gnu", "abi3")
    wheel = make(tmp_path, {f"m{index}.{suffix}.so": make_module(f"m{index}") for index, suffix in enumerate(suffixes)})

    assert about(wheel).modules == ("m1", "m3")
    assert about(wheel, interpreter=Interpreter(13, free_threaded=True)).modules == ("m2",)
    assert about(wheel, interpreter=Interpreter(9)).libraries == (f"m0.{suffixes[0]}.so", "m3.abi3.so")


def test_a_library_without_an_init_function_is_loaded_and_not_imported(tmp_path: Path) -> None:
    wheel = make(tmp_path, {"demo/plain.so": make_object(), "demo.libs/libx-1a2b3c4d.so.1": make_object()})

    found = about(wheel)

    assert found.modules == ()
    assert set(found.libraries) == {"demo/plain.so", "demo.libs/libx-1a2b3c4d.so.1"}


def test_programs_are_linked_by_their_own_loader_and_started_by_name(tmp_path: Path) -> None:
    tool = make_object(program=True, interpreter=LOADER)
    static = make_object(program=True)
    texts = {"demo-1.0.data/scripts/helper": b"#!/bin/sh\n"}
    programs = {"demo-1.0.data/scripts/tool": tool, "demo/bin/inner": tool, "demo-1.0.data/scripts/static": static}
    wheel = make(tmp_path, programs | texts)

    found = about(wheel)

    assert found.programs == (("demo-1.0.data/scripts/tool", LOADER), ("demo/bin/inner", LOADER))
    assert found.commands == ("helper", "static", "tool")
    assert found.natives == ("static", "tool")
    assert loadable(wheel) == ("demo-1.0.data/scripts/tool", "demo/bin/inner")


@pytest.mark.parametrize(
    ("extras", "commands", "notes"),
    [
        ((), ("demo",), ("demo-fast is not started: it is for the extra fast",)),
        (("fast",), ("demo", "demo-fast"), ()),
    ],
)
def test_an_entry_point_of_an_extra_is_started_where_that_is_installed(
    tmp_path: Path, extras: tuple[str, ...], commands: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    entries = b"[console_scripts]\ndemo = demo:main\ndemo-fast = demo:main [fast]\n[gui_scripts]\nwindow = demo:main\n"
    wheel = make(tmp_path, {"demo/__init__.py": b"", "demo-1.0.dist-info/entry_points.txt": entries})

    found = about(wheel, test=model.TestSpec(extras=extras))

    assert (found.commands, found.notes) == (commands, notes)


def test_what_loads_an_object_with_a_waived_error_is_tolerated(tmp_path: Path) -> None:
    files = {
        "demo/core.abi3.so": make_module("core", needed=["libx-1a2b3c4d.so"], runpath="$ORIGIN/../demo.libs"),
        "demo/other.abi3.so": make_module("other"),
        "demo.libs/libx-1a2b3c4d.so": make_object(needed=["libcuda.so.1"], soname="libx-1a2b3c4d.so"),
    }
    wheel, waiver = make(tmp_path, files), Waiver(rule="library-missing", reason="the driver brings it")

    waived, plain = about(wheel, waiver), about(wheel)

    assert waived.tolerated == {"demo/core.abi3.so", "demo.libs/libx-1a2b3c4d.so", "demo.core"}
    assert about(wheel, waiver, test=model.TestSpec(imports=("demo.core",))).tolerated == waived.tolerated - {
        "demo.core"
    }
    assert plain.tolerated == frozenset()


def test_a_waived_warning_tolerates_nothing(tmp_path: Path) -> None:
    wheel = make(tmp_path, {"demo/core.abi3.so": make_module("core", relro=False)})
    verdict = audit(wheel, Expectation(waivers=(Waiver(rule="relro-missing", reason="old"),)), date(2026, 1, 1))

    assert any(finding.waived for finding in verdict.findings)
    assert tolerated_members(wheel, waived_members(verdict)) == frozenset()


def test_modules_that_the_recipe_leaves_out_are_named(tmp_path: Path) -> None:
    wheel = make(tmp_path, {f"demo/{name}.abi3.so": make_module(name) for name in ("core", "_gui")})

    found = about(wheel, test=model.TestSpec(unimported=("demo._g*", "no.such")))

    assert found.modules == ("demo.core",)
    assert found.notes == (
        "demo._gui is not imported: the recipe leaves it out (test.unimported)",
        "test.unimported names no.such, which no extension module matches",
    )
