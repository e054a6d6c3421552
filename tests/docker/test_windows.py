"""Wheels for Windows from Linux: the gate judges what mingw-w64 linked, and wine loads it."""

from pathlib import Path

import pytest

from factory.audit.windows_libraries import system_libraries
from factory.wheel import read_wheel
from tests.docker.command import Command
from tests.docker.rust_projects import PYO3_FFI, ffi_module, make_maturin_project

# Rust's standard library is compiled for Windows, and images with mingw-w64 and wine are made: some minutes.
pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

RECIPE = Path(__file__).parents[2] / "recipes/nh3-windows.yaml"
UNTRIED = {"untried": "allow"}
UNLOCKED = {"locked": False}


def needs(command: Command, wheel: str, member: str) -> set[str]:
    """Return what a module needs besides Windows' own libraries."""
    file = read_wheel(command.folder / "dist" / wheel).pe_files[member]
    return {name.lower() for name in file.needed if name.lower() not in system_libraries() and "-ms-win-" not in name}


def test_crates_ask_windows_and_their_python_alone_and_are_loaded_by_wine(command: Command) -> None:
    crate = make_maturin_project("perversion", cargo=PYO3_FFI % ("0.29", ""), code=ffi_module("perversion"))
    stable = make_maturin_project("stable", cargo=PYO3_FFI % ("0.29", '"abi3-py39"'), code=ffi_module("stable"))
    windows = ["win_amd64"]

    ran = command.build(
        command.recipe(crate, platforms=windows, build=UNLOCKED, test=UNTRIED),
        command.recipe(stable, platforms=windows, build=UNLOCKED, test=UNTRIED, abi3="cp39"),
    )

    assert ran.code == 0, ran.stderr
    for name in ("perversion", "stable"):
        assert not [line for line in ran.log(name, "load").splitlines() if line.startswith("note: ")]
    per_version, abi3 = "perversion-1.0-cp313-cp313-win_amd64.whl", "stable-1.0-cp39-abi3-win_amd64.whl"
    assert command.wheels == {per_version, abi3}
    assert needs(command, per_version, "perversion/perversion.cp313-win_amd64.pyd") == {"python313.dll"}
    assert needs(command, abi3, "stable/stable.pyd") == {"python3.dll"}
    assert "there is no Windows here" in ran.stderr


def test_the_recipe_of_nh3_for_windows_builds_it(command: Command) -> None:
    ran = command.build(RECIPE)

    assert ran.code == 0, ran.stderr
    assert needs(command, "nh3-0.3.7-cp38-abi3-win_amd64.whl", "nh3/nh3.pyd") == {"python3.dll"}
