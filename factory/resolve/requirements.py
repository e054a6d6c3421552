"""Resolves requirements to wheels with hashes, by uv."""

import errno
import os
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit, urlunsplit

from packaging.pylock import PackageWheel, Pylock, PylockSelectError, PylockValidationError
from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from factory import process
from factory.diagnoses.uv import OTHER_VERSION, explain_uv_failure, projects_without_wheel
from factory.digest import Artifact, Digest
from factory.host import Host, find_uv
from factory.installable import supported_tags
from factory.markers import marker_environment
from factory.origins import origin_of
from factory.redaction import bare, redact
from factory.resolve.model import Found, Offered, Question, ResolvedFile, Unresolved
from factory.resolve.target import marker_text, uv_platform
from factory.untrusted import UntrustedTextError, parse_project_name, parse_requirement, parse_toml, parse_wheel_name

_TIMEOUT_S = 600.0
_OPTIONS = (
    *("pip", "compile", "--quiet", "--no-config", "--no-progress", "--no-header", "--no-annotate"),
    *("--only-binary", ":all:", "--no-python-downloads", "--keyring-provider", "disabled"),
    *("--format", "pylock.toml"),
)


def resolve_requirements(question: Question, *, host: Host, folder: Path) -> Found | Unresolved:
    """Find the wheels that satisfy requirements; downloads nothing.

    `folder` is a temporary folder of the caller's own. uv has no name for a free-threaded interpreter: it then resolves
    for all platforms at once, and the wheel is chosen here; a release without a suitable one is refused, not avoided.

    Raises:
        FactoryError: uv is not installed, or did not end.
        OSError: the disk below `folder` is full.
    """
    for requirement in (*question.requirements, *question.constraints):
        if refusal := _refusal(requirement):
            return refusal
    ended = _ask(question, host, folder)
    if ended.returncode != 0:
        _raise_if_full(ended.stderr, folder)
        log = redact(ended.stderr, host.secrets)
        diagnosis = explain_uv_failure(log, question.target)
        lacking = _names(projects_without_wheel(log)) if diagnosis.kind == "no-wheel" else ()
        return Unresolved(
            kind=diagnosis.kind, sentence=diagnosis.sentence, hint=diagnosis.hint, log=log, lacking=lacking
        )
    return _read(ended.stdout.decode(), question)


def _names(texts: Iterable[str]) -> tuple[NormalizedName, ...]:
    """Read the names of projects; uv has taken them from an index."""
    names = []
    for text in texts:
        with suppress(UntrustedTextError):
            names.append(parse_project_name(text))
    return tuple(names)


def _raise_if_full(output: str, folder: Path) -> None:
    """Raise the operating system's error that uv printed: Rust adds the number to its text."""
    for number in (errno.ENOSPC, errno.EDQUOT):
        if f"(os error {number})" in output:
            raise OSError(number, os.strerror(number), str(folder))


def _refusal(requirement: Requirement) -> Unresolved | None:
    """Refuse a requirement that is not a name on an index, before uv reads it."""
    text = str(requirement)
    if requirement.url is not None:
        sentence = f"{requirement.name} is required by URL; only names on the package index are accepted"
        return Unresolved(kind="refused", sentence=sentence, hint=f"write {requirement.name}==VERSION")
    if not text.isprintable():
        # A line break inside a quoted marker would end the line in uv's requirements file and begin an option.
        return Unresolved(kind="refused", sentence=f"the requirement {text!a} holds a control character")
    return None


def _ask(question: Question, host: Host, folder: Path) -> process.Completed:
    """Run uv in an empty folder. Index URLs go into its environment: all users of the machine can see arguments."""
    cwd = folder / "cwd"  # empty, so that uv finds no configuration in it
    cwd.mkdir(exist_ok=True)
    platform = uv_platform(question.interpreter, question.platform)
    marker = None if platform else marker_text(question.interpreter, question.platform)
    asked = _write(folder / "requirements.in", question.requirements, marker)
    constraints = _write(folder / "constraints.in", question.constraints, None)
    where = ("--universal",) if platform is None else ("--python-platform", platform)
    links = ("--find-links", _laid_out(question.offered, folder / "offered")) if question.offered else ()
    argv = (
        *(find_uv(), *_OPTIONS, "--cache-dir", folder / "cache", "--python", sys.executable),
        *("--python-version", question.interpreter.version, *where, *links),
        *("--resolution", "lowest-direct" if question.oldest else "highest", "--constraints", constraints, asked),
    )
    return process.run(argv, env={**host.tool_env, **_index_env(host)}, cwd=cwd, timeout_s=_TIMEOUT_S)


def _write(path: Path, requirements: Iterable[Requirement], marker: str | None) -> Path:
    path.write_text("".join(f"{_line(requirement, marker)}\n" for requirement in requirements), encoding="utf-8")
    return path


def _laid_out(offered: Iterable[Offered], folder: Path) -> Path:
    """Write offered wheels without their contents, which uv would unpack on this machine."""
    folder.mkdir(exist_ok=True)
    for wheel in offered:
        info = f"{'-'.join(wheel.file.filename.split('-')[:2])}.dist-info"
        with zipfile.ZipFile(folder / wheel.file.filename, "w") as empty:
            empty.writestr(f"{info}/METADATA", wheel.metadata)
            empty.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
            empty.writestr(f"{info}/RECORD", "")
    return folder


def _line(requirement: Requirement, marker: str | None) -> str:
    if marker is None:
        return str(requirement)
    plain, both = parse_requirement(str(requirement)), marker
    if plain.marker is not None:
        plain.marker, both = None, f"({plain.marker}) and {marker}"
    return f"{plain} ; {both}"


def _index_env(host: Host) -> Mapping[str, str]:
    """Return the variables with uv's indexes. Netrc's logins are put into URLs: uv would send them to any server."""
    env = {"NETRC": os.devnull}
    if host.extra_index_urls:
        env["UV_INDEX"] = " ".join(_with_login(url, host) for url in host.extra_index_urls)
    if host.index_url is not None:
        env["UV_DEFAULT_INDEX"] = _with_login(host.index_url, host)
    return env


def _with_login(url: str, host: Host) -> str:
    parts, login = urlsplit(url), host.credentials.get(origin_of(url))
    if login is None or parts.username is not None:
        return url
    user, password = (quote(text, safe="") for text in login)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc}"))


def _read(text: str, question: Question) -> Found | Unresolved:
    """Choose a wheel for every package in uv's answer, a pylock.toml (PEP 751)."""
    offered = {wheel.file.filename: wheel.file for wheel in question.offered}
    try:
        lock = Pylock.from_dict(parse_toml(text, times=8))
        chosen = list(
            lock.select(
                environment=marker_environment(question.interpreter, question.platform.arch),
                tags=supported_tags(question.interpreter, question.platform, built_here=bool(offered)),
            )
        )
    except (PylockValidationError, UntrustedTextError) as error:
        return Unresolved(kind="refused", sentence=f"the index's answer has no usable files: {error}", log=text)
    except PylockSelectError as error:
        named = re.findall(r"package '([^']+)'", str(error))[:1]
        sentence = f"{named[0] if named else 'a requirement'} has no wheel for {question.target}"
        log = f"{error}\n{text}"
        return Unresolved(kind="no-wheel", sentence=sentence, hint=OTHER_VERSION, log=log, lacking=_names(named))
    files: list[ResolvedFile] = []
    for package, file in chosen:
        taken = _file(file, offered) if isinstance(file, PackageWheel) else None
        if taken is None:
            sentence = f"{package.name} has no wheel with a valid name and a sha256"
            return Unresolved(kind="refused", sentence=sentence, hint=OTHER_VERSION, log=text)
        files.append(taken)
    return Found(files=tuple(sorted(files, key=lambda file: file.filename)))


def _file(wheel: PackageWheel, offered: Mapping[str, Artifact]) -> ResolvedFile | None:
    is_here = urlsplit(wheel.url or "").scheme in ("", "file")
    if is_here and (own := offered.get(wheel.filename)) is not None:
        return ResolvedFile(filename=own.filename, digest=own.digest, url="", size_bytes=own.size_bytes)
    try:
        digest = Digest(wheel.hashes.get("sha256", "").lower())
        parse_wheel_name(wheel.filename)
    except ValueError:  # the index gives another hash, or none
        return None
    if wheel.url is None or PurePosixPath(wheel.filename).name != wheel.filename:
        return None
    return ResolvedFile(filename=wheel.filename, digest=digest, url=bare(wheel.url), size_bytes=wheel.size)
