"""The grammar of every text in a recipe: each function reads one word, or refuses it with a hint."""

import re
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.catalogue import STABLE, ZIG, is_rust_release
from factory.digest import Digest
from factory.form.kinds import RefusalError
from factory.form.problems import quote
from factory.untrusted import (
    UntrustedTextError,
    parse_project_name,
    parse_requirement,
    parse_specifiers,
    parse_version,
)

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FEATURE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_+.-]*)?")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.+-]*[A-Za-z0-9+])?")
_SELECTOR = re.compile(r"[A-Za-z0-9_.*?\[\]!@-]+")
_MODULE_GLOB = re.compile(r"[\w.*?]+")
_PLACEHOLDER = re.compile(r"(?<!\$)\{(abi|floor|source|wheel)\}")
_LABEL = re.compile(r"(?:@{1,2}[\w.+~-]+)?//[^\s:]*(?::[^\s:]+)?", re.ASCII)
_MANY_TARGETS = re.compile(r"(?:^|/)\.\.\.(?:$|:)|:(?:all|all-targets|\*)$")
_THREADS = re.compile(r"[2-9]|[1-9][0-9]", re.ASCII)
_DEEPEST_PARENTHESES = 20
_PARTS_OF_AN_ID = 3

# Names that would change which interpreter and which time a build uses, each with the reason.
_FORBIDDEN_ENV = {
    "PYO3_NO_PYTHON": "write build: {interpreter: none}, which sets it and hides interpreters from the build",
    "PYO3_PYTHON": "remove it: the factory sets it for each cell, to an interpreter of the recipe",
    "PYO3_CROSS_INCLUDE_DIR": "remove it: removed in PyO3 0.14, which needs no headers; name machines under platforms",
    "PYO3_CROSS_LIB_DIR": "remove it: the factory says which Python each cell is for, and PyO3 would look for its "
    "_sysconfigdata*.py there; name machines under platforms",
    "_PYTHON_HOST_PLATFORM": "remove it: it would change only the wheel's name; name machines under platforms",
    "VIRTUAL_ENV": "remove it: the factory chooses an interpreter for each cell, and the build would look there",
    "CONDA_PREFIX": "remove it: the factory chooses an interpreter for each cell, and the build would look there",
    "SOURCE_DATE_EPOCH": "remove it: the factory takes it from the source, so the same source gives the same wheel",
    "PATH": "remove it: the factory sets it; name folders to put before it under build.path",
}
_ALLOWED_PYO3 = "PYO3_USE_ABI3_FORWARD_COMPATIBILITY"


def line(text: str) -> str:
    """Read any text without placeholders."""
    return without_placeholders(text, "")


def without_placeholders(text: str, known: str) -> str:
    """Refuse `{abi}`, `{floor}`, `{source}` and `{wheel}` but for the ones named in `known`."""
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in known.split():
            home = "build.floor" if match[1] in ("abi", "floor") else "test.run"
            raise RefusalError(f"{match.group()} is not replaced here", f"it is replaced only in {home}")
    return text


def trial_script(text: str) -> str:
    """Read a shell line that may hold `{source}` and `{wheel}`."""
    return without_placeholders(text, "source wheel")


def command(text: str) -> str:
    """Read a shell line that runs something: a comment alone does not."""
    if not line(text).partition("#")[0].strip(" \t;:"):
        raise RefusalError(f"{quote(text)} runs nothing", "write a command, such as cargo test --no-default-features")
    return text


def floor_text(text: str) -> str:
    """Read a feature or option that may hold `{abi}` and `{floor}`."""
    return without_placeholders(text, "abi floor")


def project_name(text: str) -> NormalizedName:
    """Read a project's name (PEP 503, 508), normalized."""
    try:
        return parse_project_name(text)
    except UntrustedTextError:
        raise RefusalError(f"{quote(text)} is not a project name", "use letters, digits, - _ and .") from None


def extra(text: str) -> NormalizedName:
    """Read one extra's name, normalized."""
    try:
        return parse_project_name(text)
    except UntrustedTextError:
        raise RefusalError(
            f"{quote(text)} is not an extra's name", "write one extra per item, such as [fast, dev]"
        ) from None


def requirement(text: str, hint: str = "write a requirement such as pytest>=8") -> Requirement:
    """Read a requirement as packages declare them (PEP 508)."""
    if text.count("(") > _DEEPEST_PARENTHESES:
        raise RefusalError("nests its parentheses too deeply", hint)
    try:
        return parse_requirement(text)
    except UntrustedTextError:
        raise RefusalError(f"{quote(text)} is not a requirement", hint) from None


def specifier(text: str) -> str:
    """Read a version specifier (PEP 440), kept as text."""
    try:
        return str(parse_specifiers(text))
    except UntrustedTextError:
        raise RefusalError(f"{quote(text)} is not a version specifier") from None


def rust(text: str) -> str:
    """Read a release of Rust, the word for the newest, or a version specifier."""
    if text == STABLE or is_rust_release(text):
        return text
    try:
        return specifier(text)
    except RefusalError:
        hint = (
            "write a release ('1.89' or '1.89.0'), stable, or a version specifier ('>=1.83' or '>=1.83,<1.90'); "
            "no nightly or beta is brought"
        )
        raise RefusalError(f"{quote(text)} is not a release of Rust", hint) from None


def c_compiler(text: str) -> str:
    """Read the name of the compiler that brings its own glibc, or a version specifier of GCC."""
    if text == ZIG:
        return text
    try:
        return specifier(text)
    except RefusalError:
        raise RefusalError(f"{quote(text)} is neither a version of GCC nor {ZIG}", f"write >=10, or {ZIG}") from None


def sha256(text: str) -> Digest:
    """Read 64 hexadecimal digits."""
    try:
        return Digest(text.removeprefix("sha256:"))
    except ValueError:
        hint = "write 64 digits 0-9a-f, as sha256sum prints them"
        raise RefusalError(f"{quote(text)} is not a sha256 digest", hint) from None


def env_name(text: str) -> str:
    """Read the name of an environment variable that a recipe may set for its build."""
    if not _ENV_NAME.fullmatch(text):
        raise RefusalError(f"{quote(text)} is not a variable's name", "use letters, digits and _")
    reason = _FORBIDDEN_ENV.get(text, "")
    if text.startswith("PYO3_") and text not in (_ALLOWED_PYO3, *_FORBIDDEN_ENV):
        reason = f"remove it: the factory sets PyO3's variables; a recipe may set only {_ALLOWED_PYO3}"
    if reason:
        raise RefusalError(f"{text} cannot be set by a recipe", reason)
    return text


def feature(text: str) -> str:
    """Read a cargo feature, or `crate/feature`."""
    return _matching(
        _FEATURE, text, "is not a cargo feature", "write one feature per item, for example simd or pyo3/abi3"
    )


def word(text: str) -> str:
    """Read a single word."""
    return _matching(_WORD, text, "is not a single word", "use letters, digits, - _ . and +")


def package(text: str) -> str:
    """Read the bare name of a distribution's package.

    What package managers read more into is refused: options, globs, groups, files and addresses, versions, and apt's
    trailing minus, which removes.
    """
    hint = "write one bare name per item, such as libpq-dev; the version is the one that the image's distribution has"
    return _matching(_PACKAGE, text, "is not a package's name", hint)


def library(text: str) -> str:
    """Read a library's name, or a glob over names."""
    if "/" in text or any(character.isspace() for character in text):
        raise RefusalError(
            f"{quote(text)} is not a library's name", "write a name such as libcuda.so.1 or libcuda.so.*"
        )
    return text


def module(text: str) -> str:
    """Read a module's dotted name."""
    if not all(part.isidentifier() for part in text.split(".")):
        raise RefusalError(
            f"{quote(text)} is not a module's dotted name", "write it as in an import statement: nh3.nh3"
        )
    return text


def module_glob(text: str) -> str:
    """Read a glob over modules' dotted names."""
    return _matching(_MODULE_GLOB, text, "is not a glob over dotted names", 'write a name, or "spam._gui*"')


def threads(text: str) -> int:
    """Read a number of threads."""
    if not _THREADS.fullmatch(text):
        raise RefusalError(f"{quote(text)} is not a number of threads from 2 to 99", "write a number: threads: 8")
    return int(text)


def selector(text: str) -> str:
    """Read a glob over cell ids, or over addresses when it contains a slash."""
    hint = 'write a glob over ids, such as "cp39-*", "*-cp314t-*" or "*-musllinux_*"'
    recipe, _, glob = text.rpartition("/")
    if not all(_SELECTOR.fullmatch(part) for part in (recipe or "*", glob)):
        raise RefusalError(f"{quote(text)} is not a glob over cell ids", hint)
    if re.sub(r"\[!?[^\]]{1,200}\]", "", text).strip().count("["):
        raise RefusalError(f"{quote(text)} has a [ that is never closed", hint)
    return _selecting_something(glob, text, hint)


def _selecting_something(glob: str, text: str, hint: str) -> str:
    parts = glob.split("@", maxsplit=1)[0].split("-")
    if len(parts) > _PARTS_OF_AN_ID or ("*" not in glob and len(parts) < _PARTS_OF_AN_ID):
        raise RefusalError(f"{quote(text)} matches no id: ids have the form python-abi-platform", hint)
    if re.fullmatch(r"cp3[0-9]+t", parts[0]) and len(parts) > 1:
        mended = f"*-{glob}" if len(parts) < _PARTS_OF_AN_ID else f"{parts[0][:-1]}-{'-'.join(parts[1:])}"
        raise RefusalError(
            f"{quote(text)} matches no id: the t is part of the abi tag, not of the python tag", f'write "{mended}"'
        )
    return text


def folder_in_source(text: str) -> str:
    """Read a path that stays within the source tree."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts:
        raise RefusalError(f"{quote(text)} leads out of the source", "write a path below the source's root")
    return str(path)


def cargo_manifest(text: str) -> str:
    """Read the path of a Cargo.toml in the source tree."""
    path = folder_in_source(text)
    if PurePosixPath(path).name != "Cargo.toml":
        raise RefusalError(f"{quote(text)} does not name a Cargo.toml", f"write {path}/Cargo.toml")
    return path


def absolute_folder(text: str) -> str:
    """Read an absolute path in the build's container."""
    if not PurePosixPath(text).is_absolute() or ":" in text:
        raise RefusalError(f"{quote(text)} is not an absolute folder", "write one folder per item: /opt/tool/bin")
    return text


def local_path(text: str) -> Path:
    """Read a path on this machine."""
    return Path(text)


def bazel_label(text: str) -> str:
    """Read the label of one Bazel target, from its repository's root."""
    hint = "write the label of one target, such as //:demo or //native:demo"
    if _MANY_TARGETS.search(text):
        raise RefusalError(f"{quote(text)} is a pattern of many targets", hint)
    return _matching(_LABEL, text, "is not the label of a Bazel target", hint)


def version(text: str) -> Version:
    """Read a version (PEP 440)."""
    try:
        return parse_version(text)
    except UntrustedTextError:
        raise RefusalError(f"{quote(text)} is not a version", "write one such as 1.0 or 2.1.3") from None


def _matching(pattern: re.Pattern[str], text: str, message: str, hint: str) -> str:
    if not pattern.fullmatch(text):
        raise RefusalError(f"{quote(text)} {message}", hint)
    return text
