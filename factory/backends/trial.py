"""The commands that try a wheel in a clean container: install it as users do, import it, run the recipe's tests."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from factory.backends.base import (
    EMULATOR,
    ENVIRONMENT,
    HOME,
    SOURCE,
    TOOLS,
    WHEELHOUSE,
    WORK,
    Step,
    search_path,
)
from factory.backends.subjects import Subjects
from factory.catalogue import Processor
from factory.recipe.model import TestSpec
from factory.tags import Interpreter
from factory.untrusted import UntrustedTextError, excerpt, marker_holds, parse_requirement

_RUN_FOLDER = WORK / "run"
_UNPACKED = WORK / "unpacked"
_INSTALL_TIMEOUT_S = 300
_MOST_EVALUATIONS = 100_000

_LOAD = """\
import fnmatch, glob, os, subprocess, sys
(loader,) = glob.glob("/lib64/ld-linux-*.so.?") or glob.glob("/lib/ld-linux*.so.?") or glob.glob("/lib/ld-musl-*.so.1")
# As ldd asks glibc's: with --list it ends at the first library that is not there.
listing, env = (["--list"], None) if "musl" in loader else ([], {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"})
bad, excluded, tolerated = 0, sys.argv[1].split(), set(sys.argv[2].split("\\n"))

def is_bad(line):
    name, arrow, _ = line.strip().partition(" => not found")
    return "not found" in line and not (arrow and any(fnmatch.fnmatchcase(name, glob) for glob in excluded))

for path in sys.argv[3:]:
    done = subprocess.run([loader, *listing, path], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode(errors="replace")
    print(path, said, sep="\\n", flush=True)
    if done.returncode or any(map(is_bad, said.splitlines())):
        waived = path in tolerated
        bad = bad or not waived
        print("note: waived:" if waived else "error:", "the loader cannot resolve", path, flush=True)
sys.exit(int(bad))
"""

_START_TIMEOUT_S = 20
_EMULATED_TIMEOUT_S = 60
_ARGUMENT_LENGTH = 1 << 16  # Linux takes less than twice as much in one argument (MAX_ARG_STRLEN)
_MODELS: Mapping[Processor, str] = MappingProxyType({"x86-64": "Opteron_G1", "x86-64-v2": "Nehalem"})


def processor_model(processor: Processor) -> str | None:
    """Return qemu's name of an old processor of a level: what AMD sold from 2003 on, what Intel did from 2008 on."""
    return _MODELS.get(processor)


def trial_steps(
    name: NormalizedName,
    wheel: str,
    about: Subjects,
    test: TestSpec,
    interpreter: Interpreter,
    *,
    epoch_s: int,
    emulated: str | None = None,
) -> tuple[Step, ...]:
    """Return the steps of one trial; the wheel and all it requires lie in the wheelhouse.

    The wheel is asked for by its path: by name and version an installer could choose another file of the release.
    Where a processor's model is `emulated`, the emulator lies at `EMULATOR`.
    """
    env = _env(epoch_s)
    extras = f"[{','.join(test.extras)}]" if test.extras else ""
    this_wheel = f"{name}{extras} @ file://{quote(str(WHEELHOUSE / wheel))}"
    wanted = (this_wheel, *(str(requirement) for requirement in test.requires))
    steps = [_venv(interpreter, env), _install(wanted, env), *_tries(about, test, env)]
    if emulated is not None and (about.modules or about.natives):
        steps.append(_emulated(about, emulated, env))
    if test.run:
        lines = [line.replace("{source}", str(SOURCE)).replace("{wheel}", str(WHEELHOUSE / wheel)) for line in test.run]
        script = "\n".join([f"mkdir -p {_RUN_FOLDER}", f"cd {_RUN_FOLDER}", *lines])
        steps.append(Step(name="test", argv=("sh", "-ec", script), env=env, phase="trial", timeout_s=test.timeout_s))
    return tuple(steps)


def _tries(about: Subjects, test: TestSpec, env: Mapping[str, str]) -> Iterator[Step]:
    tolerated = about.tolerated
    if about.libraries or about.programs or about.modules:
        order = {
            "libraries": [(path, path in tolerated) for path in about.libraries],
            "programs": [(path, loader, path in tolerated) for path, loader in about.programs],
            "modules": about.modules,
            "extensions": about.extensions,
            "named": about.named,
            "tolerated": sorted(tolerated.intersection(about.modules)),
        }
        yield _trying("import", order, env, test.timeout_s)
    if about.commands:
        order = {"start": about.commands, "tolerated": bool(tolerated), "timeout_s": _START_TIMEOUT_S}
        yield _trying("start", order, env, _INSTALL_TIMEOUT_S + _START_TIMEOUT_S * len(about.commands))


def _emulated(about: Subjects, model: str, env: Mapping[str, str]) -> Step:
    """Import on an old processor what is imported on this one, and start what is a program for it."""
    order = {
        "under": (str(EMULATOR), "-cpu", model),
        "modules": about.modules,
        "programs": about.natives,
        "timeout_s": _EMULATED_TIMEOUT_S,
    }
    longest_s = _INSTALL_TIMEOUT_S + _EMULATED_TIMEOUT_S * (len(about.modules) + len(about.natives))
    return _trying("processor", order, env, longest_s)


def _trying(name: str, order: Mapping[str, object], env: Mapping[str, str], timeout_s: int) -> Step:
    text = json.dumps(order, sort_keys=True)
    pieces = [text[at : at + _ARGUMENT_LENGTH] for at in range(0, len(text), _ARGUMENT_LENGTH)]
    argv = (str(ENVIRONMENT / "bin/python"), "-I", str(TOOLS / "trying.py"), *pieces)
    return Step(name=name, argv=argv, env=env, phase="trial", timeout_s=timeout_s)


def load_steps(
    wheel: str,
    objects: Sequence[str],
    interpreter: Interpreter,
    *,
    excluded: Sequence[str] = (),
    tolerated: Collection[str] = (),
) -> tuple[Step, ...]:
    """Return the steps that let an image's own loader resolve every object of a wheel, each with all it needs.

    Of what it does not find, only libraries that match a glob of `excluded` are no failure: the user's system has them.
    An object that is `tolerated` has a finding that the recipe waives.
    """
    python = trial_python(interpreter)
    env = MappingProxyType({"PATH": search_path(), "LC_ALL": "C.UTF-8"})
    unpack = (python, "-I", "-m", "zipfile", "-e", str(WHEELHOUSE / wheel), str(_UNPACKED))
    paths = [str(_UNPACKED / name) for name in objects]
    forgiven = [str(_UNPACKED / name) for name in objects if name in tolerated]
    return (
        Step(name="unpack", argv=unpack, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S),
        Step(
            name="load",
            argv=(python, "-I", "-c", _LOAD, " ".join(excluded), "\n".join(forgiven), *paths),
            env=env,
            phase="trial",
            timeout_s=_INSTALL_TIMEOUT_S,
        ),
    )


def wants_source(test: TestSpec) -> bool:
    """Whether the tests need the source tree beside them."""
    return any("{source}" in line for line in test.run)


def requirements_of(
    name: NormalizedName, requires_dist: Sequence[str], test: TestSpec, interpreter: Interpreter, architecture: str
) -> tuple[Requirement, ...]:
    """Return what a trial installs beside the wheel: its own requirements for this interpreter, and the test's.

    Markers are evaluated for the trial's interpreter (PEP 508), extras among them. A requirement on the project itself
    (`spam[all]` of `spam`) is what its extras ask for; the project is never taken from an index.

    Raises:
        UntrustedTextError: METADATA holds a Requires-Dist that is not valid, or more of them than are read.
    """
    environment = _markers(interpreter, architecture)
    wanted = [_requirement(text) for text in requires_dist]
    extras, todo, chosen = {"", *test.extras}, ["", *test.extras], dict[str, Requirement]()
    for extra in todo:  # grows while it is read: an extra may ask for others
        if len(todo) * len(wanted) > _MOST_EVALUATIONS:
            raise UntrustedTextError(f"has {len(wanted)} Requires-Dist for {len(todo)} extras, too many to evaluate")
        for requirement in wanted:
            if not marker_holds(requirement, {**environment, "extra": extra}):
                continue
            if canonicalize_name(requirement.name) == name:
                todo += sorted(requirement.extras - extras)
                extras |= requirement.extras
            else:
                chosen[str(requirement)] = requirement
    for requirement in chosen.values():
        requirement.marker = None
    return (*chosen.values(), *test.requires)


def _requirement(text: str) -> Requirement:
    try:
        return parse_requirement(text)
    except UntrustedTextError as error:
        raise UntrustedTextError(f"has a Requires-Dist {excerpt(text)}, which {error}") from error


def _markers(interpreter: Interpreter, architecture: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{interpreter.version}.0",
        "os_name": "posix",
        "platform_machine": architecture,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{interpreter.version}.0",
        "python_version": interpreter.version,
        "sys_platform": "linux",
    }


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


def trial_python(interpreter: Interpreter) -> str:
    """Return an interpreter's path in a trial image: where its distribution has it."""
    return f"/usr/bin/python{interpreter.version}{'t' if interpreter.free_threaded else ''}"


def _venv(interpreter: Interpreter, env: Mapping[str, str]) -> Step:
    argv = (
        str(TOOLS / "bin/uv"),
        "venv",
        *_QUIET,
        "--no-project",
        "--python",
        trial_python(interpreter),
        str(ENVIRONMENT),
    )
    return Step(name="environment", argv=argv, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S)


def _install(wanted: Sequence[str], env: Mapping[str, str]) -> Step:
    argv = (
        *(str(TOOLS / "bin/uv"), "pip", "install", *_QUIET, "--no-index", "--only-binary", ":all:"),
        *("--link-mode", "copy", "--find-links", str(WHEELHOUSE), "--python", str(ENVIRONMENT / "bin/python")),
        *wanted,
    )
    return Step(name="install", argv=argv, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S)


_QUIET = ("--no-config", "--offline", "--no-cache", "--quiet")
