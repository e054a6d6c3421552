"""Why builds and tests fail: the words of the tool that gave up, and the recipe's line to write.

The messages are those of setuptools 65 to 84, CMake 3.18 and 4.4, meson 1.12, gcc 10 and 12, cargo 1.95, and the
others of which `tests/data/causes` holds the output; every row has one there.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Template
from typing import Final, Literal

from factory.diagnoses import ways
from factory.diagnoses.cases import Diagnosis
from factory.diagnoses.searchable import Searchable, one_line, searchable

Kind = Literal["build", "test", "reason"]
"""Where a cause is looked for; a `reason` is a tool's own sentence, without a way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a tool prints, and what it means. `$names` are the groups of the pattern; `way` makes a hint of `wanted`.

    Without a sentence, the lines that the pattern touches are one.
    """

    kind: Kind
    patterns: tuple[re.Pattern[str], ...]
    sentence: str
    hint: str = ""
    way: Callable[[str], str] | None = None

    def found(self, text: Searchable) -> Iterator[re.Match[str]]:
        """Yield every place where the tool says so."""
        for pattern in self.patterns:
            yield from pattern.finditer(text)

    def diagnosis(self, match: re.Match[str]) -> Diagnosis[Kind]:
        """Return what a place means."""
        names = {name: _tidy(value) for name, value in match.groupdict(default="").items()}
        hint = _filled(self.hint, names) if self.way is None else self.way(names["wanted"])
        sentence = _filled(self.sentence, names) if self.sentence else _lines(match)
        return Diagnosis(kind=self.kind, sentence=sentence, hint=hint)


def _lines(match: re.Match[str]) -> str:
    """Return the line that a match touches as it was printed, or several in one."""
    start = match.string.rfind("\n", 0, match.start() + 1) + 1
    end = match.string.find("\n", match.end())
    lines = match.string[start : None if end < 0 else end].strip()
    return _tidy(lines) if "\n" in lines else lines


def _tidy(value: str) -> str:
    return one_line(Searchable(value)).strip()


def _filled(text: str, names: Mapping[str, str]) -> str:
    return Template(text).safe_substitute(names)


def _cause(
    *expressions: str, says: str = "", hint: str = "", way: Callable[[str], str] | None = None, kind: Kind = "build"
) -> Cause:
    patterns = tuple(re.compile(expression, re.MULTILINE) for expression in expressions)
    return Cause(kind=kind, patterns=patterns, sentence=says, hint=hint, way=way)


_CMAKE: Final = r"^[ \t]{0,20}CMake Error at [^\n]{1,300}:\n[ \t]{0,20}"
_WHERE: Final = r"^(?P<where>[^\s:][^\n:]{0,300}):\d{1,9}:\d{1,9}: "
_GIT: Final = "is the folder a submodule, or left out of the sdist? source: {git: …, rev: …} brings submodules along"
_VERSION: Final = (
    "the source has no .git: take the sdist, or say the version: build: {env: {SETUPTOOLS_SCM_PRETEND_VERSION: 1.2.3}}"
)
_TOOLCHAIN: Final = "name an image with a newer compiler (images: {…}), or take a release that is content with this one"
_RUST: Final = "build in an image with a newer Rust, or take a release that is content with this one"
_UPWARD: Final = 'take the source from the folder above: source: {path: .., subdir: "…"}'
_MEMORY: Final = (
    "raise build: {memory: …}, or run fewer compilers at once: build: {env: {CMAKE_BUILD_PARALLEL_LEVEL: 1}}"
)
_SPACE: Final = "raise build: {disk: …}; /tmp has a limit of its own: build: {env: {TMPDIR: /work/tmp}} avoids it"
_WRITABLE: Final = (
    "a build may write below /work and /tmp: let it install there; system packages come by build: {system: …}"
)
_PYTHON_API: Final = (
    "the code is not ready for this interpreter: take a newer release, or leave the interpreter out of `interpreters`"
)
_FIND_PYTHON: Final = (
    "no interpreter here has libpython: let the project ask for Development.Module instead of Development (patches)"
)

CAUSES: Final = (
    # Python: what a build requires
    _cause(
        r"^scikit_build_core\.errors\.CMakeNotFoundError: (?P<said>[^\n]{1,200}>=(?P<version>[\d.]{1,20}+))",
        says="$said",
        hint='constrain what the project asks of CMake, or build: {requires: ["cmake>=$version"]}',
    ),
    _cause(
        r"^ModuleNotFoundError: No module named '(?P<wanted>imp|asyncore|asynchat|smtpd|cgi|pipes)'$",
        hint=_PYTHON_API,
    ),
    _cause(
        r"^ModuleNotFoundError: No module named '(?P<wanted>puccinialin)'$",
        r"^error: can't find (?P<wanted>Rust) compiler$",
        hint='build: {toolchain: {rust: ">=1.80"}} brings Rust',
    ),
    _cause(
        r"^ModuleNotFoundError: No module named '(?P<wanted>[\w.]{1,100})'(?:; '[^\n]{1,200})?$",
        way=ways.module,
    ),
    _cause(
        r"^[^\n]{0,200}?ERROR: \S{1,200}+ is missing modules: (?P<wanted>[\w.]{1,100})",
        way=ways.module,
    ),
    _cause(
        r"^ImportError: cannot import name '(?P<name>\w{1,100})' from '(?P<wanted>setuptools[\w.]{0,100})'",
        hint='build: {constraints: …} or {requires: ["setuptools<58"]} takes an older one',
    ),
    # versions from git
    _cause(
        r"^LookupError: (?P<said>(?:Error getting the version from source `vcs`: )?setuptools-scm was unable to detect"
        r" version)[\s\S]{0,1500}?SETUPTOOLS_SCM_PRETEND_VERSION_FOR_(?P<dist>[A-Z0-9_]{1,100})",
        says="$said: the source has no .git",
        hint="take the sdist, or say the version: build: {env: {SETUPTOOLS_SCM_PRETEND_VERSION_FOR_$dist: 1.2.3}}",
    ),
    _cause(
        r"^LookupError: (?P<said>(?:Error getting the version from source `vcs`: )?setuptools-scm was unable to detect"
        r" version)",
        says="$said: the source has no .git",
        hint=_VERSION,
    ),
    _cause(
        r"ConfigError: (?P<said>Cannot find the version from SCM or SCM isn't detected)",
        says="$said",
        hint="take the sdist, or say the version: build: {env: {PDM_BUILD_SCM_VERSION: 1.2.3}}",
    ),
    _cause(
        r"^subprocess\.CalledProcessError: Command '\['git', (?P<wanted>[^\n]{1,200}?)\]' returned non-zero",
        says="the build asks git: $wanted; the source has no .git",
        hint="take the sdist, which says its version, or patch the question out (patches)",
    ),
    # what a backend refuses
    _cause(
        r"(?P<said>`py_limited_api='\w{1,20}'` not supported\. `Py_LIMITED_API` is[^\n.]{1,100}`Py_GIL_DISABLED`)",
        says="setuptools: $said",
        hint="let setup.py leave py_limited_api out where Py_GIL_DISABLED is set (patches), or leave the "
        "free-threaded interpreters out of `interpreters`",
    ),
    _cause(
        r"error: (?P<said>Multiple top-level (?:packages|modules) discovered in a flat-layout: [^\n]{1,300})",
        says="setuptools: $said",
        hint="name the packages in [tool.setuptools] of pyproject.toml (patches)",
    ),
    _cause(
        r"^ValueError: (?P<said>Unable to determine which files to ship inside the wheel)",
        hint="name them under [tool.hatch.build.targets.wheel] in pyproject.toml (patches)",
    ),
    _cause(
        r"^ValueError: (?P<said>No file/folder found for module \S{1,100})",
        hint="is the source the right folder? source: {subdir: …} names another",
    ),
    _cause(
        r"^ValueError: (?P<said>invalid pyproject\.toml config: `[^`\n]{1,100}`)",
        says="setuptools: $said",
        hint='another setuptools may read it: build: {requires: ["setuptools>=77"]}, or "setuptools<77"',
    ),
    _cause(
        r"^(?:ValueError|OSError): (?P<said>Readme (?:path must be within the project directory|file does not exist): "
        r"\.\./[^\n]{1,200})",
        says="$said",
        hint=_UPWARD,
    ),
    _cause(
        r"^UnicodeDecodeError: (?P<said>'ascii' codec can't decode byte 0x[0-9a-f]{2})",
        hint='build: {env: {PYTHONUTF8: "1"}}',
    ),
    # Cython and Python's C API
    _cause(
        r"^(?P<said>[^\s:][^\n:]{0,200}\.(?:pyx|pxd|pxi|py):\d{1,9}:\d{1,9}: [^\n]{1,300})\n"
        r"(?:[^\n]{0,300}\n){0,60}?Cython\.Compiler\.Errors\.CompileError",
        says="Cython: $said",
        hint='the code may be for an older Cython: build: {requires: ["cython<3"]}',
    ),
    _cause(
        r"^(?P<where>[^\s:][^\n:]{0,300}):\d{1,9}:\d{1,9}: fatal error: longintrepr\.h: No such file",
        hint="the C code was generated by an old Cython: take a source without it, and build: {requires: [cython]}",
    ),
    _cause(
        _WHERE + r"error: (?P<said>[^\n]{0,60}\bPy\w{1,60}+[^\n]{0,60} has no member named [^\n;]{1,80})",
        hint=_PYTHON_API,
    ),
    _cause(
        r'error: #error "The limited API is not currently supported in the free-threaded build"',
        hint="let the project leave Py_LIMITED_API out where Py_GIL_DISABLED is set (patches), or leave the "
        "free-threaded interpreters out of `interpreters`",
    ),
    # headers and libraries
    _cause(
        _WHERE + r"fatal error: (?P<wanted>format|expected|print|source_location|stacktrace|mdspan|generator|flat_map):"
        r" No such file",
        hint=_TOOLCHAIN,
    ),
    _cause(
        _WHERE + r"fatal error: (?P<wanted>\S{1,200}): No such file or directory",
        way=ways.header,
    ),
    _cause(
        r"^cc1(?:plus)?: fatal error: (?P<wanted>\S{1,200}): No such file or directory",
        hint=_GIT,
    ),
    _cause(
        r"(?:/|\b)ld(?:\.\w{1,10})?: cannot find -l(?P<wanted>[\w.+-]{1,100})",
        r"rust-lld: error: unable to find library -l(?P<wanted>[\w.+-]{1,100})",
        way=ways.library,
    ),
    _cause(
        r"^[ \t]{0,20}Package '(?P<wanted>[^'\n]{1,100})', required by '[^'\n]{1,100}', not found",
        r"^[ \t]{0,20}No package '(?P<wanted>[^'\n]{1,100})' found",
        r"The system library `(?P<wanted>[^`\n]{1,100})` required by crate `[^`\n]{1,100}` was not found",
        _CMAKE + r"The following required packages were not found:\n\s{1,40}- (?P<wanted>\S{1,100})",
        says="pkg-config does not know $wanted",
        way=ways.pkg_config,
    ),
    _cause(
        r"^[ \t]{0,20}Package '(?P<wanted>[^'\n]{1,100})' has version '(?P<has>[^'\n]{1,40})', required version is "
        r"'(?P<asked>[^'\n]{1,40})'",
        says="$wanted $has is here, and $asked is required",
        hint="build in an image of a newer distribution: images: {…}, or take a release that is content with it",
    ),
    _cause(
        r"^[^\n]{0,200}?ERROR: Dependency \"(?P<wanted>[^\"\n]{1,100})\" not found",
        way=ways.pkg_config,
    ),
    _cause(
        r"^[^\n]{0,200}?ERROR: C(?:\+\+)? (?:shared or static )?library '(?P<wanted>[^'\n]{1,100})' not found",
        way=ways.library,
    ),
    _cause(
        r"^[^\n]{0,200}?ERROR: (?P<said>C(?:\+\+)? header '(?P<wanted>[^'\n]{1,100})' not found)",
        way=ways.header,
    ),
    _cause(
        r"Unable to find libclang: \"(?P<wanted>[^\n\"]{1,100})",
        hint="build: {system: {apt: [libclang-dev], dnf: [clang-devel], apk: [clang-dev]}}",
    ),
    # CMake
    _cause(
        _CMAKE + r"(?P<said>Could NOT find Python[23]? \([^)]{1,300}\bNumPy\))",
        says="CMake: $said",
        hint="build: {requires: [numpy]}",
    ),
    _cause(
        _CMAKE
        + r"(?P<said>Could NOT find (?P<wanted>Python[23]?)\b[^\n]{0,100}[\s\S]{0,400}?Development[^)]{0,200}\))",
        says="CMake: $said",
        hint=_FIND_PYTHON,
    ),
    _cause(
        _CMAKE + r"(?P<said>Could NOT find Python[23]?: Found unsuitable version[^(]{1,200})",
        says="CMake: $said",
        hint="it looked at another Python than the one that builds: pass -DPython3_EXECUTABLE, or let the project "
        "use find_package(Python) with CMake 3.15 or later",
    ),
    _cause(
        _CMAKE + r"(?P<said>Could NOT find (?P<wanted>[\w-]{1,60}) \([^)]{1,200}\))",
        says="CMake: $said",
        way=ways.found,
    ),
    _cause(
        _CMAKE + r"By not providing \"Find(?P<wanted>[\w-]{1,60})\.cmake\"",
        r"Could not find a package configuration file provided by\s{1,40}\"(?P<wanted>[\w-]{1,60})\"",
        says="CMake: Could not find a package configuration file provided by $wanted",
        way=ways.cmake_config,
    ),
    _cause(
        r"^[ \t]{0,20}No CMAKE_(?P<language>\w{1,40})_COMPILER could be found",
        says="CMake: No CMAKE_${language}_COMPILER could be found",
        hint="build: {system: {apt: [NAME]}} with the compiler: gfortran for Fortran, nasm for ASM_NASM",
    ),
    _cause(
        r"^[ \t]{0,20}(?P<said>CMake [\d.]{1,20} or higher is required\.\s{1,9}You are running version [\d.]{1,20}\d)",
        says="$said",
        hint="build: {requires: [cmake]} brings a newer one",
    ),
    _cause(
        r"^[ \t]{0,20}(?P<said>Compatibility with CMake < [\d.]{1,9}\d has been removed from CMake)",
        says="$said",
        hint='build: {env: {CMAKE_POLICY_VERSION_MINIMUM: "3.5"}}, or {requires: ["cmake<4"]}',
    ),
    _cause(
        r"CMake was unable to find a build program corresponding to \"(?P<wanted>Ninja)\"",
        hint="build: {requires: [ninja]}",
    ),
    _cause(
        _CMAKE + r"The source directory\s{1,40}(?P<wanted>\S{1,300})\s{1,40}does not contain a CMakeLists\.txt file",
        says="CMake: the source directory $wanted does not contain a CMakeLists.txt file",
        hint=_GIT,
    ),
    _cause(
        _CMAKE + r"Cannot find source file:\s{1,40}(?P<wanted>\S{1,300})",
        says="CMake: Cannot find source file: $wanted",
        hint=_GIT,
    ),
    _cause(
        r"^[ \t]{0,20}CMake Error at [^\n]{1,300} \(find_program\):\n[ \t]{0,20}"
        r"(?P<said>Could not find \S{1,100} using the following names: (?P<wanted>[\w.+-]{1,100}))",
        says="CMake: $said",
        way=ways.program,
    ),
    _cause(
        _CMAKE + r"(?P<said>Could not find \S{1,100} using the following names: (?P<wanted>[\w.+-]{1,100}))",
        says="CMake: $said",
        way=ways.library,
    ),
    _cause(
        _CMAKE + r"[\s\S]{0,200}?(?P<wanted>[\w+-]{1,60}::[\w+-]{1,60})\s{1,40}but the target was not found",
        says="CMake: the target $wanted was not found",
        hint=_GIT,
    ),
    # meson
    _cause(
        r"^[^\n]{0,200}?ERROR: Unknown compiler\(s\): \[\['(?P<wanted>[\w+-]{1,60})'\]",
        way=ways.program,
    ),
    _cause(
        r"^[^\n]{0,200}?ERROR: Attempted to resolve subproject without subprojects directory present",
        r"^[^\n]{0,200}?ERROR: Nonexistent build file '[^'\n]{1,200}'",
        hint=_GIT,
    ),
    _cause(
        r"^[^\n]{0,200}?ERROR: (?P<said>Meson version is [\d.]{1,20} but project requires (?P<wanted>[^\n]{1,40}))",
        hint='build: {requires: ["meson$wanted"]}',
    ),
    # programs
    _cause(
        r"^(?:/bin/)?(?:ba)?sh: (?:line )?(?:\d{1,9}: )?(?P<wanted>[\w+-]{1,60}): (?:command )?not found$",
        r"^error: command '(?P<wanted>[\w+-]{1,60})' failed: No such file or directory",
        r"\[Errno 2\] No such file or directory: '(?P<wanted>[\w+-]{1,60})'$",
        r"^make(?:\[\d{1,9}\])?: (?P<wanted>[\w+-]{1,60}): No such file or directory$",
        r"^[^\n]{0,200}?ERROR: Program '(?P<wanted>[\w+-]{1,60})' not found or not executable",
        r"^[ \t]{0,20}is `(?P<wanted>[\w+-]{1,60})` not installed\?",
        r"Could not find `(?P<wanted>protoc)`",
        way=ways.program,
    ),
    _cause(
        r"\[Errno 2\] No such file or directory: '(?P<wanted>[^'\n]{1,200})'$",
        hint=_GIT,
    ),
    _cause(
        r"^Can't locate (?P<wanted>[\w/]{1,100})\.pm in @INC \(you may need to install the (?P<module>[\w:]{1,100})",
        says="Can't locate $wanted.pm in @INC",
        hint='build: {system: {apt: [NAME], dnf: ["perl($module)"]}}; Debian calls it lib…-perl',
    ),
    # compilers
    _cause(
        r"error: unrecognized command[- ]line option [\u2018'](?P<wanted>-std=[\w+]{1,20})[\u2019']",
        hint=_TOOLCHAIN,
    ),
    _cause(
        r"error: unrecognized command[- ]line option [\u2018'](?P<wanted>[^\u2019'\n]{1,100})[\u2019']",
        hint="take the option away by build: {env: {CFLAGS: …}} or the project's own setting, or use a newer compiler",
    ),
    _cause(
        r"fatal error: (?P<said>Killed signal terminated program \w{1,40})",
        r"(?P<said>virtual memory exhausted: Cannot allocate memory|^MemoryError$|memory allocation of \d{1,20} bytes"
        r" failed)",
        r"internal compiler error: (?P<said>Segmentation fault signal terminated program \w{1,40})",
        hint=_MEMORY,
    ),
    _cause(r"No space left on device", hint=_SPACE),
    _cause(
        r"/[^'\u2019\n:]{1,200}['\u2019]?: Read-only file system",
        r"Read-only file system: '[^'\n]{1,200}'",
        r"cannot \w{1,20} (?:regular file|directory) ['\u2018]/[^'\u2019\n]{1,200}['\u2019]: Permission denied",
        r"^PermissionError: \[Errno 13\] Permission denied: '[^'\n]{1,200}'",
        hint=_WRITABLE,
    ),
    _cause(
        r"^KeyError: (?P<said>'getpwuid\(\): uid not found: \d{1,10}')",
        r"^OSError: (?P<said>No username set in the environment)",
        r"^RuntimeError: (?P<said>Could not determine home directory)",
        hint="build: {env: {USER: build, HOME: /work/home}}",
    ),
    # Rust
    _cause(
        r"^error: rustc (?P<has>[\d.]{1,20}) is not supported by the following package[^\n]{0,9}\n"
        r"[ \t]{0,9}(?P<wanted>[^\n]{1,100}? requires rustc [\d.]{1,20})",
        says="$wanted; rustc $has is here",
        hint=_RUST,
    ),
    _cause(
        r"^[ \t]{0,9}(?P<said>this version of Cargo is older than the `\d{4}` edition)",
        says="$said",
        hint=_RUST,
    ),
    _cause(
        r"^error: current package believes it's in a workspace when it's not:\ncurrent:[^\n]{1,300}\n"
        r"workspace:[ \t]{1,9}(?P<wanted>[^\n]{1,300})",
        says="cargo: current package believes it's in a workspace when it's not: $wanted does not list it",
        hint="let that Cargo.toml list it under members or exclude (patches)",
    ),
    _cause(
        r"^[ \t]{0,9}(?P<said>failed to find a workspace root)",
        says="cargo: $said: the crate takes settings from a workspace that the source does not hold",
        hint=_UPWARD,
    ),
    _cause(
        r"^error: failed to get `(?P<wanted>[^`\n]{1,100})` as a dependency[\s\S]{0,600}?failed to read "
        r"`(?P<file>[^`\n]{1,300})`\s{1,20}Caused by:\s{1,20}No such file",
        says="cargo: the crate $wanted is to lie at $file, which the source does not hold",
        hint=_UPWARD,
    ),
    _cause(
        r"^error: (?P<said>the configured Python interpreter version \([\d.]{1,9}\) is newer than PyO3's maximum "
        r"supported version \([\d.]{1,9}\))",
        r"^[ \t]{1,9}error: (?P<said>the configured Python interpreter version \([\d.]{1,9}\) is newer than PyO3's "
        r"maximum supported version \([\d.]{1,9}\))",
        says="PyO3: $said",
        hint="take a release with a newer PyO3, or leave the interpreter out of `interpreters`",
    ),
    _cause(
        r"error\[E0463\]: (?P<said>can't find crate for `std`)[\s\S]{0,300}?the `(?P<wanted>[\w-]{1,60})` target",
        says="Rust: $said of $wanted",
        hint="the image's Rust compiles for its own platform alone: do not name another target in build: {env: …}",
    ),
    _cause(
        r"error\[E0554\]: (?P<said>`#!\[feature\]` may not be used on the stable release channel)",
        hint='build: {env: {RUSTC_BOOTSTRAP: "1"}} allows it, or take a release without it',
    ),
    _cause(
        r"💥 maturin failed\n[ \t]{1,9}Caused by: (?P<said>manifest path `[^`\n]{1,200}` does not exist or is invalid)",
        hint="is the source the right folder? source: {subdir: …} names another",
    ),
    # tests
    _cause(
        r"^(?:E {1,9})?ModuleNotFoundError: No module named '(?P<wanted>[\w.]{1,100})'",
        r": No module named (?P<wanted>[\w.]{1,100})$",
        hint="",
        way=lambda name: f"test: {{requires: [{ways.distribution(name)}]}}, unless the wheel itself should hold it",
        kind="test",
    ),
    _cause(
        r"^E {1,9}fixture '(?P<wanted>\w{1,100})' not found",
        hint="test: {requires: […]} with pytest and the plugin that has it (mocker: pytest-mock, benchmark: "
        "pytest-benchmark, datadir: pytest-datadir), or let a conftest.py define it",
        kind="test",
    ),
    _cause(
        r"error: unrecognized arguments: (?P<wanted>--[\w-]{1,60})",
        hint="test: {requires: […]} with the plugin that has it (--cov: pytest-cov, -n: pytest-xdist, --timeout: "
        "pytest-timeout), or leave it out of test: {run: …}",
        kind="test",
    ),
    _cause(
        r"^ERROR: (?P<said>file or directory not found: [^\n]{1,200})",
        hint="tests of the source are at {source}: test: {run: pytest {source}/tests}; an sdist may not hold them",
        kind="test",
    ),
)
"""The last place in the output decides; where two causes begin at one place, the first of the table."""

REASONS: Final = (
    _cause(
        _CMAKE + r"(?P<said>\S[^\n]{0,300}(?:\n[ \t]{1,20}\S[^\n]{0,300}){0,3})", says="CMake: $said", kind="reason"
    ),
    _cause(r"^(?P<said>[^\s:][^\n:]{0,200}:\d{1,9}:\d{1,9}: ERROR: [^\n]{1,300})", says="$said", kind="reason"),
    _cause(
        r"^(?P<said>[^\s:][^\n:]{0,300}:\d{1,9}:\d{1,9}: (?:fatal )?error: [^\n]{1,300})", says="$said", kind="reason"
    ),
    _cause(r"^(?P<said>error\[E\d{1,9}\]: [^\n]{1,300})", says="$said", kind="reason"),
)
"""A tool's own words where the table has no way out: the first counts, what follows it is its consequence."""


def explain_command(output: str, kind: Literal["build", "test"]) -> Diagnosis[Kind] | None:
    """Explain why a command failed, if a tool's message is known; without a hint where only its reason is."""
    text = searchable(output)
    causes = [cause for cause in CAUSES if cause.kind == kind]
    found = [(match.start(), -row, cause, match) for row, cause in enumerate(causes) for match in cause.found(text)]
    reasons = [(match.start(), cause, match) for cause in REASONS for match in cause.found(text)]
    last = max(found, key=lambda place: place[:2], default=None)
    first = min(reasons, key=lambda place: place[0], default=None)
    if last is not None and (first is None or last[0] >= first[0]):
        return last[2].diagnosis(last[3])
    return None if first is None else first[1].diagnosis(first[2])
