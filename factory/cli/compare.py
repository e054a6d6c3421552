"""`factory compare`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import click
import requests
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.cli.common import out
from factory.cli.options import CompareOptions
from factory.comparison.changes import Comparison, compared
from factory.comparison.contents import Contents, contents
from factory.comparison.counterpart import counterpart
from factory.comparison.others import Here, Others, published
from factory.confined import Bounds, Overrun, confined
from factory.coverage.narrowed import narrowed
from factory.errors import SourceError, UsageError
from factory.host import Host, read_host
from factory.report.comparison import render_comparison
from factory.report.documents import CompareDocument, ComparedRelease, render_json
from factory.report.text import line
from factory.untrusted import UntrustedTextError, parse_version, parse_wheel_name
from factory.web.session import open_session
from factory.wheel import read_wheel

_OLDER = "name wheels, a folder, a version, or `same` for the published wheels of the same release"


def run_compare(options: CompareOptions) -> int:
    """Compare wheels with older ones, and print in what they differ.

    The exit code is 1 with --strict where something is lost, or where nothing of a release is what --with names.

    Raises:
        UsageError: an argument is no wheel, or --with names nothing that wheels could be.
        SourceError: a wheel cannot be read, or an index does not answer.
    """
    with ExitStack() as stack:
        desk = _Desk(
            host := read_host(),
            Path(stack.enter_context(TemporaryDirectory())),
            stack.enter_context(open_session(host)),
        )
        wanted = _wanted(options.others)
        releases = tuple(
            desk.compared(name, version, wheels, wanted) for (name, version), wheels in _grouped(options.wheels).items()
        )
    if options.as_json:
        click.echo(render_json(CompareDocument(releases=releases)))
    else:
        for release in releases:
            _print(release)
    is_lost = any(comparison.lost for release in releases for comparison in release.comparisons)
    is_unfound = bool(options.others) and not all(release.comparisons for release in releases)
    return int(options.strict and (is_lost or is_unfound))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is needed to have wheels of an index."""

    host: Host
    folder: Path
    session: requests.Session

    def compared(
        self,
        name: NormalizedName,
        version: Version,
        wheels: Sequence[Path],
        wanted: Here | Version | Literal["older", "same"],
    ) -> ComparedRelease:
        """Compare the wheels of one release, each with its counterpart."""
        others = wanted if isinstance(wanted, Here) else self._published(name, version, wanted)
        names = () if others is None else tuple(other for other in others.names if _project(other) == name)
        comparisons, alone = list[Comparison](), list[str]()
        for wheel in wheels:
            other, new = counterpart(wheel.name, names), _read(wheel)
            if others is None or other is None:
                alone.append(wheel.name)
            else:
                comparisons.append(compared(new, _read(others.path(other))))
        return ComparedRelease(
            name=name,
            version=str(version),
            comparisons=tuple(comparisons),
            alone=tuple(alone),
            narrowed=narrowed([wheel.name for wheel in wheels], names),
        )

    def _published(
        self, name: NormalizedName, version: Version, wanted: Version | Literal["older", "same"]
    ) -> Others | None:
        folder = self.folder / name
        folder.mkdir()
        return published(name, version, wanted, host=self.host, folder=folder, session=self.session)


def _grouped(paths: Sequence[Path]) -> Mapping[tuple[NormalizedName, Version], Sequence[Path]]:
    releases: dict[tuple[NormalizedName, Version], list[Path]] = {}
    for path in _wheels(paths):
        try:
            name, version, _, _ = parse_wheel_name(path.name)
        except UntrustedTextError as error:
            raise UsageError(
                f"{path} is not a wheel: its name {error}", hint="name wheels, such as dist/*.whl"
            ) from error
        releases.setdefault((name, version), []).append(path)
    return releases


def _wheels(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        files = sorted(path.glob("*.whl")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise UsageError(f"no wheel is at {path}", hint="name wheels, such as dist/*.whl, or a folder of them")
        yield from files


def _wanted(texts: Sequence[str]) -> Here | Version | Literal["older", "same"]:
    """Read --with: nothing, `same`, a version, or wheels here."""
    if not texts:
        return "older"
    if texts == ("same",):
        return "same"
    if all(Path(text).exists() for text in texts):
        return Here(paths={path.name: path for path in _wheels([Path(text) for text in texts])})
    try:
        (text,) = texts
        return parse_version(text)
    except (UntrustedTextError, ValueError) as error:
        raise UsageError(f"--with {' '.join(texts)} is neither wheels here nor a version", hint=_OLDER) from error


def _project(filename: str) -> NormalizedName | None:
    try:
        return parse_wheel_name(filename)[0]
    except UntrustedTextError:
        return None


def _read(path: Path) -> Contents:
    read = confined(partial(_contents, path), Bounds.of(path.stat().st_size))
    if isinstance(read, Overrun):
        raise SourceError(f"{path.name} cannot be read: it {read.reason}")
    if read is None:
        raise SourceError(f"{path.name} cannot be read whole", hint="`factory audit` says what is wrong with it")
    return read


def _contents(path: Path) -> Contents | None:
    wheel = read_wheel(path)
    return None if wheel.has_unread else contents(wheel)


def _print(release: ComparedRelease) -> None:
    lines = [text for comparison in release.comparisons for text in render_comparison(comparison)]
    lines += [line(f"{name}: nothing to compare with", style="yellow") for name in release.alone]
    lines += [line(f"{release.name} {release.version}: {text}", style="yellow") for text in release.narrowed]
    for text in lines:
        out().print(text, soft_wrap=True)
