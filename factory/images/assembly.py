"""The assembly script of an image: one template per family, rendered from what the image declares."""

import hashlib
from collections.abc import Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final

import jinja2

from factory.digest import Digest
from factory.images.spec import TEMPLATE, ImageSpec
from factory.machines import USUAL_MACHINE, WINDOWS_RUST
from factory.steps import USERLAND, USERLAND_EMULATOR, WINE
from factory.tags import Interpreter

DEBIAN_ARCHITECTURES: Final = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "armhf",
    "ppc64le": "ppc64el",
    "riscv64": "riscv64",
    "s390x": "s390x",
}

_USERLAND: Final = "userland.sh.j2"
_WINE: Final = "wine.sh.j2"


def script(spec: ImageSpec) -> str:
    """Render the shell script that assembles the image; it names neither mirror nor index.

    Raises:
        jinja2.UndefinedError: the template uses a variable that is not declared.
    """
    return rendered(spec.family_folder / TEMPLATE, _variables(spec))


def userland_script(spec: ImageSpec, machine: str) -> str:
    """Render the shell script that packs what an image's suite has for another machine, or for Windows: wine.

    Raises:
        jinja2.UndefinedError: the template uses a variable that is not declared.
    """
    variables = {
        **_variables(spec),
        "architecture": DEBIAN_ARCHITECTURES[USUAL_MACHINE if machine in WINDOWS_RUST else machine],
        "machine": machine,
        "wine": WINE,
        "emulator": USERLAND_EMULATOR,
        "userland": USERLAND,
    }
    return rendered(spec.family_folder / (_WINE if machine in WINDOWS_RUST else _USERLAND), variables)


def rendered(template: Path, variables: Mapping[str, object]) -> str:
    """Render a shell script.

    Raises:
        jinja2.UndefinedError: the template uses a variable that is not declared.
    """
    return _templates(template.parent).get_template(template.name).render(variables)


@cache
def _templates(folder: Path) -> jinja2.Environment:
    """Return a family's templates, each of which is compiled once, and again after it was changed."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 -- a shell script made from our own data files, never from a recipe
    )


def input_digest(spec: ImageSpec) -> Digest:
    """Digest everything of ours that an image is made from: script, helpers, pins, environment; no package's version.

    An image is found again by it without network. Packages are resolved anew only on request.
    """
    parts = [f"script\0{script(spec)}".encode()]
    parts += [f"{path.name}\0".encode() + path.read_bytes() for path in _companions(spec)]
    parts += [f"env\0{key}={value}".encode() for key, value in sorted(spec.env.items())]
    return Digest.of_chunks(hashlib.sha256(part).digest() for part in parts)


def _companions(spec: ImageSpec) -> list[Path]:
    places = ((spec.scripts_folder, "*.py"), *((spec.family_folder, f"*.{suffix}") for suffix in ("py", "lock", "sh")))
    return [path for folder, pattern in places for path in sorted(folder.glob(pattern))]


def _variables(spec: ImageSpec) -> Mapping[str, object]:
    platform = spec.facts.platform
    return {
        "name": spec.facts.name,
        "suite": spec.suite,
        **machine_variables(platform.arch),
        "glibc": f"{platform.major}.{platform.minor}",
        "uv_platform": f"{platform.arch}-{platform.policy}",
        "packages": spec.packages,
        "without": spec.without,
        "links": [f"/opt/_internal/{spec.rust.suite}/bin/{name}" for name in spec.rust.programs] if spec.rust else [],
        **suite_options(spec.fallbacks, spec.delays),
        **_interpreter_variables(spec),
    }


def machine_variables(machine: str) -> Mapping[str, object]:
    """Return what a script for a machine is told of it.

    `unasked` is an option of mmdebstrap by which it does not look itself whether programs for a machine run here; it
    would want a package more for that, and `foreign.require_running_here` has looked. `is_other` says that programs
    for the machine may not run here, which is not asked for the first one.
    """
    is_other = machine != USUAL_MACHINE
    return {
        "architecture": DEBIAN_ARCHITECTURES[machine],
        "unasked": " --skip=check/qemu" if is_other else "",
        "is_other": is_other,
    }


def suite_options(fallbacks: Mapping[str, tuple[str, ...]], delays: Mapping[str, int]) -> Mapping[str, object]:
    """Return the options of `bootstrap.py` for suites whose mirror lacks files, or brings indexes late."""
    return {
        "fallbacks": [f"--fallback={suite}:{other}" for suite, others in fallbacks.items() for other in others],
        "delays": [f"--delay={suite}:{days}" for suite, days in delays.items()],
    }


def _interpreter_variables(spec: ImageSpec) -> Mapping[str, object]:
    native = [
        interpreter_packages(interpreter) for interpreter in spec.origins if spec.origins[interpreter] == spec.suite
    ]
    tools = spec.tools
    return {
        "interpreters": [_interpreter(spec, interpreter) for interpreter in spec.facts.interpreters],
        "native_packages": tuple(chain.from_iterable(native)),
        "donors": [_donor(spec, suite) for suite in _suites(spec)],
        "tools": tools and {"interpreter": _interpreter(spec, tools.interpreter), "programs": tools.programs},
    }


def interpreter_packages(interpreter: Interpreter) -> list[str]:
    """Name the Debian packages of an interpreter; distutils left CPython's standard library with 3.12 (PEP 632)."""
    if interpreter.implementation == "pp":
        return ["pypy3"]
    distutils = ["python3-distutils"] if interpreter.minor < 12 else []  # noqa: PLR2004 -- said above
    return [f"python{interpreter.version}", *distutils]


def header_package(interpreter: Interpreter) -> str:
    """Name the Debian package of an interpreter's headers."""
    return "pypy3-dev" if interpreter.implementation == "pp" else f"libpython{interpreter.version}-dev"


def _interpreter(spec: ImageSpec, interpreter: Interpreter) -> Mapping[str, str]:
    return {
        "tag": f"{interpreter.python_tag}-{interpreter.abi_tag}",
        "version": interpreter.version,
        "program": interpreter.program,
        "suite": spec.origins[interpreter],
    }


def _suites(spec: ImageSpec) -> list[str]:
    suites = list(spec.origins.values()) + ([spec.rust.suite] if spec.rust else [])
    return list(dict.fromkeys(suites))


def _donor(spec: ImageSpec, suite: str) -> Mapping[str, object]:
    """List what an image takes from another suite: interpreters, and Rust where it comes from there."""
    packages, programs = [], []
    for interpreter in (interpreter for interpreter, origin in spec.origins.items() if origin == suite):
        packages += interpreter_packages(interpreter)
        programs.append(f"python{interpreter.version}")
    packages += [f"libpython{program.removeprefix('python')}-dev" for program in programs]
    if spec.rust and spec.rust.suite == suite:
        packages += spec.rust.packages
        programs += spec.rust.programs
    return {"suite": suite, "packages": [*packages, "libstdc++6"], "programs": programs}
