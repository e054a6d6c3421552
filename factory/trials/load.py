"""The commands in which an image's own loader resolves every object of a wheel."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from factory.guests import program
from factory.steps import WHEELHOUSE, WORK, Step, search_path
from factory.tags import PlatformTag
from factory.trials.subjects import WindowsModule

_UNPACKED = "unpacked"
_TIMEOUT_S = 300


def load_steps(
    wheel: str,
    objects: Sequence[str],
    python: PurePosixPath,
    *,
    folder: PurePosixPath = WORK,
    platform: PlatformTag | None = None,
    emulated: bool = False,
    excluded: Sequence[str] = (),
    tolerated: Collection[str] = (),
) -> tuple[Step, ...]:
    """Return the steps in which an image's own loader resolves every object of a wheel, each with all it needs.

    `python` unpacks it in the `folder` below which it lies in a wheelhouse, and asks the loader.
    `platform` is the image's; where it is `emulated`, another machine's userland has the loader.
    A library that is not found is no failure if it matches a glob of `excluded`: the user's system has it.
    An object that is `tolerated` has a finding that the recipe waives.
    """
    asking = program(_program_for(platform, emulated=emulated))
    paths = [str(folder / _UNPACKED / name) for name in objects]
    forgiven = [str(folder / _UNPACKED / name) for name in objects if name in tolerated]
    argv = (str(python), "-I", "-c", asking, " ".join(excluded), "\n".join(forgiven), *paths)
    return (_unpack(wheel, python, folder), _step("load", argv))


def windows_steps(
    wheel: str,
    modules: Mapping[str, WindowsModule],
    python: PurePosixPath,
    *,
    excluded: Sequence[str] = (),
    tolerated: Collection[str] = (),
) -> tuple[Step, ...]:
    """Return the steps in which Windows' loader, for which wine stands, loads every module of a wheel."""
    order = {
        str(WORK / _UNPACKED / path): {
            "exports": module.exports,
            "python": module.python,
            "tolerated": path in tolerated,
        }
        for path, module in modules.items()
    }
    asking = (program("load_windows.py"), " ".join(excluded), json.dumps(order, sort_keys=True))
    return (_unpack(wheel, python, WORK), _step("load", (str(python), "-I", "-c", *asking)))


def _unpack(wheel: str, python: PurePosixPath, folder: PurePosixPath) -> Step:
    lies, to = folder / WHEELHOUSE.name / wheel, folder / _UNPACKED
    return _step("unpack", (str(python), "-I", "-m", "zipfile", "-e", str(lies), str(to)))


def _step(name: Literal["unpack", "load"], argv: tuple[str, ...]) -> Step:
    env = MappingProxyType({"PATH": search_path(), "LC_ALL": "C.UTF-8"})
    return Step(name=name, argv=argv, env=env, phase="trial", timeout_s=_TIMEOUT_S)


def _program_for(platform: PlatformTag | None, *, emulated: bool) -> str:
    if platform is not None and platform.libc == "musl":
        return "load_musl.py"
    return "load_foreign.py" if emulated else "load.py"
