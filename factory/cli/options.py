"""The flags of the commands: one definition gives the option of click's and the field of the value that a command gets.

A field is annotated with its type and with what declares it, which is called with the field's name; the order of the
fields is the order of --help.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, TypeVar, get_type_hints

import click
from click import argument, option

from factory.catalogue import DEFAULT_FAMILIES

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
        default=DEFAULT_FAMILIES,
        show_default=True,
        metavar="LIST",
        help="Image families that may serve, the preferred first, with commas between.",
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
_AllowEnv = Annotated[
    tuple[str, ...],
    partial(
        option,
        "--allow-env",
        multiple=True,
        metavar="NAME",
        help="Let recipes read this environment variable (build.pass-env). Repeat it, or use commas. "
        "FACTORY_PASS_ENV adds names.",
    ),
]
_Root = Annotated[
    Path | None,
    partial(
        option,
        "--root",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="FOLDER",
        help="Folder in which local files of recipes must lie (path, patches, file://).  "
        "[default: the recipe's repository, or its folder]",
    ),
]
_Update = Annotated[
    bool,
    partial(option, "--update", is_flag=True, help="Resolve sources and requirements anew instead of as last time."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
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
            help="Where wheels go.",
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
            help="Cells and trials at once.  [default: processors]",
        ),
    ]
    families: _Families
    root: _Root
    keep_going: Annotated[
        bool,
        partial(
            option,
            "--keep-going",
            is_flag=True,
            help="A bad recipe does not stop the others; the exit code still tells.",
        ),
    ]
    allow_env: _AllowEnv
    no_cache: Annotated[
        bool, partial(option, "--no-cache", is_flag=True, help="Do all the work again, and remember it.")
    ]
    update: _Update
    keep: Annotated[
        bool,
        partial(
            option,
            "--keep",
            is_flag=True,
            help="Copy the regular files of a failed cell's workspace into the run's folder, below kept/<subject>/.",
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
            help="Write the run as JUnit XML, a test case for each wheel and each trial; - is stdout.",
        ),
    ]
    verbose: Annotated[
        bool, partial(option, "-v", "--verbose", is_flag=True, help="Show every step's output as it comes.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """The flags of `factory plan`."""

    recipes: _Recipes
    only: _Only
    skip: _Skip
    settings: _Settings
    families: _Families
    root: _Root
    update: _Update
    allow_env: _AllowEnv
    keep_going: Annotated[
        bool,
        partial(option, "--keep-going", is_flag=True, help="Plan the good recipes although others are bad."),
    ]
    ids: Annotated[
        bool,
        partial(option, "--ids", is_flag=True, help="Print only the addresses of the cells, one a line."),
    ]
    as_json: Annotated[
        bool,
        partial(option, "--json", is_flag=True, help="Print the plans as JSON (schema: factory schema plan)."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """The arguments of `factory audit`. Without `select` every rule counts; `strict` makes warnings refuse too."""

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
            help="Print the findings as SARIF 2.1.0, for code-scanning pages.",
        ),
    ]
    strict: Annotated[bool, partial(option, "--strict", is_flag=True, help="Refuse wheels for warnings too.")]
    select: Annotated[
        tuple[str, ...],
        partial(option, "--select", multiple=True, metavar="RULE", help="Judge by this rule alone; may be repeated."),
    ]
    ignore: Annotated[
        tuple[str, ...],
        partial(option, "--ignore", multiple=True, metavar="RULE", help="Leave out this rule; may be repeated."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
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
    force: Annotated[bool, partial(option, "--force", is_flag=True, help="Write over a recipe that is there.")]
    families: _Families


@dataclass(frozen=True, slots=True, kw_only=True)
class PinOptions:
    """The flags of `factory image pin`."""

    reference: Annotated[str | None, partial(argument, required=False)]
    from_cibuildwheel: Annotated[
        bool,
        partial(
            option,
            "--from-cibuildwheel",
            is_flag=True,
            help="Take the pins of the newest cibuildwheel on the index.",
        ),
    ]
    tag: Annotated[
        str,
        partial(
            option,
            "--tag",
            default="latest",
            show_default=True,
            help="Which tag's digest the registry is asked for.",
        ),
    ]
    output: Annotated[
        Path | None,
        partial(
            option,
            "-o",
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Which lock to write.  [default: our own]",
        ),
    ]


def takes(kind: Callable[..., _T]) -> Callable[[Callable[[_T], None]], Callable[..., None]]:
    """Give a command the options that the fields of a dataclass declare, and call it with their value."""

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
