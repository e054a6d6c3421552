"""Toy projects whose builds a double of the engine answers: their recipes, sources, wheels, and what tools say."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import MappingProxyType
from zipfile import ZIP_STORED, ZipInfo

from factory.digest import Digest
from tests.doubles.engine import Answer, Call, Commands
from tests.makers.objects import make_module
from tests.makers.sources import make_sdist, member
from tests.makers.wheels import make_wheel

PROBED = """\
python /opt/python/cp311-cp311/bin/python ["CPython", 11, false, "3.11.2"]
python /opt/python/cp313-cp313/bin/python ["CPython", 13, false, "3.13.5"]
glibc [2, 31]
gcc "10.2.1"
packages "apt"
"""
"""What an image answers the probe."""

WORDS = """\
factory: 1
name: words
source: {sdist: words==1.0}
interpreters: [cp311, cp313]
platforms: [manylinux_2_31_x86_64]
build:
  system: {apt: [libwords-dev]}
  requires: [cython]
  before: [touch generated.c]
  env: {COLOUR: blue}
  pass-env: [TOKEN]
repair: {exclude: [libwords.so.1]}
audit:
  modules: [words.core]
  waive: [{rule: wheel-too-large, reason: it is a toy, until: 2027-01-01}]
test: {requires: [pytest], run: "pytest {source}/tests"}
"""
"""Built by setuptools from a release, with all that a key holds beside the source."""

HASHES = """\
factory: 1
name: hashes
source: {git: "https://git.example/hashes", rev: main}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
build: {locked: false}
"""
"""Built by maturin from a branch, with crates that cargo resolves, and with the factory's own Rust."""

PLAIN = """\
factory: 1
name: plain
source: {url: "https://files.example/plain-1.0.tar.gz", sha256: SHA256}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
""".replace("SHA256", "ab" * 32)
"""Built by setuptools from an archive, with nothing more than a recipe must say."""

STABLE = """\
factory: 1
name: stable
source: {url: "https://files.example/stable-1.0.tar.gz", sha256: SHA256}
interpreters: [cp311, cp313]
abi3: cp311
platforms: [manylinux_2_31_x86_64]
build: {floor: {option: "--py-limited-api={floor}"}}
test: {run: echo every trial}
overrides:
  - select: "*@cp313"
    test: {run: echo the newest}
""".replace("SHA256", "cd" * 32)
"""One wheel of the stable ABI, which is tried on two interpreters, on the newer otherwise."""

LOCAL = """\
factory: 1
name: local
source: {git: "file:///srv/local", rev: v1.0}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
"""
"""Built from a tag of a repository on this machine."""

PINNED = f"""\
factory: 1
name: pinned
source: {{sdist: pinned==1.0, sha256: {"ef" * 32}}}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
"""
"""Built from a release whose digest the recipe says."""

NEEDY = """\
factory: 1
name: needy
source: {sdist: needy==1.0}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
build: {requires: [docopt], constraints: ["setuptools<81"]}
test: {requires: [docopt], run: echo tested}
"""
"""Built and tried with what the index may have only as an sdist."""
EMBEDS = """\
factory: 1
name: embeds
source: {url: "https://files.example/embeds-1.0.tar.gz", sha256: SHA256}
interpreters: [cp311, cp313]
platforms: [manylinux_2_31_x86_64]
skip: [{select: "*-manylinux_*", reason: its programs alone}]
build: {locked: false, before: [touch generated.c], env: {COLOUR: blue}, pass-env: [TOKEN]}
programs: {run: [cargo test --no-default-features, cargo run]}
""".replace("SHA256", "a1" * 32)
"""A crate of maturin's whose programs link libpython, without its wheels."""

UNSEEN = """\
factory: 1
name: unseen
source: {url: "https://files.example/unseen-1.0.tar.gz", sha256: SHA256}
interpreters: [cp311, cp313]
platforms: [manylinux_2_31_x86_64]
build: {locked: false, interpreter: none}
""".replace("SHA256", "b2" * 32)
"""A wheel of the stable ABI, built by maturin without an interpreter."""

TARGETS = """\
factory: 1
name: targets
source: {url: "https://files.example/targets-1.0.tar.gz", sha256: SHA256}
interpreters: [cp311, cp313]
platforms: [manylinux_2_31_x86_64]
build:
  backend: bazel
  bazel: {target: //:core, module: targets.core, version: "1.0"}
  args: [--config=release]
  before: [touch generated.c]
""".replace("SHA256", "c3" * 32)
"""Built by Bazel for two interpreters; its files state no metadata."""

_HASH = "0123456789abcdef"

BAZELS = "/work/bazel-cache/cas/made"
"""What Bazel leaves in its cache: a sign for each build since it was empty."""

_NOW_S = 1_800_000_000
_SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
_MATURIN = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'
_CARGO = (
    '[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'
    '[lib]\ncrate-type = ["cdylib"]\n[dependencies]\npyo3 = {pyo3}\n'
)
_ASKED = {"unseen": '{ version = "0.26", features = ["abi3-py311"] }'}
_LOCK = b'version = 4\n[[package]]\nname = "pyo3"\nversion = "0.26.0"\nsource = "registry+https://crates.example/"\n'


def sources_of(name: str, requires: Sequence[str] = ()) -> Mapping[str, str]:
    """Return a project's files; `requires` is what its build needs beside its backend."""
    if name == "targets":
        return {"WORKSPACE": "", "BUILD": "", "core.c": ""}
    project = f'[project]\nname = "{name}"\nversion = "1.0"\n'
    if name in ("hashes", "embeds", "unseen"):
        manifest = _CARGO.replace("{name}", name).replace("{pyo3}", _ASKED.get(name, '"0.26"'))
        return {"pyproject.toml": _MATURIN + project, "Cargo.toml": manifest, "src/lib.rs": "// a toy\n"}
    setuptools = _SETUPTOOLS.replace('["setuptools"]', json.dumps(["setuptools", *requires]))
    return {"pyproject.toml": setuptools + project, "tests/test_it.py": "def test_it(): pass\n"}


def sdist_of(name: str, folder: Path, requires: Sequence[str] = ()) -> Path:
    """Write a project's sdist."""
    members = [member(f"{name}-1.0/{path}", text.encode()) for path, text in sources_of(name, requires).items()]
    return make_sdist(folder, members, f"{name}-1.0.tar.gz")


@cache
def wheel_of(name: str, python: str, abi: str, platform: str) -> tuple[str, bytes]:
    """Make a wheel that the gate passes: its file name, and its bytes."""
    filename = f"{name}-1.0-{python}-{abi}-{platform}.whl"
    return filename, stored_wheel(filename, {module_of(name, abi): make_module()})


def module_of(name: str, abi: str) -> str:
    """Name the one extension module of a project."""
    return f"{name}/core.{abi}.so" if abi == "abi3" else f"{name}/core.cpython-{abi[2:]}-x86_64-linux-gnu.so"


def stored_wheel(filename: str, files: Mapping[str, bytes]) -> bytes:
    """Make a wheel of these files without compression: every zlib packs otherwise."""
    info = "-".join(filename.split("-")[:2]) + ".dist-info"
    members = [*files, *(f"{info}/{member}" for member in ("METADATA", "WHEEL", "RECORD"))]
    with TemporaryDirectory() as folder:
        path = make_wheel(Path(folder), files, filename=filename, shape=dict.fromkeys(members, _store))
        return path.read_bytes()


def _store(member: ZipInfo) -> None:
    member.compress_type = ZIP_STORED


def programs(call: Call) -> Answer:
    """Answer every command of a run of these projects well, and leave the files that the factory looks for."""
    do = next((_PROGRAMS[step] for step in _PROGRAMS if STEPS[step](call.argv)), None)
    return Answer() if do is None else do(call)


def _remove(call: Call) -> Answer:
    for path in call.argv[2:]:
        call.files.remove(path)
    return Answer()


def _hook(call: Call) -> Answer:
    order = json.loads(call.argv[-1])
    if order["hook"] == "requires":
        call.files.write("/work/built/requires.json", b'["wheel"]')
        return Answer()
    return _cargo(call) if "CARGO_TARGET_DIR" in call.env else _build(call)


def _cargo(call: Call) -> Answer:
    """Build, and compile what is not compiled yet: one crate of a registry's, and the source's own."""
    missing = [crate for crate in ("libc", "pyo3", "leaf") if call.read(compiled(crate)) is None]
    for crate in missing:
        call.files.write(f"/work/target/release/.fingerprint/{crate}-{_HASH}/lib-{crate}", b"a hash")
        call.files.write(compiled(crate), f"compiled with {call.env['PYO3_PYTHON']}".encode())
    said = "".join(f"   Compiling {crate} v1.0.0\n" for crate in missing)
    _build(call)
    return Answer(output=said)


def compiled(crate: str) -> str:
    """Return where cargo's double puts what it makes of a crate."""
    return f"/work/target/release/deps/lib{crate}-{_HASH}.rlib"


def object_of(name: str) -> str:
    """Return where ccache's double puts what the compiler made of a file."""
    digest = Digest.of(name.encode()).hex
    return f"/work/compiled/{digest[0]}/{digest[1]}/{digest[2:40]}"


def compiles(*names: str, duration_s: float = 60) -> Commands:
    """Answer a build by what ccache does with these files: what it knows is used, and all else is compiled."""

    def answer(call: Call) -> Answer:
        known = [name for name in names if call.read(object_of(name)) is not None]
        for name in names:
            content = call.read(object_of(name)) or f"compiled of {name}".encode()
            call.files.write(object_of(name), content, mtime_s=_NOW_S)
        said = ["preprocessed_cache_hit" if name in known else "cache_miss" for name in names]
        call.files.write("/work/compiled/counts", "\n".join(said).encode())
        call.files.write("/work/compiled/tmp/.cleaned", b"", mtime_s=_NOW_S)
        return replace(_build(call), duration_s=duration_s)

    return answer


def _build(call: Call) -> Answer:
    filename, content = wheel_of(*_subject(call), "linux_x86_64")
    call.files.write(f"/work/built/{filename}", content)
    return Answer()


def _run_bazel(call: Call) -> Answer:
    """Build, and add one sign to what was found in the cache."""
    call.files.write(BAZELS, (call.files.read(BAZELS) or b"") + b"+")
    return _build(call)


def _repair(call: Call) -> Answer:
    filename, content = wheel_of(*_subject(call), call.argv[call.argv.index("--plat") + 1])
    call.files.write(f"/work/repaired/{filename}", content)
    return Answer()


def _subject(call: Call) -> tuple[str, str, str]:
    """Return the recipe, the Python tag and the ABI tag of the cell that a container is for."""
    recipe, _, cell = call.spec.label.partition("/")
    python, abi, _ = cell.split("-")
    return recipe, python, abi


def _compile(call: Call) -> Answer:
    call.files.write("/work/tools/site/tool.pyc", b"bytecode")
    return Answer()


def _fetch(call: Call) -> Answer:
    call.files.write("/work/fetch/Cargo.lock", _LOCK)
    call.files.write("/work/cargo/registry/pyo3.crate", b"a crate")
    return Answer()


def _list_packages(call: Call) -> Answer:
    call.files.write("/work/manifest", b"libwords-dev:amd64=1.0\n")
    return Answer()


def instead(step: str, *answers: Answer | Exception | Commands, of: str = "") -> Commands:
    """Answer the first commands of a step so, one after the other; all else as `programs` does.

    `of` is how the label of the container begins. An exception is raised, as by a fault of the factory's own.
    """
    left, lock = list(answers), Lock()

    def answer(call: Call) -> Answer:
        with lock:
            is_meant = bool(left) and call.spec.label.startswith(of) and STEPS[step](call.argv)
            given = left.pop(0) if is_meant else programs
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, Answer) else given(call)

    return answer


def _holds(*words: str) -> Callable[[tuple[str, ...]], bool]:
    return lambda argv: all(any(word in part for part in argv) for word in words)


STEPS: Mapping[str, Callable[[tuple[str, ...]], bool]] = MappingProxyType(
    {
        "probe": _holds("probe", "/opt/python"),
        "package-sources": _holds("prepare", "/etc/apt/sources.list"),
        "packages": _holds("prepare", "apt-get -q install"),
        "package-list": _holds("prepare", "tee /work/manifest"),
        "compile-tools": _holds("compileall"),
        "crates": _holds("cargo", "fetch"),
        "environment": _holds("venv"),
        "install": _holds("pip", "install", "--no-deps"),
        "requirements": _holds("/tools/frontend.py", '"requires"'),
        "reset-source": lambda argv: argv[:2] == ("rm", "-rf"),
        "before": _holds("touch generated.c"),
        "no-interpreter": _holds("no-interpreter"),
        "maturin": _holds("maturin", "pep517"),
        "programs": _holds("INSTSONAME"),
        "bazel": _holds("--output_user_root"),
        "build": _holds("/tools/frontend.py", '"wheel"'),
        "repair": _holds("auditwheel", "repair"),
        "load": _holds("LD_TRACE_LOADED_OBJECTS"),
        "trial install": _holds("pip", "install", "--find-links"),
        "import": _holds("/tools/trying.py"),
        "test": _holds("mkdir -p /work/run"),
    }
)
"""The commands of a run by the names of their steps."""

_PROGRAMS: Mapping[str, Commands] = MappingProxyType(
    {
        "probe": lambda _: Answer(output=PROBED),
        "package-list": _list_packages,
        "compile-tools": _compile,
        "crates": _fetch,
        "requirements": _hook,
        "reset-source": _remove,
        "build": _hook,
        "maturin": _build,
        "bazel": _run_bazel,
        "repair": _repair,
    }
)
