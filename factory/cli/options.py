"""The flags of the commands: one definition gives click's option and the field of the value that a command takes.

A field is annotated with its type and with a function that takes the field's name and declares it to click. The order
of the fields is the order in --help. They are named tuples: as dataclasses they would take 4 ms more at each start.
"""

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar, get_type_hints

import click
from click import argument, option

from factory.catalogue import AUTO

_T = TypeVar("_T")

_Recipes = Annotated[
    tuple[Path, ...],
    partial(argument, nargs=-1, metavar="[RECIPE]...", type=click.Path(path_type=Path)),
]
_Families = Annotated[
    str,
    partial(
        option,
        "--families",
        default=AUTO,
        show_default=True,
        metavar="LIST",
        help="Image families to choose from, best first, separated by commas; auto takes for each platform an official "
        "image that the engine has or a registry serves, else one that is made here.",
    ),
]
_Only = Annotated[
    tuple[str, ...],
    partial(option, "--only", multiple=True, metavar="GLOB", help="Only cells whose id (or recipe/id) matches."),
]
_Skip = Annotated[
    tuple[str, ...],
    partial(option, "--skip", multiple=True, metavar="GLOB", help="Leave out cells whose id (or recipe/id) matches."),
]
_Settings = Annotated[
    tuple[str, ...],
    partial(
        option,
        "--set",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override a field of every recipe: build.timeout=10m.",
    ),
]
_KeepGoing = Annotated[
    bool,
    partial(option, "--keep-going", is_flag=True, help="Go on after a bad recipe; the exit code still shows it."),
]
_AllowEnv = Annotated[
    tuple[str, ...],
    partial(
        option,
        "--allow-env",
        multiple=True,
        metavar="NAME",
        help="Let recipes read this environment variable (build.pass-env). May be repeated; commas separate names. "
        "FACTORY_PASS_ENV adds more.",
    ),
]
_Root = Annotated[
    Path | None,
    partial(
        option,
        "--root",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="FOLDER",
        help="Folder that must contain the recipes' local files (path, patches, file://).  "
        "[default: the recipe's repository, or its folder]",
    ),
]
_Update = Annotated[
    bool,
    partial(
        option,
        "--update",
        is_flag=True,
        help="Resolve sources and requirements again instead of reusing the last result.",
    ),
]


class BuildOptions(NamedTuple):
    """The flags of `factory build`."""

    recipes: _Recipes
    output: Annotated[
        Path,
        partial(
            option,
            "-o",
            "--output",
            default="dist",
            show_default=True,
            type=click.Path(path_type=Path),
            help="Folder for the wheels.",
        ),
    ]
    only: _Only
    skip: _Skip
    settings: _Settings
    jobs: Annotated[
        int | None,
        partial(
            option,
            "--jobs",
            type=click.IntRange(1, 256),
            metavar="N",
            help="Cells and trials at once.  [default: the engine's processors]",
        ),
    ]
    families: _Families
    root: _Root
    keep_going: _KeepGoing
    allow_env: _AllowEnv
    no_cache: Annotated[
        bool, partial(option, "--no-cache", is_flag=True, help="Do all the work again, and store the new results.")
    ]
    update: _Update
    keep: Annotated[
        bool,
        partial(
            option,
            "--keep",
            is_flag=True,
            help="Copy the regular files of a failed cell's workspace to kept/<subject>/ in the run's folder.",
        ),
    ]
    json_file: Annotated[
        Path | None,
        partial(
            option,
            "--json",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Write the run as JSON (schema: factory schema run); - is stdout.",
        ),
    ]
    junit_file: Annotated[
        Path | None,
        partial(
            option,
            "--junit",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Write the run as JUnit XML, one test case per wheel and trial; - is stdout.",
        ),
    ]
    timings_file: Annotated[
        Path | None,
        partial(
            option,
            "--timings",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Write an HTML page that shows when each job and step ran; - is stdout.",
        ),
    ]
    verbose: Annotated[bool, partial(option, "-v", "--verbose", is_flag=True, help="Show the output of every step.")]


class PlanOptions(NamedTuple):
    """The flags of `factory plan`."""

    recipes: _Recipes
    only: _Only
    skip: _Skip
    settings: _Settings
    families: _Families
    root: _Root
    update: _Update
    allow_env: _AllowEnv
    keep_going: _KeepGoing
    ids: Annotated[
        bool,
        partial(option, "--ids", is_flag=True, help="Print only the addresses of the cells, one per line."),
    ]
    as_json: Annotated[
        bool,
        partial(option, "--json", is_flag=True, help="Print the plans as JSON (schema: factory schema plan)."),
    ]
    why: Annotated[
        bool,
        partial(
            option,
            "--why",
            is_flag=True,
            help="Show what a run would make again, and why, as far as that is known before a run.",
        ),
    ]


class ShellOptions(NamedTuple):
    """The flags of `factory shell`."""

    cell: Annotated[str, partial(argument)]
    recipes: _Recipes
    trial: Annotated[bool, partial(option, "--trial", is_flag=True, help="Only a trial is meant, not the build.")]
    settings: _Settings
    families: _Families
    root: _Root
    allow_env: _AllowEnv


class AuditOptions(NamedTuple):
    """The arguments of `factory audit`."""

    wheels: Annotated[
        tuple[Path, ...],
        partial(argument, nargs=-1, required=True, metavar="WHEEL...", type=click.Path(path_type=Path)),
    ]
    as_json: Annotated[
        bool,
        partial(option, "--json", is_flag=True, help="Print the audits as JSON (schema: factory schema audit)."),
    ]
    as_sarif: Annotated[
        bool,
        partial(
            option,
            "--sarif",
            is_flag=True,
            help="Print the findings as SARIF 2.1.0, for code scanning.",
        ),
    ]
    strict: Annotated[bool, partial(option, "--strict", is_flag=True, help="Refuse wheels for warnings too.")]
    select: Annotated[
        tuple[str, ...],
        partial(option, "--select", multiple=True, metavar="RULE", help="Check only this rule; may be repeated."),
    ]
    ignore: Annotated[
        tuple[str, ...],
        partial(option, "--ignore", multiple=True, metavar="RULE", help="Leave out this rule; may be repeated."),
    ]


class CompareOptions(NamedTuple):
    """The arguments of `factory compare`."""

    wheels: Annotated[
        tuple[Path, ...],
        partial(argument, nargs=-1, required=True, metavar="NEW...", type=click.Path(path_type=Path)),
    ]
    others: Annotated[
        tuple[str, ...],
        partial(
            option,
            "--with",
            multiple=True,
            metavar="OLD",
            help="A wheel or a folder of them (may be repeated), a version on the package index, or same for the "
            "published wheels of the same release.  [default: the newest older release on the index]",
        ),
    ]
    strict: Annotated[bool, partial(option, "--strict", is_flag=True, help="Exit with 1 if something is lost.")]
    as_json: Annotated[
        bool,
        partial(
            option, "--json", is_flag=True, help="Print every difference as JSON (schema: factory schema compare)."
        ),
    ]


class CoverageOptions(NamedTuple):
    """The arguments of `factory coverage`."""

    dists: Annotated[tuple[str, ...], partial(argument, nargs=-1, required=True, metavar="DIST...")]
    machines: Annotated[
        tuple[str, ...],
        partial(
            option,
            "--machine",
            multiple=True,
            metavar="NAME",
            help="Look at this machine only, such as riscv64; may be repeated.  [default: x86_64, aarch64, and those "
            "that a wheel names]",
        ),
    ]
    as_markdown: Annotated[bool, partial(option, "--markdown", is_flag=True, help="Print the table as Markdown.")]
    as_json: Annotated[
        bool,
        partial(option, "--json", is_flag=True, help="Print every choice as JSON (schema: factory schema coverage)."),
    ]
    svg: Annotated[
        Path | None,
        partial(
            option,
            "--svg",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write the table of one release as an SVG card for a README.",
        ),
    ]


class InitOptions(NamedTuple):
    """The flags of `factory init`."""

    source: Annotated[str, partial(argument, default=".", metavar="[SOURCE]")]
    output: Annotated[
        Path,
        partial(
            option,
            "-o",
            "--output",
            default="recipe.yaml",
            show_default=True,
            type=click.Path(path_type=Path),
            help="The recipe to write; - is stdout.",
        ),
    ]
    force: Annotated[bool, partial(option, "--force", is_flag=True, help="Overwrite an existing recipe.")]
    families: _Families


class PinOptions(NamedTuple):
    """The flags of `factory image pin`."""

    reference: Annotated[str | None, partial(argument, required=False)]
    from_cibuildwheel: Annotated[
        bool,
        partial(
            option,
            "--from-cibuildwheel",
            is_flag=True,
            help="Take the pins of the newest cibuildwheel release.",
        ),
    ]
    trial: Annotated[
        bool,
        partial(
            option,
            "--trial",
            is_flag=True,
            help="Pull REFERENCE, and pin it in the lock as a plain image to try wheels on: python:3.12-slim.",
        ),
    ]
    tag: Annotated[
        str,
        partial(
            option,
            "--tag",
            default="latest",
            show_default=True,
            help="Tag whose digest the registry is asked for.",
        ),
    ]
    output: Annotated[
        Path | None,
        partial(
            option,
            "-o",
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Lock to write.  [default: the factory's own]",
        ),
    ]


def takes(kind: Callable[..., _T]) -> Callable[[Callable[[_T], None]], Callable[..., None]]:
    """Give a command the options that a named tuple declares, and call it with their values."""

    def decorate(command: Callable[[_T], None]) -> Callable[..., None]:
        @wraps(command)
        def call(**values: object) -> None:
            command(kind(**values))

        decorated: Callable[..., None] = call
        for name, hint in reversed(get_type_hints(kind, include_extras=True).items()):
            (declare,) = hint.__metadata__
            decorated = declare(name)(decorated)
        return decorated

    return decorate
