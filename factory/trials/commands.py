"""The commands that try a wheel in a clean container: install it as users do, import it, run the recipe's tests."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from factory.catalogue import Processor
from factory.recipe.model import TestSpec
from factory.steps import (
    EMULATOR,
    ENVIRONMENT,
    HOME,
    SOURCE,
    TOOLS,
    UV_OFFLINE,
    WHEELHOUSE,
    WORK,
    Python,
    Step,
    StepName,
    search_path,
)
from factory.tags import Interpreter
from factory.trials.costs import OLDER, OLDER_WHEELS, costs_request, measured_modules
from factory.trials.stubs import MYPY, stubs_argv
from factory.trials.subjects import Subjects
from factory.trials.threads import FOLDER, plugins_of, threads_request
from factory.trials.witness import witness_program

_RUN_FOLDER = WORK / "run"
_INSTALL_TIMEOUT_S = 300
_START_TIMEOUT_S = 20
_EMULATED_TIMEOUT_S = 60  # qemu translates every instruction on its first run
_ARGUMENT_LENGTH = 1 << 16  # Linux takes less than twice as much in one argument (MAX_ARG_STRLEN)
_WRAP = """
cd "$1"; under=$2; shift 2
for name; do
    mv "$name" ".$name"
    printf '#!/bin/sh\\nexec %s -0 "$0" "%s" "$@"\\n' "$under" "$PWD/.$name" >"$name"
    chmod 755 "$name"
done
"""
_MODELS: Mapping[Processor, str] = MappingProxyType({"x86-64": "Opteron_G1", "x86-64-v2": "Nehalem"})


def processor_model(processor: Processor) -> str | None:
    """Return qemu's name for an old processor of a level: AMD's of 2003, Intel's of 2008."""
    return _MODELS.get(processor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is done beside installing, importing, starting and testing.

    Where a processor's model is `emulated`, the emulator is at `EMULATOR`. Where the tests are `watched`, a step says
    which modules of the wheel they imported from elsewhere. Where imports are `measured`, one says what they cost;
    `older` are the names of an older wheel, in `OLDER_WHEELS`, and of those in the wheelhouse that go with it.
    """

    emulated: str | None = None
    watched: bool = False
    measured: bool = False
    older: tuple[str, ...] = ()


def trial_steps(
    name: NormalizedName,
    wheel: str,
    subjects: Subjects,
    test: TestSpec,
    python: Python,
    *,
    epoch_s: int,
    beside: Beside = Beside(),
) -> tuple[Step, ...]:
    """Return the steps of one trial; the wheel and all it requires lie in the wheelhouse.

    The wheel is named by its path: by name and version, an installer could choose another file of the release.
    Another machine's programs are each started by a script, as Python there is; their loader has resolved them already.
    """
    env = _env(epoch_s)
    extras = f"[{','.join(test.extras)}]" if test.extras else ""
    this_wheel = f"{name}{extras} @ file://{quote(str(WHEELHOUSE / wheel))}"
    wanted = (this_wheel, *map(str, required_by_tests(test)))
    steps = [_venv(python.path, env), _install(wanted, env)]
    if python.under:
        steps += [_wrapped(subjects.natives, python, env)] if subjects.natives else []
        subjects = replace(subjects, programs=())
    steps += _tries(subjects, test, env)
    if beside.measured and (modules := measured_modules(subjects)):
        steps.append(_costs(modules, beside.older, python, env))
    if beside.emulated is not None and (subjects.modules or subjects.natives):
        steps.append(_emulated(subjects, beside.emulated, env))
    lines = [line.replace("{source}", str(SOURCE)).replace("{wheel}", str(WHEELHOUSE / wheel)) for line in test.run]
    if lines:
        argv = ("sh", "-ec", _in_folder(_RUN_FOLDER, lines))
        steps.append(Step(name="test", argv=argv, env=env, phase="trial", timeout_s=test.timeout_s))
        steps += [_witness(subjects, python.interpreter, env)] if beside.watched else []
    if test.threads is not None:
        steps.append(_in_threads(lines, subjects, test, python.interpreter, env))
    if test.stubs:
        compare = stubs_argv(test, subjects.stubbed, ENVIRONMENT / "bin/python")
        steps.append(Step(name="stubs", argv=compare, env=env, phase="trial", timeout_s=test.timeout_s))
    return tuple(steps)


def _in_folder(folder: PurePosixPath, lines: Sequence[str]) -> str:
    return "\n".join([f"mkdir -p {folder}", f"cd {folder}", *lines])


def _in_threads(
    lines: Sequence[str], subjects: Subjects, test: TestSpec, interpreter: Interpreter, env: Mapping[str, str]
) -> Step:
    """Import and test once more, in several threads at once."""
    modules = [name for name in subjects.modules if name not in subjects.tolerated]
    program, request = threads_request(test, _in_folder(FOLDER / "run", lines), modules, interpreter)
    argv = (str(ENVIRONMENT / "bin/python"), "-I", "-c", program, *_pieces(request))
    return Step(name="threads", argv=argv, env=env, phase="trial", timeout_s=test.timeout_s)


def _costs(modules: Sequence[str], older: Sequence[str], python: Python, env: Mapping[str, str]) -> Step:
    preparing: list[tuple[str, ...]] = []
    if older:
        first, *rest = older
        paths = (str(OLDER_WHEELS / first), *(str(WHEELHOUSE / name) for name in rest))
        preparing = [_venv_argv(python.path, OLDER), (*_install_argv(OLDER), "--no-deps", *paths)]
    program, request = costs_request(modules, preparing)
    argv = (str(ENVIRONMENT / "bin/python"), "-I", "-c", program, *_pieces(request))
    return Step(name="import-cost", argv=argv, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S)


def _wrapped(programs: Sequence[str], python: Python, env: Mapping[str, str]) -> Step:
    """Put a script in the place of each program, as this machine cannot start it."""
    argv = ("sh", "-euc", _WRAP, "wrap", str(ENVIRONMENT / "bin"), " ".join(python.under), *programs)
    return Step(name="wrap-programs", argv=argv, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S)


def _witness(subjects: Subjects, interpreter: Interpreter, env: Mapping[str, str]) -> Step:
    """Compare what the tests imported with what is installed; where there are extension modules, that is to be some."""
    argv = (str(ENVIRONMENT / "bin/python"), "-I", str(witness_program(interpreter)))
    expects_some = ("--expects-some",) if subjects.extensions else ()
    return Step(
        name="import-origins", argv=(*argv, *expects_some), env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S
    )


def _tries(subjects: Subjects, test: TestSpec, env: Mapping[str, str]) -> Iterator[Step]:
    tolerated = subjects.tolerated
    if subjects.libraries or subjects.programs or subjects.modules:
        request = {
            "libraries": [(path, path in tolerated) for path in subjects.libraries],
            "programs": [(path, loader, path in tolerated) for path, loader in subjects.programs],
            "modules": subjects.modules,
            "extensions": subjects.extensions,
            "named": subjects.named,
            "tolerated": sorted(tolerated.intersection(subjects.modules)),
        }
        yield _try_step("import", request, env, test.timeout_s)
    if subjects.commands:
        request = {"start": subjects.commands, "tolerated": bool(tolerated), "timeout_s": _START_TIMEOUT_S}
        yield _try_step("start-commands", request, env, _INSTALL_TIMEOUT_S + _START_TIMEOUT_S * len(subjects.commands))


def _emulated(subjects: Subjects, model: str, env: Mapping[str, str]) -> Step:
    """Import on an old processor the modules that were imported on this one, and start the native programs."""
    request = {
        "under": (str(EMULATOR), "-cpu", model),
        "modules": subjects.modules,
        "programs": subjects.natives,
        "timeout_s": _EMULATED_TIMEOUT_S,
    }
    longest_s = _INSTALL_TIMEOUT_S + _EMULATED_TIMEOUT_S * (len(subjects.modules) + len(subjects.natives))
    return _try_step("old-processor", request, env, longest_s)


def _try_step(name: StepName, request: Mapping[str, object], env: Mapping[str, str], timeout_s: int) -> Step:
    text = json.dumps(request, sort_keys=True)
    argv = (str(ENVIRONMENT / "bin/python"), "-I", str(TOOLS / "trying.py"), *_pieces(text))
    return Step(name=name, argv=argv, env=env, phase="trial", timeout_s=timeout_s)


def _pieces(text: str) -> Iterator[str]:
    """Cut a text into arguments that Linux takes."""
    yield from (text[at : at + _ARGUMENT_LENGTH] for at in range(0, len(text), _ARGUMENT_LENGTH))


def required_by_tests(test: TestSpec) -> tuple[Requirement, ...]:
    """Return what is installed beside a wheel for its tests."""
    return (*test.requires, *plugins_of(test), *([MYPY] if test.stubs else []))


def alone(test: TestSpec) -> TestSpec:
    """Return how a wheel is tried without threads and without a comparison of its stubs."""
    return replace(test, threads=None, stubs=False)


def wants_source(test: TestSpec) -> bool:
    """Whether the tests need the source tree beside them."""
    return any("{source}" in line for line in test.run) or (test.stubs and test.stub_allowlist is not None)


def _env(epoch_s: int) -> Mapping[str, str]:
    return MappingProxyType(
        {
            "PATH": search_path(ENVIRONMENT / "bin"),
            "HOME": str(HOME),
            "LC_ALL": "C.UTF-8",
            "SOURCE_DATE_EPOCH": str(epoch_s),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    )


def _venv(python: PurePosixPath, env: Mapping[str, str]) -> Step:
    argv = _venv_argv(python, ENVIRONMENT)
    return Step(name="environment", argv=argv, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S)


def _venv_argv(python: PurePosixPath, folder: PurePosixPath) -> tuple[str, ...]:
    return (str(TOOLS / "bin/uv"), "venv", *UV_OFFLINE, "--no-project", "--python", str(python), str(folder))


def _install(wanted: Sequence[str], env: Mapping[str, str]) -> Step:
    argv = (*_install_argv(ENVIRONMENT), *wanted)
    return Step(name="install", argv=argv, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S)


def _install_argv(folder: PurePosixPath) -> tuple[str, ...]:
    return (
        *(str(TOOLS / "bin/uv"), "pip", "install", *UV_OFFLINE, "--no-index", "--only-binary", ":all:"),
        *("--link-mode", "copy", "--find-links", str(WHEELHOUSE), "--python", str(folder / "bin/python")),
    )
