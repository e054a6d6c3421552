"""What builds lack of Python, versions that they ask git for, and what backends refuse."""

from typing import Final

from factory.diagnoses import ways
from factory.diagnoses.causes.cause import NOT_READY, UPWARD, cause

_VERSION: Final = (
    "the source has no .git: use the sdist, or state the version: build: {env: {SETUPTOOLS_SCM_PRETEND_VERSION: 1.2.3}}"
)

CAUSES: Final = (
    # Python: what a build requires
    cause(
        r"^scikit_build_core\.errors\.CMakeNotFoundError: (?P<said>[^\n]{1,200}>=(?P<version>[\d.]{1,20}+))",
        says="$said",
        hint='constrain what the project asks of CMake, or build: {requires: ["cmake>=$version"]}',
    ),
    cause(
        r"^ModuleNotFoundError: No module named '(?P<wanted>imp|asyncore|asynchat|smtpd|cgi|pipes)'$",
        hint=NOT_READY,
    ),
    cause(
        r"^ModuleNotFoundError: No module named '(?P<wanted>puccinialin)'$",
        r"^error: can't find (?P<wanted>Rust) compiler$",
        hint='build: {toolchain: {rust: ">=1.80"}} brings Rust',
    ),
    cause(
        r"^ModuleNotFoundError: No module named '(?P<wanted>[\w.]{1,100})'(?:; '[^\n]{1,200})?$",
        way=ways.module,
    ),
    cause(
        r"^[^\n]{0,200}?ERROR: \S{1,200}+ is missing modules: (?P<wanted>[\w.]{1,100})",
        way=ways.module,
    ),
    cause(
        r"^ImportError: cannot import name '(?P<name>\w{1,100})' from '(?P<wanted>setuptools[\w.]{0,100})'",
        hint='build: {constraints: …} or {requires: ["setuptools<58"]} takes an older one',
    ),
    # versions from git
    cause(
        r"^LookupError: (?P<said>(?:Error getting the version from source `vcs`: )?setuptools-scm was unable to detect"
        r" version)[\s\S]{0,1500}?SETUPTOOLS_SCM_PRETEND_VERSION_FOR_(?P<dist>[A-Z0-9_]{1,100})",
        says="$said: the source has no .git",
        hint="use the sdist, or state the version: build: {env: {SETUPTOOLS_SCM_PRETEND_VERSION_FOR_$dist: 1.2.3}}",
    ),
    cause(
        r"^LookupError: (?P<said>(?:Error getting the version from source `vcs`: )?setuptools-scm was unable to detect"
        r" version)",
        says="$said: the source has no .git",
        hint=_VERSION,
    ),
    cause(
        r"ConfigError: (?P<said>Cannot find the version from SCM or SCM isn't detected)",
        says="$said",
        hint="use the sdist, or state the version: build: {env: {PDM_BUILD_SCM_VERSION: 1.2.3}}",
    ),
    cause(
        r"^subprocess\.CalledProcessError: Command '\['git', (?P<wanted>[^\n]{1,200}?)\]' returned non-zero",
        says="the build runs git: $wanted; the source has no .git",
        hint="use the sdist, which states its version, or patch the call out (patches)",
    ),
    # what a backend refuses
    cause(
        r"(?P<said>`py_limited_api='\w{1,20}'` not supported\. `Py_LIMITED_API` is[^\n.]{1,100}`Py_GIL_DISABLED`)",
        says="setuptools: $said",
        hint="let setup.py leave py_limited_api out where Py_GIL_DISABLED is set (patches), or leave the "
        "free-threaded interpreters out of `interpreters`",
    ),
    cause(
        r"error: (?P<said>Multiple top-level (?:packages|modules) discovered in a flat-layout: [^\n]{1,300})",
        says="setuptools: $said",
        hint="name the packages in [tool.setuptools] of pyproject.toml (patches)",
    ),
    cause(
        r"^ValueError: (?P<said>Unable to determine which files to ship inside the wheel)",
        hint="name them under [tool.hatch.build.targets.wheel] in pyproject.toml (patches)",
    ),
    cause(
        r"^ValueError: (?P<said>No file/folder found for module \S{1,100})",
        hint="is the source the right folder? source: {subdir: …} names another",
    ),
    cause(
        r"^ValueError: (?P<said>invalid pyproject\.toml config: `[^`\n]{1,100}`)",
        says="setuptools: $said",
        hint='another setuptools may read it: build: {requires: ["setuptools>=77"]}, or "setuptools<77"',
    ),
    cause(
        r"^(?:ValueError|OSError): (?P<said>Readme (?:path must be within the project directory|file does not exist): "
        r"\.\./[^\n]{1,200})",
        says="$said",
        hint=UPWARD,
    ),
    cause(
        r"^UnicodeDecodeError: (?P<said>'ascii' codec can't decode byte 0x[0-9a-f]{2})",
        hint='build: {env: {PYTHONUTF8: "1"}}',
    ),
)
