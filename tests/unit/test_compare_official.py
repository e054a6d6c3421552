"""What counts as the same in two wheels of one release that were made in two images."""

from pathlib import Path

from bench.compare_official import differences, traits
from factory.wheel import Wheel, read_wheel
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import make_wheel


def made(folder: Path, *, library: str, of_library: str, also: str = "") -> Wheel:
    """Make a wheel whose module needs a grafted library, which needs another, and maybe one more."""
    folder.mkdir()
    needed = [library, "libc.so.6", *([also] if also else [])]
    files = {
        "demo/core.so": make_module(needed=needed, runpath="$ORIGIN/../demo.libs"),
        f"demo.libs/{library}": make_object(soname=library, needed=[of_library]),
    }
    return read_wheel(make_wheel(folder, files))


def test_a_distributions_library_may_be_another_release_of_one_interface(tmp_path: Path) -> None:
    here = made(tmp_path / "a", library="libpq-37e301e2.so.5.13", of_library="libssl-f39abf7f.so.1.1")
    there = made(tmp_path / "b", library="libpq-9b38f5e3.so.5.17", of_library="libssl-0a1b2c3d.so.3")

    assert differences(traits(here), traits(there)) == ()


def test_another_interface_and_another_library_are_differences(tmp_path: Path) -> None:
    here = made(tmp_path / "a", library="libpq-37e301e2.so.5.13", of_library="libm.so.6")
    newer = made(tmp_path / "b", library="libpq-9b38f5e3.so.6.0", of_library="libm.so.6")
    more = made(tmp_path / "c", library="libpq-37e301e2.so.5.13", of_library="libm.so.6", also="libstdc++.so.6")

    assert [(one.trait, one.here, one.official) for one in differences(traits(here), traits(newer))] == [
        ("needed", "demo/core.so needs libpq.so.5", "demo/core.so needs libpq.so.6")
    ]
    assert [one.trait for one in differences(traits(here), traits(more))] == ["needed"]
