"""`repair`, `audit` and `skip`: what the wheel must be, and what is left out."""

from datetime import date
from typing import Literal

from factory.catalogue import Waiver
from factory.form.fields import Field, field_of, optional, required, section
from factory.form.kinds import Choice, Flag, ListOf, Text
from factory.form.records import Record, built, record
from factory.recipe import texts
from factory.recipe.sections.shared import DATE, LINE, SELECTOR, SHARE, SIZE, WORD, distinct


@section
class RepairSpec:
    """Options for auditwheel."""

    exclude: tuple[str, ...] = optional(
        kind=distinct(Text(name="a library", parse=texts.library), "a list of library names"),
        doc="Libraries that auditwheel leaves out of the wheel: the user's system has to have them.",
        example="exclude: [libcuda.so.1]",
        default=(),
        enters=("repair",),
    )
    strip: bool = optional(
        kind=Flag(),
        doc="Whether symbols are stripped from the wheel.",
        example="strip: true",
        default=False,
        enters=("repair",),
    )


@section
class Selecting:
    """What applies to the cells that a glob selects."""

    select: str = required(
        kind=SELECTOR,
        doc="A glob over ids, or over addresses when it contains a `/`.",
        example="select: '*-cp314t-*'",
        hint='say which cells: select: "*-cp314t-*"',
    )


@section
class SkipRule(Selecting):
    """Cells the recipe leaves out: a glob over ids, or over addresses when it contains a slash."""

    reason: str = required(
        kind=LINE,
        doc="The reason, in a few words; the report shows it.",
        example="reason: PyO3 0.26 has no 3.14t",
        hint="give the reason in a few words; the report shows it",
    )
    until: date | None = optional(
        kind=DATE,
        doc="The last day on which this applies.",
        example="until: 2027-01-31",
        default=None,
        shown_default="forever",
    )


_WAIVER = Record(
    fields=(
        Field(
            name="rule",
            example="rule: libpython-linked",
            kind=WORD,
            doc="The rule's id.",
            required=True,
            enters=("audit",),
            hint="name the rule as the report does: rule: libpython-linked",
        ),
        Field(
            name="subject",
            example="subject: '*.so'",
            kind=LINE,
            doc="A glob over what findings name.",
            default="*",  # as in Waiver, which lies below all forms; a test compares the two
            shown_default="`*`",
            enters=("audit",),
        ),
        field_of(SkipRule, "reason"),
        field_of(SkipRule, "until"),
    ),
    build=built(Waiver),
)


@section
class AgainstSpec:
    """How a wheel is compared with that of the newest older release on the index; `most_growth` is a share."""

    compare: bool = optional(
        kind=Flag(),
        doc="Whether it is compared at all.",
        example="compare: false",
        default=True,
    )
    most_growth: float | None = optional(
        name="size",
        kind=SHARE,
        doc="How much larger than the older wheel it may be.",
        example="size: 20%",
        default=None,
        shown_default="no limit",
    )
    lost: Literal["note", "error"] = optional(
        kind=Choice(words=("note", "error")),
        doc="Whether a wheel that has lost modules, stubs, data, licences, entry points or symbols is refused.",
        example="lost: error",
        default="note",
    )


@section
class AuditSpec:
    """What the gate expects of the wheel; modules are dotted names of extension modules."""

    modules: tuple[str, ...] = optional(
        kind=distinct(Text(name="a module", parse=texts.module), "a list of dotted names"),
        doc="Extension modules that the wheel must hold.",
        example="modules: [nh3.nh3]",
        default=(),
        enters=("audit",),
    )
    guessed_modules: tuple[str, ...] = optional(
        kind=distinct(Text(name="a module", parse=texts.module), "a list of dotted names"),
        doc="Extension modules that the source seems to build, as `factory init` read it: a missing one is a warning.",
        example="guessed-modules: [nh3.nh3]",
        default=(),
        enters=("audit",),
    )
    max_size_bytes: int | None = optional(
        name="max-size",
        kind=SIZE,
        doc="The largest size that the wheel may have.",
        example="max-size: 5MB",
        default=None,
        shown_default="no limit",
        enters=("audit",),
    )
    against: AgainstSpec | None = optional(
        kind=record(AgainstSpec),
        doc="Compares the wheel with that of the newest older release on the index. Differences are "
        "notes, except those that `size` and `lost` refuse; `{}` refuses none. If it is given, what imports cost is "
        "compared as well, and an index that does not answer fails the cell.",
        example="against: {size: 20%, lost: error}",
        default=None,
        shown_default="compared if `source` is a release on the index",
    )
    waive: tuple[Waiver, ...] = optional(
        kind=ListOf(item=_WAIVER, name="a list of mappings"),
        doc="Findings that the recipe accepts, each with its reason.",
        example="waive: [{rule: libpython-linked, reason: a program embeds it}]",
        default=(),
        enters=("audit",),
    )
