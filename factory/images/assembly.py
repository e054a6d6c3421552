"""The assembly script of an image: one template per family, rendered from what the image declares."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import jinja2

from factory.digest import Digest
from factory.images.spec import TEMPLATE, ImageSpec
from factory.tags import Interpreter

_DEBIAN_ARCHITECTURES: Final = {"x86_64": "amd64"}
_COMPILE_PACKAGES: Final = (
    "build-essential", "libbz2-dev", "libffi-dev", "liblzma-dev", "libncurses-dev", "libreadline-dev",
    "libsqlite3-dev", "libssl-dev", "pkg-config", "uuid-dev", "xz-utils", "zlib1g-dev",
)  # fmt: skip


def script(spec: ImageSpec) -> str:
    """Render the shell script that assembles the image; it names neither mirror nor index.

    Raises:
        jinja2.UndefinedError: the template asks for what nobody declares.
    """
    return _rendered(spec.family_folder / TEMPLATE, _variables(spec))


def source_script(spec: ImageSpec, interpreter: Interpreter) -> str:
    """Render the shell script that fetches the source of an interpreter that the image wants compiled."""
    return _rendered(
        spec.compiled_folder / "source.sh.j2",
        {
            "package": f"python{interpreter.version}",
            "suite": spec.compiled[interpreter],
            "architecture": _DEBIAN_ARCHITECTURES[spec.facts.platform.arch],
        },
    )


def compile_script(spec: ImageSpec, interpreter: Interpreter) -> str:
    """Render the shell script that compiles such an interpreter on the image's suite."""
    return _rendered(
        spec.compiled_folder / "compile.sh.j2",
        {
            "program": program(interpreter),
            "suite": spec.suite,
            "architecture": _DEBIAN_ARCHITECTURES[spec.facts.platform.arch],
            "packages": _COMPILE_PACKAGES,
            "options": ["--disable-gil"] if interpreter.free_threaded else [],
        },
    )


def _rendered(template: Path, variables: Mapping[str, object]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 -- a shell script made from our own data files, never from a recipe
    )
    return environment.get_template(template.name).render(variables)


def input_digest(spec: ImageSpec) -> Digest:
    """Digest everything of ours that an image is made from: script, helpers, pins, environment; no package's version.

    By it an image is found again without network. Packages are resolved anew only on request.
    """
    parts = [f"script\0{script(spec)}".encode()]
    parts += [f"compile\0{part}".encode() for part in _compilation(spec)]
    parts += [f"{path.name}\0".encode() + path.read_bytes() for path in _companions(spec)]
    parts += [f"env\0{key}={value}".encode() for key, value in sorted(spec.env.items())]
    return Digest.of_chunks(hashlib.sha256(part).digest() for part in parts)


def inside_script(spec: ImageSpec) -> str:
    """Read the shell script that runs beside the compiler."""
    return (spec.compiled_folder / "cpython.sh").read_text(encoding="utf-8")


def _compilation(spec: ImageSpec) -> list[str]:
    scripts = [make(spec, each) for each in spec.compiled for make in (source_script, compile_script)]
    return [*scripts, inside_script(spec)] if scripts else []


def _companions(spec: ImageSpec) -> list[Path]:
    places = ((spec.scripts_folder, "*.py"), (spec.family_folder, "*.py"), (spec.family_folder, "*.lock"))
    return [path for folder, pattern in places for path in sorted(folder.glob(pattern))]


def _variables(spec: ImageSpec) -> Mapping[str, object]:
    platform = spec.facts.platform
    native = [each for each, suite in spec.origins.items() if suite == spec.suite]
    return {
        "name": spec.facts.name,
        "suite": spec.suite,
        "architecture": _DEBIAN_ARCHITECTURES[platform.arch],
        "glibc": f"{platform.major}.{platform.minor}",
        "uv_platform": f"{platform.arch}-{platform.policy}",
        "packages": spec.packages,
        "fallbacks": [f"--fallback={suite}:{other}" for suite, others in spec.fallbacks.items() for other in others],
        "delays": [f"--delay={suite}:{days}" for suite, days in spec.delays.items()],
        "without": spec.without,
        "interpreters": [_interpreter(spec, each) for each in spec.facts.interpreters],
        "native_packages": tuple(name for each in native for name in interpreter_packages(each)),
        "donors": [_donor(spec, suite) for suite in _suites(spec)],
        "compiled": [{"suite": place(each), "programs": [program(each)]} for each in spec.compiled],
        "tools": spec.tools
        and {"interpreter": _interpreter(spec, spec.tools.interpreter), "programs": spec.tools.programs},
        "links": [f"/opt/_internal/{spec.rust.suite}/bin/{name}" for name in spec.rust.programs] if spec.rust else [],
    }


def interpreter_packages(interpreter: Interpreter) -> list[str]:
    """Name the Debian packages of an interpreter; distutils left the standard library with 3.12 (PEP 632)."""
    distutils = ["python3-distutils"] if interpreter.minor < 12 else []  # noqa: PLR2004 -- said above
    return [f"python{interpreter.version}", *distutils]


def program(interpreter: Interpreter) -> str:
    """Return the name of an interpreter's program, as its authors install it: `python3.13t`."""
    return f"python{interpreter.version}{'t' if interpreter.free_threaded else ''}"


def place(interpreter: Interpreter) -> str:
    """Return what stands for the suite's name where an interpreter comes from none."""
    return f"c{program(interpreter)}"


def _interpreter(spec: ImageSpec, interpreter: Interpreter) -> Mapping[str, str]:
    return {
        "tag": f"{interpreter.python_tag}-{interpreter.abi_tag}",
        "version": interpreter.version,
        "program": program(interpreter),
        "suite": spec.origins.get(interpreter) or place(interpreter),
    }


def _suites(spec: ImageSpec) -> list[str]:
    suites = list(spec.origins.values()) + ([spec.rust.suite] if spec.rust else [])
    return list(dict.fromkeys(suites))


def _donor(spec: ImageSpec, suite: str) -> Mapping[str, object]:
    interpreters = [each for each, origin in spec.origins.items() if origin == suite]
    packages = [name for each in interpreters for name in interpreter_packages(each)]
    packages += [f"libpython{each.version}-dev" for each in interpreters]
    programs = [f"python{each.version}" for each in interpreters]
    if spec.rust and spec.rust.suite == suite:
        packages += spec.rust.packages
        programs += spec.rust.programs
    return {"suite": suite, "packages": [*packages, "libstdc++6"], "programs": programs}
