"""What cibuildwheel runs before a build, as fields of a recipe, or the reason why it cannot run there."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from factory.init.commands import foreign_manager, in_tree, parts, pip_installs, split, system_packages
from factory.init.ground import Ground, Reader
from factory.init.model import Carried, Entry, Left
from factory.init.reach import REQUIRES, RUST, needs, only_prints
from factory.init.scripts import called_script, installed_in

_RUNS_AS_ROOT = (
    "build.before-all was copied from the project: `factory build` runs it as root, with network, in a container of "
    "the build image, once for each image. Read it before you build."
)


def _before_all(ground: Ground, option: str) -> Iterator[Carried]:
    """Yield build.before-all. Its commands build on each other: without one of them, the others are left out too."""
    kept, broken = [], False
    for command in parts(ground.settings.lines(option)):
        packages = system_packages(command)
        if packages is not None:
            yield from _system(ground, option, packages)
        elif only_prints(command):
            yield Left(what=f"{ground.at(option)}: {command}", why="it only prints")
        elif why := _not_before_all(ground, command):
            broken = True
            yield from _installed(ground, option, command)
            yield Left(what=f"{ground.at(option)}: {command}", why=why)
        else:
            kept.append(command)
    if kept:
        yield from _kept(ground, option, " && ".join(kept), broken=broken)


def _before_build(ground: Ground, option: str) -> Iterator[Carried]:
    isolated = not re.search(r"--no-(build-)?isolation", str(ground.settings.options.get("build-frontend")))
    for command in parts(ground.settings.lines(option)):
        words, packages = pip_installs(command), system_packages(command)
        if packages is not None:
            yield from _system(ground, option, packages)
        elif words is None:
            yield from _before(ground, option, command)
        elif isolated:
            yield Left(
                what=f"{ground.at(option)}: {command}", why="builds are isolated: list what they need in build.requires"
            )
        else:
            yield from ground.wanted.asked_for(("build", "requires"), words, ground.at(option))


def _kept(ground: Ground, option: str, command: str, *, broken: bool) -> Iterator[Carried]:
    if broken:
        yield Left(
            what=f"{ground.at(option)}: {command}", why="other commands of it, on which it may rest, are left out"
        )
    else:
        yield Entry(field=("build", "before-all"), value=command, why=ground.at(option), caution=_RUNS_AS_ROOT)


def _not_before_all(ground: Ground, command: str) -> str:
    """Return why a command cannot be a line of build.before-all, "" where it can."""
    if _names_the_source(ground, command):
        return (
            "build.before-all runs without the source; what needs it goes into build.before, offline and without root"
        )
    if manager := foreign_manager(command):
        return (
            f"images of Debian have no {manager}: list the packages under build.system, and put the rest under "
            "build.before-all"
        )
    needed = [need for need in needs(command) if need.instead in (REQUIRES, RUST)]
    return f"no build sees what {needed[0].program} installs there: {needed[0].instead}" if needed else ""


def _names_the_source(ground: Ground, command: str) -> bool:
    words = split(command) or command.split()
    return any(
        re.search(r"\{(project|package)\}|^[\w.-]+/", word) or ground.files.size(word) is not None for word in words
    )


def _before(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    """Yield a line of build.before, unless it cannot work offline and without root."""
    script = called_script(ground.files, command)
    needed = [*needs(command), *(script.needs() if script is not None else ())]
    if only_prints(command):
        yield Left(what=f"{ground.at(option)}: {command}", why="it only prints")
    elif needed:
        yield from _installed(ground, option, command)
        where = f"{script.path} calls" if script is not None else "it calls"
        why = f"build.before has no network and no root, and {where} {needed[0].program}: {needed[0].instead}"
        yield Left(what=f"{ground.at(option)}: {command}", why=why)
    else:
        yield Entry(field=("build", "before"), value=(in_tree(command, ground.folder),), why=ground.at(option))


def _installed(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    """Yield the system packages that a command installs somewhere in it, or in the script that it calls."""
    packages = dict(installed_in(command))
    script = called_script(ground.files, command)
    if script is not None:
        packages |= script.system_packages()
    yield from _system(ground, option, packages, "" if script is None else script.path)


def _system(
    ground: Ground, option: str, packages: Mapping[str, tuple[str, ...]], script: str = ""
) -> Iterator[Carried]:
    why = f"{ground.at(option)}{f': {script}' if script else ''}"
    for manager, names in packages.items():
        yield Entry(field=("build", "system", manager), value=names, why=why)


READERS: Mapping[str, Reader] = MappingProxyType({"before-all": _before_all, "before-build": _before_build})
