"""`factory coverage`."""

from collections.abc import Sequence
from pathlib import Path

import click

from factory.cli.common import out, write_output
from factory.cli.options import CoverageOptions
from factory.coverage.choice import Coverage, coverage
from factory.coverage.files import read_offers
from factory.errors import UsageError
from factory.host import read_host
from factory.report.coverage import render_coverage, render_markdown
from factory.report.coverage_card import render_card
from factory.report.documents import CoverageDocument, render_json
from factory.tags import ARCHITECTURES
from factory.untrusted import UntrustedTextError


def run_coverage(options: CoverageOptions) -> int:
    """Print which file is taken where; 0 whatever that is.

    Raises:
        UsageError: a flag or a file name is not valid, or the card of several releases is asked for.
        SourceError: a wheel cannot be read, or no index has the release.
        OutputError: the card cannot be written.
    """
    if options.as_json and options.as_markdown:
        raise UsageError("--json and --markdown cannot be combined", hint="run the command once for each")
    for machine in options.machines:
        if machine not in ARCHITECTURES:
            raise UsageError(
                f"{machine!r} is not a machine of wheel tags", hint=f"name one of {', '.join(sorted(ARCHITECTURES))}"
            )
    try:
        releases = coverage(read_offers(options.dists, read_host()), options.machines)
    except UntrustedTextError as error:
        raise UsageError(f"the name of a file cannot be read: it {error}", hint="name wheels and sdists") from error
    if options.svg is not None:
        _write(options.svg, releases)
    if options.as_json:
        click.echo(render_json(CoverageDocument(releases=releases)))
        return 0
    for release in releases:
        if options.as_markdown:
            click.echo(render_markdown(release))
        else:
            console = out()
            console.print(render_coverage(release, console.width), soft_wrap=True)
    return 0


def _write(path: Path, releases: Sequence[Coverage]) -> None:
    if len(releases) != 1:
        names = ", ".join(f"{release.name} {release.version}" for release in releases)
        raise UsageError(
            f"--svg shows one release, and these are {len(releases)}: {names}", hint="name the files of one release"
        )
    write_output(path, render_card(releases[0]), hint="name another file")
