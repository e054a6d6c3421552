"""The files whose coverage is asked for: from this machine, from a list of names, or from the index."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from factory.confined import Bounds, Overrun, confined_all
from factory.coverage.choice import Offer
from factory.errors import SourceError, UsageError
from factory.host import Host
from factory.source.offered import newest_of, offered_releases
from factory.source.pinned import parse_release
from factory.system import processors
from factory.untrusted import UntrustedTextError, parse_sdist_name, parse_wheel_name
from factory.web.session import open_session
from factory.wheel import read_wheel

_SUFFIXES = (".whl", ".tar.gz", ".zip")
_LIST_BYTES = 1 << 20
_NAMED = "name wheels, a folder, a text file of file names, or a release on the index: nh3, nh3==0.3.7"


def read_offers(names: Sequence[str], host: Host) -> tuple[Offer, ...]:
    """Return the files that the arguments name.

    An argument is a wheel or an sdist, a folder of them, a text file with a file name in each line, behind which its
    Requires-Python may stand, or a release on the package index: `nh3`, `nh3==0.3.7`.

    Raises:
        UsageError: an argument is none of these, or cannot be read.
        SourceError: a wheel cannot be read, or no index has the release.
    """
    offers, wheels = list[Offer](), list[Path]()
    for name in names:
        path = Path(name)
        if path.is_dir() or path.name.endswith(_SUFFIXES):
            files = _files(path)
            wheels += [file for file in files if file.suffix == ".whl"]
            offers += [Offer(filename=file.name) for file in files if file.suffix != ".whl"]
        elif path.is_file():
            offers += _of_list(path)
        else:
            offers += _of_index(name, host)
    return (*offers, *_of_wheels(wheels))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise UsageError(f"there is no file {path}", hint="write the names of files that are not here into a text file")
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.name.endswith(_SUFFIXES))
    if not files:
        raise UsageError(f"no wheel or sdist is in {path}", hint="name wheels, such as dist/*.whl")
    return files


def _of_wheels(wheels: Sequence[Path]) -> Iterator[Offer]:
    works = [(partial(_requires_python, wheel), Bounds.of(wheel.stat().st_size)) for wheel in wheels]
    for wheel, outcome in zip(wheels, confined_all(works, workers=processors()), strict=True):
        if isinstance(outcome, Overrun):
            raise SourceError(f"{wheel} cannot be read: it {outcome.reason}")
        if outcome is None:
            raise SourceError(f"{wheel} has no METADATA that can be read", hint="`factory audit` says what is wrong")
        yield Offer(filename=wheel.name, requires_python=outcome)


def _requires_python(path: Path) -> str | None:
    metadata = read_wheel(path).metadata
    return None if metadata is None else metadata.requires_python


def _of_list(path: Path) -> Iterator[Offer]:
    try:
        with path.open("rb") as stream:
            lines = stream.read(_LIST_BYTES + 1).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a list of file names: {error}") from error
    if path.stat().st_size > _LIST_BYTES:
        raise UsageError(f"{path} is larger than {_LIST_BYTES} bytes, the most that is read of a list")
    for line in lines:
        filename, _, requires_python = line.strip().partition(" ")
        if filename and not filename.startswith("#"):
            yield Offer(filename=filename, requires_python=requires_python.strip())


def _of_index(text: str, host: Host) -> Iterator[Offer]:
    name, wanted = parse_release(text, _NAMED)
    with open_session(host) as session:
        releases = offered_releases(name, host, session)
    version = newest_of(releases) if wanted is None else wanted
    if version is None or version not in releases:
        raise SourceError(
            f"no configured index has {name} {version or ''}".rstrip(),
            hint="check the name, the version and the index URL",
        )
    for offered in releases[version]:
        # Installers skip files whose names they cannot read, too.
        if (offered.listed.yanked is None or wanted is not None) and _is_readable(offered.listed.filename):
            yield Offer(filename=offered.listed.filename, requires_python=offered.requires_python)


def _is_readable(filename: str) -> bool:
    try:
        parse_wheel_name(filename) if filename.endswith(".whl") else parse_sdist_name(filename)
    except UntrustedTextError:
        return False
    return True
