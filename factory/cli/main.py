"""The commands, their flags, and the only place that catches FactoryError."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

import click

from factory import __version__
from factory.cli.options import (
    AuditOptions,
    BuildOptions,
    CompareOptions,
    CoverageOptions,
    InitOptions,
    PinOptions,
    PlanOptions,
    ShellOptions,
    takes,
)
from factory.errors import FactoryError, Interrupted, OutputError, UsageError
from factory.system import require_known
from factory.terminal import printing
from factory.unexpected import internal_errors


class _Group(click.Group):
    """A group that turns whatever ends a command into a message and an exit code; click's own ends with 1 on Ctrl-C."""

    def main(self, *args: object, **extra: object) -> NoReturn:
        with printing():
            self._main(*args, **extra)

    def _main_shell_completion(self, *args: object) -> None:
        try:
            super()._main_shell_completion(*args)  # type: ignore[arg-type]  # as above
        except (KeyError, ValueError, IndexError) as error:
            raise UsageError(
                "_FACTORY_COMPLETE is set, but COMP_WORDS and COMP_CWORD are not what a shell sets them to",
                hint="unset _FACTORY_COMPLETE; `factory completion --help` says how a shell completes commands",
            ) from error

    def _main(self, *args: object, **extra: object) -> NoReturn:
        try:
            with internal_errors(let_through=(click.ClickException, click.Abort)), _flushed_stdout():
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
    """Flush stdout before the exit code is chosen: later, an error could only be a traceback.

    Where its reader closed stdout, as `| head` does, the command ends with 1 and no message, as click has it.

    Raises:
        OutputError: it cannot be written for another reason, such as a full disk.
    """
    stdout = sys.stdout  # click puts one that swallows errors in its place when a pipe was closed
    try:
        try:
            yield
        finally:
            if stdout is not None:  # None if it was closed before the start
                stdout.flush()
    except OSError as error:
        if _is_writable(stdout):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # what is left in the buffer goes nowhere
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        raise OutputError(
            f"stdout cannot be written: {error.strerror}", hint="free some disk space, or write to another place"
        ) from error


def _is_writable(stream: TextIO) -> bool:
    """Try it with an empty line: a long text that could not be written is no longer in a buffer."""
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
    factory init nh3             write recipe.yaml from a release or a source tree
    factory plan recipe.yaml     what would be built and tried, and why
    factory build recipe.yaml    build wheels, prove them, and put them in ./dist
    factory compare dist/        what is lost against the newest older release
    factory coverage dist/       which file each Python, libc and machine gets
    factory doctor               what is missing on this machine

    \b
    Exit codes:
      0  all owed wheels passed       4  no engine or image
      1  something failed             5  store, output folder or stdout
      2  usage or recipe             70  internal error: please report it
      3  impossible plan or source  130  interrupted
    """  # noqa: D301 -- \b is click's mark for a paragraph that keeps its lines
    require_known()


@main.command(short_help="Build the wheels of recipes, and prove them.")
@takes(BuildOptions)
def build(options: BuildOptions) -> None:
    """Build the wheels that recipes ask for, prove them, and put those that passed into the output folder.

    RECIPE is a file or a folder of them; without one: ./recipe.yaml. Good wheels are kept when others fail, and a
    second run does only what changed.
    """
    from factory.cli.build import run_build  # noqa: PLC0415 -- --help starts without the engine

    sys.exit(run_build(options))


@main.command(short_help="Show what would be built, tried and skipped.")
@takes(PlanOptions)
def plan(options: PlanOptions) -> None:
    """Show what would be built, tried and skipped, and why.

    No engine is needed; one that answers is asked whether official images are there or can be pulled.

    RECIPE is a file or a folder of them; without one: ./recipe.yaml.
    """
    from factory.cli.plan import run_plan  # noqa: PLC0415 -- as above

    sys.exit(run_plan(options))


@main.command(short_help="Open a shell where a cell's step fails.")
@takes(ShellOptions)
def shell(options: ShellOptions) -> None:
    """Carry out a cell up to the step that fails, and open a shell in the container of that step.

    CELL is a cell's id, such as cp313-cp313-manylinux_2_28_x86_64; with @cp313, only its trial on that interpreter is
    meant, with --trial any of its trials. RECIPE is a file; without one: ./recipe.yaml.

    Image, files, user and variables are those of the step, and there is no network. What was finished before comes from
    the store; nothing is released or kept. Without a terminal, the command that opens the shell is printed, and the
    container stays until Ctrl-C.
    """
    from factory.cli.shell import run_shell  # noqa: PLC0415 -- as above

    sys.exit(run_shell(options))


@main.command(short_help="Show why cells were made again.")
@click.argument("cells", nargs=-1, metavar="[CELL]...")
def why(cells: tuple[str, ...]) -> None:
    """Show why cells were made again in the last run, or were not: what changed since the run before.

    CELL is an id or an address, or a glob of them, as for --only; without one: all cells of the last run. The runs are
    those below ./.factory/runs. `factory plan` with --why tells what a next run would make again.
    """
    from factory.cli.why import run_why  # noqa: PLC0415 -- as above

    sys.exit(run_why(cells))


@main.command(short_help="Show when the jobs of a run ran.")
@click.argument("run", required=False)
@click.option(
    "-o",
    "--output",
    default="timings.html",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write; - is stdout.",
)
def timings(run: str | None, output: Path) -> None:
    """Show when the jobs and steps of a RUN ran, as one HTML page that needs no network.

    RUN is the name of a folder in ./.factory/runs, or the path of one; without it: the last run. `factory build` with
    --timings writes the same page at its end.
    """
    from factory.cli.timings import run_timings  # noqa: PLC0415 -- as above

    sys.exit(run_timings(run, output))


@main.command(short_help="Check wheels with the gate.")
@takes(AuditOptions)
def audit(options: AuditOptions) -> None:
    """Check wheels with the gate: verdict, deserved platform, abi3 floor, and findings.

    `factory explain RULE` explains a rule. Exits with 1 when a wheel is refused.
    """
    from factory.cli.audit import run_audit  # noqa: PLC0415 -- as above

    gc.freeze()  # what is imported stays: neither a child nor the end looks through it for garbage
    sys.exit(run_audit(options))


@main.command(short_help="Explain a rule of the gate.")
@click.argument("rule", required=False)
def explain(rule: str | None) -> None:
    """Explain what a RULE means, why it matters, and how to fix what it finds; without one: list all rules."""
    from factory.cli.audit import run_explain  # noqa: PLC0415 -- as above

    sys.exit(run_explain(rule))


@main.command(short_help="Compare wheels with those of an older release.")
@takes(CompareOptions)
def compare(options: CompareOptions) -> None:
    """Compare wheels with older ones: what is lost, narrowed, grafted and larger.

    Each NEW, a wheel or a folder of them, is compared with the wheel that is nearest to it by platform and interpreter.
    Without --with, the newest older release is fetched from the package index.
    """
    from factory.cli.compare import run_compare  # noqa: PLC0415 -- as above

    sys.exit(run_compare(options))


@main.command(short_help="Show which file each environment gets.")
@takes(CoverageOptions)
def coverage(options: CoverageOptions) -> None:
    """Show which file of a release pip and uv take on each CPython, libc and machine.

    DIST is a wheel or sdist, a folder of them, a text file with a file name in each line (behind it a Requires-Python
    may stand), or a release on the package index, such as nh3 or nh3==0.3.7.

    Only Linux is looked at: CPython 3.9 to the newest, free-threaded ones too, with the glibc of current distributions
    and with musl 1.2.
    """
    from factory.cli.coverage import run_coverage  # noqa: PLC0415 -- as above

    sys.exit(run_coverage(options))


@main.command(short_help="Write a recipe from a source.")
@takes(InitOptions)
def init(options: InitOptions) -> None:
    """Write a recipe from a source, which is only read: none of its code is run.

    SOURCE is a folder, an sdist, or a release on the package index, such as nh3 or nh3==0.3.7; without one: the current
    folder. Settings of cibuildwheel are carried over. Comments at the recipe's end say what could not be read or
    carried over, and why.
    """
    from factory.cli.init import run_init  # noqa: PLC0415 -- as above

    sys.exit(run_init(options))


@main.command(short_help="Show what is missing on this machine.")
def doctor() -> None:
    """Show what is missing on this machine, each with the command that fixes it."""
    from factory.cli.doctor import run_doctor  # noqa: PLC0415 -- as above

    sys.exit(run_doctor())


@main.command(short_help="Print a JSON Schema.")
@click.argument(
    "name",
    default="recipe",
    type=click.Choice(["recipe", "plan", "run", "audit", "compare", "coverage", "images", "event"]),
)
def schema(name: str) -> None:
    """Print a JSON Schema: of recipes (for editors), of what --json writes, or of a line of events.jsonl."""
    from factory.cli.schema import run_schema  # noqa: PLC0415 -- as above

    sys.exit(run_schema(name))


@main.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
def completion(shell: str) -> None:
    """Print the script by which a SHELL completes commands, flags and names of files.

    \b
    bash: eval "$(factory completion bash)" in ~/.bashrc
    zsh:  eval "$(factory completion zsh)" in ~/.zshrc
    fish: factory completion fish > ~/.config/fish/completions/factory.fish
    """  # noqa: D301 -- as in main
    from click.shell_completion import get_completion_class  # noqa: PLC0415 -- as above

    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError(f"click completes no {shell}")
    click.echo(kind(main, {}, "factory", "_FACTORY_COMPLETE").source())


_LIMIT = click.option("--limit", default="20GB", show_default=True, metavar="SIZE", help="How large the store may be.")


@main.group()
def store() -> None:
    """Look at the store of earlier results, and keep it small."""


@store.command("show", short_help="Show what the store holds.")
@_LIMIT
def store_show(limit: str) -> None:
    """Show what the store holds, by stage and by project, and the engine's volumes that belong to it."""
    from factory.cli.store import run_store_show  # noqa: PLC0415 -- as above

    sys.exit(run_store_show(limit))


@store.command("gc", short_help="Make the store smaller.")
@_LIMIT
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be removed.")
def store_gc(limit: str, *, dry: bool) -> None:
    """Remove what was unused for the longest time, until the rest fits into the limit, and the engine's unused volumes.

    What a running build has used is kept. A run that needs what was removed makes or downloads it again.
    """
    from factory.cli.store import run_store_gc  # noqa: PLC0415 -- as above

    sys.exit(run_store_gc(limit, dry=dry))


@store.command("verify", short_help="Check what the store holds.")
def store_verify() -> None:
    """Compare every blob with its digest and every result with its key; exits with 1 where something is damaged.

    Nothing is changed: what is damaged is never used, and a run that needs it makes it again.
    """
    from factory.cli.store import run_store_verify  # noqa: PLC0415 -- as above

    sys.exit(run_store_verify())


@main.group()
def image() -> None:
    """Manage the images in which wheels are built and tried."""


@image.command("list", short_help="List the images.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON (schema: factory schema images).")
def image_list(*, as_json: bool) -> None:
    """List the images: what each contains, and whether it is here."""
    from factory.cli.images import run_image_list  # noqa: PLC0415 -- as above

    sys.exit(run_image_list(as_json=as_json))


@image.command("build", short_help="Make images from Debian's packages.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--update", is_flag=True, help="Make them again from today's packages even if they are here.")
def image_build(names: tuple[str, ...], *, update: bool) -> None:
    """Make the named images, or all of them, unless they are here already.

    NAME is one that `factory image list` shows.
    """
    from factory.cli.images import run_image_build  # noqa: PLC0415 -- as above

    sys.exit(run_image_build(names, update=update))


@image.command("pull", short_help="Pull images from their registries.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def image_pull(names: tuple[str, ...]) -> None:
    """Pull images by digest from their registries, and ask each what it contains.

    NAME is one that `factory image list` shows, or any registry/name@sha256:… that a recipe names under images.
    """
    from factory.cli.images import run_image_pull  # noqa: PLC0415 -- as above

    sys.exit(run_image_pull(names))


@image.command("show", short_help="Show what is known of one image.")
@click.argument("name")
def image_show(name: str) -> None:
    """Show what is known of one image: what it contains, what it is made from or pinned to, and whether it is here.

    NAME is one that `factory image list` shows, or any registry/name@sha256:… that was here before.
    """
    from factory.cli.images import run_image_show  # noqa: PLC0415 -- as above

    sys.exit(run_image_show(name))


@image.command("pin", short_help="Pin the images of registries by digest.")
@takes(PinOptions)
def image_pin(options: PinOptions) -> None:
    """Pin the images of registries to today's digests; without --trial, nothing is pulled.

    With a REFERENCE such as registry/name:tag, only print it with its digest, as recipes take it under images. With
    --trial it is pulled, and pinned in the lock as a plain image to try wheels on.

    The registry is asked through the engine. FACTORY_IMAGE_LOCK names another lock for builds than the factory's own.
    """
    from factory.cli.pin import run_image_pin  # noqa: PLC0415 -- as above

    sys.exit(run_image_pin(options))
