"""The commands that try a wheel in a clean container: install it as users do, import it, run the recipe's tests."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from factory.backends.base import ENVIRONMENT, HOME, SOURCE, TOOLS, WHEELHOUSE, WORK, Step, search_path
from factory.recipe.model import TestSpec
from factory.tags import Interpreter

_RUN_FOLDER = WORK / "run"
_UNPACKED = WORK / "unpacked"
_INSTALL_TIMEOUT_S = 300

_LOAD = """\
import fnmatch, glob, os, subprocess, sys
(loader,) = glob.glob("/lib64/ld-linux-*.so.?") or glob.glob("/lib/ld-linux*.so.?") or glob.glob("/lib/ld-musl-*.so.1")
# As ldd asks glibc's: with --list it ends at the first library that is not there.
listing, env = (["--list"], None) if "musl" in loader else ([], {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"})
bad, excluded = 0, sys.argv[1].split()

def is_bad(line):
    name, arrow, _ = line.strip().partition(" => not found")
    return "not found" in line and not (arrow and any(fnmatch.fnmatchcase(name, glob) for glob in excluded))

for path in sys.argv[2:]:
    done = subprocess.run([loader, *listing, path], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode(errors="replace")
    print(path, said, sep="\\n", flush=True)
    if done.returncode or any(map(is_bad, said.splitlines())):
        bad = 1
        print("error: the loader cannot resolve", path, flush=True)
sys.exit(bad)
"""

_IMPORT = """\
import importlib, sys
extensions, others = sys.argv[1].split(), sys.argv[2].split()
for name in extensions + others:
    module = importlib.import_module(name)
    origin = getattr(module.__spec__, "origin", None) or "no file"
    print(name, "from", origin)
    if name in extensions and not origin.endswith(".so"):
        sys.exit("error: " + name + " is no extension module here: it came from " + origin)
"""


def trial_steps(
    name: NormalizedName,
    wheel: str,
    modules: Sequence[str],
    test: TestSpec,
    interpreter: Interpreter,
    *,
    epoch_s: int,
) -> tuple[Step, ...]:
    """Return the steps of one trial; the wheel and all it requires lie in the wheelhouse.

    The wheel is asked for by its path: by name and version an installer could choose another file of the release.
    """
    env = _env(epoch_s)
    extras = f"[{','.join(test.extras)}]" if test.extras else ""
    this_wheel = f"{name}{extras} @ file://{quote(str(WHEELHOUSE / wheel))}"
    wanted = (this_wheel, *(str(requirement) for requirement in test.requires))
    steps = [_venv(interpreter, env), _install(wanted, env)]
    if modules or test.imports:
        argv = (str(ENVIRONMENT / "bin/python"), "-I", "-c", _IMPORT, " ".join(modules), " ".join(test.imports))
        steps.append(Step(name="import", argv=argv, env=env, phase="trial", timeout_s=test.timeout_s))
    if test.run:
        lines = [line.replace("{source}", str(SOURCE)).replace("{wheel}", str(WHEELHOUSE / wheel)) for line in test.run]
        script = "\n".join([f"mkdir -p {_RUN_FOLDER}", f"cd {_RUN_FOLDER}", *lines])
        steps.append(Step(name="test", argv=("sh", "-ec", script), env=env, phase="trial", timeout_s=test.timeout_s))
    return tuple(steps)


def load_steps(
    wheel: str, objects: Sequence[str], interpreter: Interpreter, excluded: Sequence[str] = ()
) -> tuple[Step, ...]:
    """Return the steps that let an image's own loader resolve every object of a wheel, each with all it needs.

    Of what it does not find, only libraries that match a glob of `excluded` are no failure: the user's system has them.
    """
    python = trial_python(interpreter)
    env = MappingProxyType({"PATH": search_path(), "LC_ALL": "C.UTF-8"})
    unpack = (python, "-I", "-m", "zipfile", "-e", str(WHEELHOUSE / wheel), str(_UNPACKED))
    paths = [str(_UNPACKED / name) for name in objects]
    return (
        Step(name="unpack", argv=unpack, env=env, phase="trial", timeout_s=_INSTALL_TIMEOUT_S),
        Step(
            name="load",
            argv=(python, "-I", "-c", _LOAD, " ".join(excluded), *paths),
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
        InvalidRequirement: METADATA holds a Requires-Dist that is none.
    """
    environment = _markers(interpreter, architecture)
    wanted = [Requirement(text) for text in requires_dist]
    extras, chosen = ["", *test.extras], dict[str, Requirement]()
    for extra in extras:  # grows while it is read: an extra may ask for others
        for requirement in wanted:
            if requirement.marker is not None and not requirement.marker.evaluate({**environment, "extra": extra}):
                continue
            if canonicalize_name(requirement.name) == name:
                extras += sorted(other for other in requirement.extras if other not in extras)
            else:
                chosen[str(requirement)] = requirement
    for requirement in chosen.values():
        requirement.marker = None
    return (*chosen.values(), *test.requires)


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
