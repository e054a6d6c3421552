"""What a trial loads, imports and starts, derived from the wheel and the gate's judgement."""

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from factory.audit import Audit
from factory.audit.closure import link
from factory.audit.modules import ModuleFile, module_files
from factory.catalogue import Severity
from factory.pe.pe_file import PeFile
from factory.recipe.model import AuditSpec, TestSpec
from factory.tags import Interpreter
from factory.trials.stubs import stubbed
from factory.wheel import Wheel

_PYTHON_DLL = re.compile(r"python3[0-9]{0,2}t?\.dll")
_SUFFIXES = ("", "abi3", "abi3t")
_SCRIPTS_DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """What one trial of a wheel is about.

    `libraries` and `programs` are members of the wheel with an object inside, programs with the path of their loader.
    `modules` are imported; those among them that are `extensions` must come from an object, and the recipe itself has
    `named` some. `commands` are started by name, `natives` among them are objects. Of what is `stubbed` there
    are stubs. What is `tolerated`, a member or a
    module, has a finding that the recipe waives, so a failure of it is only a note; `notes` say what is left out.
    """

    libraries: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    modules: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    stubbed: tuple[str, ...] = ()
    tolerated: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a recipe decides what a trial loads, imports and starts: fields of its `audit` and its `test`."""

    modules: tuple[str, ...] = ()
    guessed_modules: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    unimported: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    @classmethod
    def of(cls, audit: AuditSpec, test: TestSpec) -> Self:
        """Take it from a recipe."""
        return cls(
            modules=audit.modules,
            guessed_modules=audit.guessed_modules,
            imports=test.imports,
            unimported=test.unimported,
            extras=tuple(test.extras),
        )


def waived_members(verdict: Audit) -> frozenset[str]:
    """Return the subjects of errors that the recipe waives."""
    errors = (finding for finding in verdict.findings if finding.severity is Severity.ERROR)
    return frozenset(finding.subject for finding in errors if finding.waived is not None and finding.subject)


def tolerated_members(wheel: Wheel, waived: AbstractSet[str]) -> frozenset[str]:
    """Return every object with a waived error, and all that load one of them."""
    objects = {subject for subject in waived if subject in wheel.objects}
    return frozenset({*objects, *link(wheel).ways_to(objects)})


def loadable(wheel: Wheel) -> tuple[str, ...]:
    """Return the members that a dynamic loader could take: no static program, no object file, no GPU's code."""
    return tuple(
        path
        for path, shared in sorted(wheel.objects.items())
        if shared.kind in ("library", "program") and shared.needs_a_loader
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsModule:
    """What loads a module or library for Windows asks it for, and what it asks of each library of Python."""

    exports: tuple[str, ...]
    python: Mapping[str, tuple[str, ...]]


def windows_modules(wheel: Wheel) -> Mapping[str, WindowsModule]:
    """Return the members that Windows' loader could be asked for something: its init function, else any name."""
    return {
        path: WindowsModule(exports=_asked_for(file), python=_pythons(file))
        for path, file in sorted(wheel.pe_files.items())
        if file.is_library and file.exports
    }


def _asked_for(file: PeFile) -> tuple[str, ...]:
    return tuple(sorted(name for name in file.exports if name.startswith("PyInit_"))) or (min(file.exports),)


def _pythons(file: PeFile) -> Mapping[str, tuple[str, ...]]:
    libraries = sorted({symbol.library for symbol in file.undefined if _PYTHON_DLL.fullmatch(symbol.library.lower())})
    return {
        library: tuple(sorted(symbol.name for symbol in file.undefined if symbol.library == library))
        for library in libraries
    }


def subjects(wheel: Wheel, waived: AbstractSet[str], wanted: Wanted, interpreter: Interpreter) -> Subjects:
    """Return what a trial on an interpreter loads, imports and starts; `waived` has what `waived_members` returns.

    A module for another interpreter is left out, and so is an entry point of an extra that is not installed.
    """
    files = module_files(wheel)
    foreign = _foreign(files, interpreter)
    loaded = [path for path in loadable(wheel) if path not in foreign]
    paths = {file.name: file.path for file in files if file.path not in foreign and _is_importable(file, wheel)}
    left_out = {name for glob in wanted.unimported for name in paths if fnmatchcase(name, glob)}
    extensions = sorted({*wanted.modules, *paths} - left_out)
    members = tolerated_members(wheel, waived)
    commands, notes = _commands(wheel, wanted)
    return Subjects(
        libraries=tuple(path for path in loaded if wheel.objects[path].kind == "library"),
        programs=tuple(_programs(wheel, loaded)),
        modules=tuple(dict.fromkeys([*extensions, *wanted.imports])),
        extensions=tuple(extensions),
        named=_named(wanted, paths),
        commands=commands,
        natives=tuple(_natives(wheel, commands)),
        stubbed=stubbed(wheel.members),
        tolerated=members | (_names_of(members, paths) - {*wanted.imports}),
        notes=(*notes, *_left_out(left_out, wanted)),
    )


def _named(wanted: Wanted, paths: Container[str]) -> tuple[str, ...]:
    """Return what the recipe names; of guesses those that are there."""
    guessed = (name for name in wanted.guessed_modules if name in paths)
    return tuple(dict.fromkeys([*wanted.modules, *guessed, *wanted.imports]))


def _foreign(files: Iterable[ModuleFile], interpreter: Interpreter) -> frozenset[str]:
    return frozenset(file.path for file in files if not _suits(file, interpreter))


def _suits(file: ModuleFile, interpreter: Interpreter) -> bool:
    own = f"cpython-3{interpreter.minor}{'t' if interpreter.free_threaded else ''}"
    return file.tag == own or (file.tag in _SUFFIXES and not (interpreter.free_threaded and file.tag == "abi3"))


def _is_importable(file: ModuleFile, wheel: Wheel) -> bool:
    """Whether an import statement could name the module, and the object has an init function."""
    return file.is_nameable and file.is_importable(wheel)


def _programs(wheel: Wheel, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each program that names a loader, with that loader's path."""
    for path in paths:
        shared = wheel.objects[path]
        if shared.kind == "program" and shared.interpreter:
            yield path, shared.interpreter


def _natives(wheel: Wheel, commands: Iterable[str]) -> Iterator[str]:
    for name in commands:
        if _script(wheel, name) in wheel.objects:
            yield name


def _names_of(members: Container[str], paths: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, path in paths.items() if path in members)


def _left_out(left_out: Collection[str], wanted: Wanted) -> Iterator[str]:
    for name in sorted(left_out):
        yield f"{name} is not imported: the recipe leaves it out (test.unimported)"
    for glob in wanted.unimported:
        if not any(fnmatchcase(name, glob) for name in left_out):
            yield f"test.unimported names {glob}, which no extension module matches"


def _commands(wheel: Wheel, wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the programs that an installer puts on PATH, and why some of them are not started."""
    names, notes = dict[str, None](), []
    for group, name, value in wheel.entry_points:
        listed = value.partition("[")[2].partition("]")[0].split(",")
        extras = {extra.strip() for extra in listed} - {""}
        if group == "console_scripts" and extras <= set(wanted.extras):
            names[name] = None
        elif group == "console_scripts":
            notes.append(f"{name} is not started: it is for the extra {', '.join(sorted(extras))}")
    names |= {parts[2]: None for member in wheel.members if (parts := _script_parts(member))}
    return tuple(sorted(names)), tuple(notes)


def _script_parts(member: str) -> list[str] | None:
    parts = member.split("/")
    is_script = len(parts) == _SCRIPTS_DEPTH and parts[0].endswith(".data") and parts[1] == "scripts"
    return parts if is_script and parts[2] else None


def _script(wheel: Wheel, name: str) -> str | None:
    return next((member for member in wheel.members if (parts := _script_parts(member)) and parts[2] == name), None)
