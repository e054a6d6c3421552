"""The commands, their flags, and the only place that catches FactoryError."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

import click

from factory import __version__
from factory.errors import FactoryError, Interrupted, OutputError

_RECIPES = click.argument("recipes", nargs=-1, metavar="[RECIPE]...", type=click.Path(path_type=Path))
_FAMILIES = click.option(
    "--families",
    default="lookalike",
    show_default=True,
    metavar="LIST",
    help="Image families that may serve, the preferred first, with commas between.",
)
_ONLY = click.option("--only", multiple=True, metavar="GLOB", help="Only cells whose id (or recipe/id) matches.")
_SKIP = click.option("--skip", multiple=True, metavar="GLOB", help="Leave out cells whose id (or recipe/id) matches.")
_SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a field of every recipe: build.timeout=10m."
)
_UPDATE = click.option("--update", is_flag=True, help="Resolve sources and requirements anew instead of as last time.")


class _Group(click.Group):
    """A group that turns whatever ends a command into a message and an exit code; click's own would say 1 of Ctrl-C."""

    def main(self, *args: object, **extra: object) -> NoReturn:
        try:
            with _flushed_stdout():
                sys.exit(super().main(*args, **{**extra, "standalone_mode": False}))  # type: ignore[call-overload]  # click types it per overload
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except click.Abort:
            _end(Interrupted("interrupted"))
        except FactoryError as error:
            _end(error)


@contextmanager
def _flushed_stdout() -> Iterator[None]:
    """Have everything written before the exit code is chosen; later it could only be a traceback.

    Where stdout is closed by its reader, `| head`, the command ends with 1 and without a word, as click has it.

    Raises:
        OutputError: it cannot be written otherwise: the disk is full.
    """
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:  # Python's word for one that was closed before the start
                sys.stdout.flush()
    except OSError as error:
        if _is_writable(sys.stdout):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        raise OutputError(f"stdout cannot be written: {error.strerror}", hint="make room for it") from error


def _is_writable(stream: TextIO) -> bool:
    """Try it with an empty line: a long text that could not be written is in no buffer any more."""
    try:
        stream.write("\n")
        stream.flush()
    except OSError:
        return False
    return True


def _end(error: FactoryError) -> NoReturn:
    from factory.cli.errors import render_error  # noqa: PLC0415 -- only the unhappy path pays for it

    click.echo(render_error(error), err=True)
    sys.exit(error.exit_code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="factory")
def main() -> None:
    """Turn recipes into Linux wheels that are proven to work everywhere their tags claim.

    \b
    factory plan recipe.yaml     what would be built and tried, and why
    factory build recipe.yaml    build, prove, and put the wheels into ./dist
    factory doctor               what is missing on this machine

    \b
    Exit codes:
      0  all owed wheels passed       4  no engine or image
      1  something failed             5  store, output folder or stdout
      2  usage or recipe            130  interrupted
      3  impossible plan or source
    """  # noqa: D301 -- \b is click's mark for a paragraph that keeps its lines


@main.command(short_help="Build the wheels that are owed, and prove them.")
@_RECIPES
@click.option(
    "-o", "--output", default="dist", show_default=True, type=click.Path(path_type=Path), help="Where wheels go."
)
@_ONLY
@_SKIP
@_SET
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Cells and trials at once.  [default: processors]"
)
@_FAMILIES
@click.option("--keep-going", is_flag=True, help="A bad recipe does not stop the others; the exit code still tells.")
@click.option("--no-cache", is_flag=True, help="Do all the work again, and remember it.")
@_UPDATE
@click.option(
    "--keep",
    is_flag=True,
    help="Copy the regular files of a failed cell's workspace into the run's folder, below kept/<subject>/.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the run as JSON (schema: factory schema run); - is stdout.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every step's output as it comes.")
def build(**options: object) -> None:
    """Build the wheels that recipes owe, prove them, and put those that passed into the output folder.

    RECIPE is a file or a folder of them; without one: ./recipe.yaml. Good wheels are kept when others fail, and a
    second run does only what changed.
    """
    from factory.cli.build import BuildOptions, run_build  # noqa: PLC0415 -- --help starts without the engine

    sys.exit(run_build(BuildOptions(**options)))  # type: ignore[arg-type]  # click checked each against its option


@main.command(short_help="Show what would be built, tried and skipped.")
@_RECIPES
@_ONLY
@_SKIP
@_SET
@_FAMILIES
@_UPDATE
@click.option("--keep-going", is_flag=True, help="Plan the good recipes although others are bad.")
@click.option("--ids", is_flag=True, help="Print only the addresses of the cells, one a line.")
@click.option("--json", "as_json", is_flag=True, help="Print the plans as JSON (schema: factory schema plan).")
def plan(**options: object) -> None:
    """Show what would be built, tried and skipped, and why; needs no engine.

    RECIPE is a file or a folder of them; without one: ./recipe.yaml.
    """
    from factory.cli.plan import PlanOptions, run_plan  # noqa: PLC0415 -- as above

    sys.exit(run_plan(PlanOptions(**options)))  # type: ignore[arg-type]  # as above


@main.command(short_help="Judge any wheels by the gate.")
@click.argument("wheels", nargs=-1, required=True, metavar="WHEEL...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the audits as JSON (schema: factory schema audit).")
def audit(wheels: tuple[Path, ...], *, as_json: bool) -> None:
    """Judge any wheels by the gate: verdict, the platform they deserve, their floor, and what was found.

    docs/reference/rules.md explains every rule.
    """
    from factory.cli.audit import run_audit  # noqa: PLC0415 -- as above

    sys.exit(run_audit(wheels, as_json=as_json))


@main.command(short_help="Tell what is missing on this machine.")
def doctor() -> None:
    """Tell what is missing on this machine, each with the command that mends it."""
    from factory.cli.doctor import run_doctor  # noqa: PLC0415 -- as above

    sys.exit(run_doctor())


@main.command(short_help="Print a JSON Schema.")
@click.argument("name", default="recipe", type=click.Choice(["recipe", "plan", "run", "audit", "images", "event"]))
def schema(name: str) -> None:
    """Print a JSON Schema: of recipes (for editors), of what --json writes, or of a line of events.jsonl."""
    from factory.cli.schema import run_schema  # noqa: PLC0415 -- as above

    sys.exit(run_schema(name))


@main.group()
def image() -> None:
    """Handle the images that build wheels and try them."""


@image.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON (schema: factory schema images).")
def image_list(*, as_json: bool) -> None:
    """List the images: what each declares, and whether it is here."""
    from factory.cli.images import run_image_list  # noqa: PLC0415 -- as above

    sys.exit(run_image_list(as_json=as_json))


@image.command("build")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--update", is_flag=True, help="Make them again from today's packages, although they are here.")
def image_build(names: tuple[str, ...], *, update: bool) -> None:
    """Make images by name, or all of them, unless they are here already.

    NAME is one that `factory image list` shows.
    """
    from factory.cli.images import run_image_build  # noqa: PLC0415 -- as above

    sys.exit(run_image_build(names, update=update))
