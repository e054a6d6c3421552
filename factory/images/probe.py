"""What an image really holds, found by asking it, compared with what it declares."""

import json
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from factory.engine.api import ContainerSpec, Engine
from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.tags import Interpreter, PlatformTag

_TIMEOUT_S: Final = 60
_ASK_PYTHON: Final = """
import json, platform, sys, sysconfig
print("python", json.dumps([platform.python_implementation(), sys.version_info[1],
                            bool(sysconfig.get_config_var("Py_GIL_DISABLED"))]))
"""
_SCRIPT: Final = """
for python in /opt/python/*/bin/python /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9] /usr/bin/python3.[0-9]*t; do
    if [ -x "$python" ]; then "$python" -I -c "$1" || echo "broken $python"; fi
done
for libc in /lib/*-linux-gnu*/libc.so.6 /lib64/libc.so.6; do
    if [ -x "$libc" ]; then "$libc"; break; fi
done | sed -n 's/^GNU C Library.* version \\([0-9]*\\)\\.\\([0-9]*\\)\\.$/glibc [\\1, \\2]/p'
if command -v rustc >/dev/null; then rustc --version | sed -n 's/^rustc \\([0-9.]*\\).*/rustc "\\1"/p'; fi
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What an image answered: its libc's version, its interpreters, its rustc; `broken` are programs that failed."""

    glibc: tuple[int, int] | None
    interpreters: frozenset[Interpreter]
    rust: Version | None
    broken: tuple[str, ...] = ()


def probe(engine: Engine, image: str) -> Probed:
    """Ask an image what it holds.

    Raises:
        ImageError: the image is not here, or cannot run a shell.
    """
    with engine.container(ContainerSpec(image=image, label="probe", env={})) as container:
        answer = container.run(["sh", "-c", _SCRIPT, "probe", _ASK_PYTHON], timeout_s=_TIMEOUT_S)
    if answer.ended != "exited" or answer.code != 0:
        raise ImageError(f"the image {image} cannot be probed: {answer.output.strip() or answer.ended}")
    return read_answer(answer.output)


def read_answer(text: str) -> Probed:
    """Read the probe's lines; what is none of ours is ignored."""
    glibc, rust, interpreters, broken = None, None, set(), []
    for line in text.splitlines():
        match line.split(" ", 1):
            case ["glibc", version]:
                major, minor = json.loads(version)
                glibc = (major, minor)
            case ["rustc", version]:
                rust = Version(json.loads(version))
            case ["python", found]:
                implementation, minor, free_threaded = json.loads(found)
                interpreters.add(Interpreter(minor, free_threaded, "pp" if implementation == "PyPy" else "cp"))
            case ["broken", program]:
                broken.append(program)
    return Probed(glibc=glibc, interpreters=frozenset(interpreters), rust=rust, broken=tuple(broken))


def require_declared(facts: ImageFacts, probed: Probed) -> None:
    """Refuse an image that is not what it declares; a newer Rust than declared is welcome.

    Raises:
        ImageError: libc, interpreters or Rust differ.
    """
    differences = [f"{program} does not run" for program in probed.broken]
    if probed.glibc is None or PlatformTag("glibc", *probed.glibc, facts.platform.arch) != facts.platform:
        differences.append(f"its glibc is {probed.glibc}, {facts.platform.policy} is declared")
    if probed.interpreters != set(facts.interpreters):
        found, said = (" ".join(map(str, sorted(each))) or "none" for each in (probed.interpreters, facts.interpreters))
        differences.append(f"its interpreters are {found}; {said} are declared")
    if facts.rust is not None and (probed.rust is None or probed.rust < facts.rust):
        differences.append(f"its rustc is {probed.rust or 'absent'}, {facts.rust} or newer is declared")
    if differences:
        raise ImageError(
            f"{facts.name} is not what it declares: {'; '.join(differences)}",
            hint=f"make it anew with `factory image build {facts.name} --update`, or mend its data file",
        )
