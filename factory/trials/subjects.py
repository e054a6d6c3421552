"""What a trial loads, imports and starts: read from the wheel, and from what the gate said of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from factory.audit import Audit
from factory.audit.closure import link
from factory.audit.modules import ModuleFile, module_files
from factory.catalogue import Severity
from factory.recipe.model import AuditSpec, TestSpec
from factory.tags import Interpreter
from factory.wheel import Wheel

_SUFFIXES = ("", "abi3", "abi3t")
_SCRIPTS_DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """What one trial of a wheel is about.

    `libraries` and `programs` are members of the wheel with an object inside, programs with the path of their loader.
    `modules` are imported; those among them that are `extensions` must come from an object, and the recipe itself has
    `named` some. `commands` are started by name, `natives` among them are objects. What is `tolerated`, a member or a
    module, has a finding that the recipe waives, so that its failure is worth a note; `notes` say what is left out.
    """

    libraries: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    modules: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    tolerated: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def tolerated_members(wheel: Wheel, verdict: Audit) -> frozenset[str]:
    """Return every object with a waived error, and all that load one of them."""
    waived = {
        each.subject
        for each in verdict.findings
        if each.waived is not None and each.severity is Severity.ERROR and each.subject in wheel.objects
    }
    return frozenset({*waived, *link(wheel).ways_to(waived)})


def loadable(wheel: Wheel) -> tuple[str, ...]:
    """Return the members that a dynamic loader could take: no static program, no object file, no GPU's code."""
    return tuple(
        path
        for path, shared in sorted(wheel.objects.items())
        if shared.kind in ("library", "program") and shared.needs_a_loader
    )


def subjects(wheel: Wheel, verdict: Audit, expected: AuditSpec, test: TestSpec, interpreter: Interpreter) -> Subjects:
    """Say what a trial on an interpreter loads, imports and starts.

    A module that is for another interpreter is left alone, and an entry point of an extra that is not installed.
    """
    files = module_files(wheel)
    foreign = {file.path for file in files if not _suits(file, interpreter)}
    found = {file.name: file.path for file in files if file.path not in foreign and file.is_importable(wheel)}
    found = {name: path for name, path in found.items() if all(part.isidentifier() for part in name.split("."))}
    left = {name for name in found if any(fnmatchcase(name, glob) for glob in test.unimported)}
    extensions = sorted({*expected.modules, *found} - left)
    members = tolerated_members(wheel, verdict)
    paths = [path for path in loadable(wheel) if path not in foreign]
    started, notes = _commands(wheel, test)
    return Subjects(
        libraries=tuple(path for path in paths if wheel.objects[path].kind == "library"),
        programs=tuple(
            (path, loader) for path in paths if (loader := wheel.objects[path].interpreter) and _is_program(wheel, path)
        ),
        modules=tuple(dict.fromkeys([*extensions, *test.imports])),
        extensions=tuple(extensions),
        named=tuple(dict.fromkeys([*expected.modules, *test.imports])),
        commands=started,
        natives=tuple(name for name in started if (path := _script(wheel, name)) and path in wheel.objects),
        tolerated=members | ({name for name, path in found.items() if path in members} - {*test.imports}),
        notes=(*notes, *_left_out(left, test)),
    )


def _suits(file: ModuleFile, interpreter: Interpreter) -> bool:
    own = f"cpython-3{interpreter.minor}{'t' if interpreter.free_threaded else ''}"
    return file.tag == own or (file.tag in _SUFFIXES and not (interpreter.free_threaded and file.tag == "abi3"))


def _is_program(wheel: Wheel, path: str) -> bool:
    return wheel.objects[path].kind == "program"


def _left_out(left: set[str], test: TestSpec) -> Iterator[str]:
    for name in sorted(left):
        yield f"{name} is not imported: the recipe leaves it out (test.unimported)"
    for glob in test.unimported:
        if not any(fnmatchcase(name, glob) for name in left):
            yield f"test.unimported names {glob}, which no extension module matches"


def _commands(wheel: Wheel, test: TestSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the programs that an installer puts on PATH, and why some of them are not started."""
    names, notes = dict[str, None](), []
    for group, name, value in wheel.entry_points:
        extras = {each.strip() for each in value.partition("[")[2].partition("]")[0].split(",")} - {""}
        if group == "console_scripts" and extras <= set(test.extras):
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
