"""`programs`: what of the source links libpython, and how it is built and run."""

from factory.form.fields import optional, required, section
from factory.form.kinds import ListOf, Text
from factory.recipe import targets, texts
from factory.recipe.sections.shared import DURATION, SCRIPT_LIMIT
from factory.tags import Interpreter

_COMMAND = "name the command that builds and runs them: run: cargo test --no-default-features"


@section
class ProgramsSpec:
    """Programs of a source that link libpython; `interpreters` None means every listed one that can run them.

    `manifest` names a crate of its own workspace, whose lock names further crates to fetch.
    """

    run: tuple[str, ...] = required(
        kind=ListOf(
            item=Text(name="a shell line", parse=texts.command, limit=SCRIPT_LIMIT),
            name="a shell line, or a list of them",
            bare=True,
            least=1,
            if_empty=_COMMAND,
        ),
        doc="The commands that build and run them, by `sh -e` in the project's folder of the source: "
        "offline, unprivileged, once for each interpreter.",
        example="run: cargo test --no-default-features",
        hint=_COMMAND,
        level="recipe",
        enters=("programs",),
    )
    interpreters: tuple[Interpreter, ...] | None = optional(
        kind=ListOf(
            item=Text(name="an interpreter", parse=targets.parse_interpreter, pattern=targets.INTERPRETER_PATTERN),
            name="an interpreter, or a list of them",
            bare=True,
            unique=True,
            least=1,
            if_empty="name at least one, such as cp313; without the line, every interpreter that can run them does",
        ),
        doc="The interpreters of the recipe on which they run.",
        example="interpreters: [cp313]",
        default=None,
        shown_default="all that have a program image",
        level="recipe",
        enters=("programs",),
    )
    manifest: str | None = optional(
        kind=Text(name="the path of a Cargo.toml", parse=texts.cargo_manifest),
        doc="The Cargo.toml of programs that share no workspace with the crate of the wheels; "
        "the crates of its lock are fetched, too.",
        example="manifest: profiling/Cargo.toml",
        default=None,
        shown_default="the one of the wheels",
        level="recipe",
        enters=("programs",),
    )
    timeout_s: int = optional(
        name="timeout",
        kind=DURATION,
        doc="The longest time that one command may take.",
        example="timeout: 30m",
        default=3600,
        shown_default="1h",
        level="recipe",
    )
