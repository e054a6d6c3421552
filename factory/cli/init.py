"""`factory init`."""

import os
import shlex
import tempfile
from pathlib import Path
from threading import Event

import click
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from factory.catalogue import AUTO, BOOTSTRAPPED
from factory.cli.common import err, families, root_again, write_output
from factory.cli.options import InitOptions
from factory.clock import today
from factory.confined import confined
from factory.digest import Digest
from factory.errors import OutputError, SourceError, UsageError
from factory.host import Host, read_host
from factory.images.contents import contents_of
from factory.images.foreign import machine_here
from factory.images.known import declared
from factory.images.on_demand import offered
from factory.init import Origin, Settled, recipe_of
from factory.init.write import SCHEMA_FILE
from factory.memory import Memory
from factory.project.files import Files
from factory.project.read import read_project
from factory.recipe.model import PathSource, SdistSource
from factory.recipe.roots import default_root, is_inside, widened
from factory.report.text import line
from factory.source.folder import read_folder
from factory.source.pinned import parse_release
from factory.source.tree import Tree
from factory.source.unpack import unpack_apart
from factory.store import Store
from factory.untrusted import (
    UntrustedTextError,
    parse_project_name,
    parse_sdist_name,
)

_ARCHIVES = (".tar.gz", ".tgz", ".zip")
_SOURCES = "name a folder, an sdist, or a release on the index: nh3, nh3==0.3.7"


def run_init(options: InitOptions) -> int:
    """Write a recipe from a source, and say what to type next."""
    # What a draft names is to be had everywhere, so that no registry is asked.
    chosen = tuple(BOOTSTRAPPED if name == AUTO else name for name in families(options.families))
    to_stdout = str(options.output) == "-"
    if not to_stdout and not options.force and os.path.lexists(options.output):
        raise OutputError(
            f"{options.output} exists already", hint="name another file with -o, or write over it with --force"
        )
    host = read_host()
    origin, tree = _taken(options, host, Path() if to_stdout else options.output.parent)
    with Store.open(host.store) as store:
        memory = Memory(store=store, cancelled=Event())
        settled = recipe_of(
            origin,
            tree,
            [offered(facts, host) for facts in declared() if facts.platform.arch == machine_here()],
            families=chosen,
            file=options.output,
            today=today(),
            index_of=lambda image: contents_of(image, host, memory),
        )
    for caution in settled.cautions:
        err().print(line(f"note: {caution}"), soft_wrap=True)
    if to_stdout:
        click.echo(settled.text, nl=False)
        return 0
    write_output(options.output, settled.text, hint="name another file with -o")
    _tell(options, settled)
    return 0


def _taken(options: InitOptions, host: Host, recipe_folder: Path) -> tuple[Origin, Tree]:
    """Take the source: a folder (or the pyproject.toml in one), an sdist, or a release on the index."""
    path = Path(options.source)
    if path.is_file() and path.suffix == ".toml":
        path = path.parent
    if path.is_dir():
        return _of_folder(path, host, recipe_folder)
    if path.is_file():
        if not path.name.endswith(_ARCHIVES):
            raise UsageError(f"{path} is not an sdist, whose name ends in {', '.join(_ARCHIVES)}", hint=_SOURCES)
        return _of_file(path, options.source)
    return _of_release(options.source, host)


def _of_folder(path: Path, host: Host, recipe_folder: Path) -> tuple[Origin, Tree]:
    tree = read_folder(PathSource(path=path), host, wider=lambda above: f"{above} holds both: name that folder")
    relative = Path(os.path.relpath(path.resolve(), recipe_folder.resolve()))
    return Origin(name=_stated_name(tree) or _fit(path.resolve().name), path=relative), tree


def _of_file(path: Path, named: str) -> tuple[Origin, Tree]:
    tree = unpack_apart(path, confined)
    name, version = _release_of(path, tree)
    digest = Digest.of_file(path)
    return Origin(name=name, version=version, sha256=digest.hex, file=named), tree


def _release_of(path: Path, tree: Files) -> tuple[NormalizedName, Version]:
    """Return the release that an sdist is, by its file's name (PEP 625), else by its metadata."""
    try:
        return parse_sdist_name(path.name)
    except UntrustedTextError:
        project = read_project(tree)
    if project.version is None:
        raise SourceError(f"{path} does not say which version it is", hint="unpack it and name the folder")
    return project.name, project.version


def _of_release(text: str, host: Host) -> tuple[Origin, Tree]:
    from factory.source.index import fetch_sdist, newest_sdist  # noqa: PLC0415 -- reading indexes costs a start 0.6 s
    from factory.web.session import open_session  # noqa: PLC0415 -- as above

    name, version = parse_release(text, _SOURCES)
    if version is None:
        with open_session(host) as session:
            version = newest_sdist(name, host, session)
    err().print(line(f"reading the sdist of {name} {version}"), soft_wrap=True)
    with tempfile.TemporaryDirectory() as folder:
        fetched = fetch_sdist(SdistSource(name=name, version=version), host, Path(folder))
        for note in fetched.notes:
            err().print(line(note), soft_wrap=True)
        return Origin(name=name, version=version, sha256=fetched.digest.hex), unpack_apart(fetched.path, confined)


def _stated_name(tree: Files) -> NormalizedName | None:
    try:
        return read_project(tree).name
    except SourceError:
        return None  # the recipe's comments say why


def _fit(name: str) -> NormalizedName:
    """Return a recipe's name for a folder, whose own may not be valid."""
    try:
        return parse_project_name(name)
    except UntrustedTextError:
        return canonicalize_name("project")


def _tell(options: InitOptions, settled: Settled) -> None:
    count = len(settled.left)
    left = f"; {count} thing{'s' * (count != 1)} left out, with the reasons in the recipe" if count else ""
    err().print(line(f"{options.output} written{left}"), soft_wrap=True)
    if settled.refused:
        err().print(line(f"fix before you build: {settled.refused}"), soft_wrap=True)
    if not (schema := options.output.parent / SCHEMA_FILE).exists():
        err().print(line(f"for editors: factory schema >{shlex.quote(str(schema))}"), soft_wrap=True)
    words = ["factory", "plan", str(options.output), *_root(options)]
    err().print(line(f"next: read it, then {shlex.join(words)}"), soft_wrap=True)


def _root(options: InitOptions) -> list[str]:
    """Return the flag that the recipe needs where its folder lies outside of its repository."""
    source, root = Path(options.source), default_root(options.output)
    folder = source.parent if source.suffix == ".toml" else source
    return [] if not folder.is_dir() or is_inside(folder, root) else root_again(widened(folder, root))
