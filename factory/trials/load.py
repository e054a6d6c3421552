"""The commands by which an image's own loader resolves every object of a wheel."""

from collections.abc import Collection, Sequence
from types import MappingProxyType

from factory.steps import WHEELHOUSE, WORK, Step, search_path, trial_python
from factory.tags import Interpreter

_UNPACKED = WORK / "unpacked"
_TIMEOUT_S = 300

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
        Step(name="unpack", argv=unpack, env=env, phase="trial", timeout_s=_TIMEOUT_S),
        Step(
            name="load",
            argv=(python, "-I", "-c", _LOAD, " ".join(excluded), "\n".join(forgiven), *paths),
            env=env,
            phase="trial",
            timeout_s=_TIMEOUT_S,
        ),
    )
