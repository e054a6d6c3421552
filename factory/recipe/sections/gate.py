"""`repair`, `audit` and `skip`: what the wheel must be, and what is left out."""

from datetime import date

from factory.catalogue import Waiver
from factory.form.kinds import Flag, ListOf, Text
from factory.form.records import Field, Record, Values
from factory.recipe import texts
from factory.recipe.model import AuditSpec, RepairSpec, SkipRule
from factory.recipe.sections.shared import DATE, LINE, SELECTOR, SIZE, WORD, distinct

EXCLUDE: Field[tuple[str, ...]] = Field(
    name="exclude",
    example="exclude: [libcuda.so.1]",
    kind=distinct(Text(name="a library", parse=texts.library), "a list of library names"),
    doc="Libraries that auditwheel leaves out of the wheel: the user's system has to have them.",
    default=(),
    enters=("repair",),
)
STRIP = Field(
    name="strip",
    example="strip: true",
    kind=Flag(),
    doc="Whether symbols are stripped from the wheel.",
    default=False,
    enters=("repair",),
)
REPAIR = Field(
    name="repair",
    example="repair: {strip: true}",
    kind=Record(fields=(EXCLUDE, STRIP), build=lambda values: RepairSpec(exclude=values[EXCLUDE], strip=values[STRIP])),
    doc="What auditwheel is told.",
    default=RepairSpec(),
)

REASON = Field(
    name="reason",
    example="reason: PyO3 0.26 has no 3.14t",
    kind=LINE,
    doc="Why, in a few words that the report shows.",
    required=True,
    hint="say why in a few words; the report shows them to whoever asks",
)
UNTIL: Field[date | None] = Field(
    name="until",
    example="until: 2027-01-31",
    kind=DATE,
    doc="The last day on which this holds.",
    shown_default="for ever",
)
SELECT = Field(
    name="select",
    example="select: '*-cp314t-*'",
    kind=SELECTOR,
    doc="A glob over ids, or over addresses when it holds a `/`.",
    required=True,
    hint='say which cells: select: "*-cp314t-*"',
)
RULE = Field(
    name="rule",
    example="rule: libpython-linked",
    kind=WORD,
    doc="The rule's id.",
    required=True,
    enters=("audit",),
    hint="name the rule as the report does: rule: libpython-linked",
)
SUBJECT = Field(
    name="subject",
    example="subject: '*.so'",
    kind=LINE,
    doc="A glob over what findings name.",
    default="*",
    shown_default="`*`",
    enters=("audit",),
)


def _skip(values: Values) -> SkipRule:
    return SkipRule(select=values[SELECT], reason=values[REASON], until=values[UNTIL])


def _waiver(values: Values) -> Waiver:
    return Waiver(rule=values[RULE], reason=values[REASON], subject=values[SUBJECT], until=values[UNTIL])


SKIP: Field[tuple[SkipRule, ...]] = Field(
    name="skip",
    example="skip: [{select: '*-cp314t-*', reason: PyO3 0.26}]",
    kind=ListOf(item=Record(fields=(SELECT, REASON, UNTIL), build=_skip), name="a list of mappings"),
    doc="Cells that are left out, each with its reason.",
    default=(),
    level="recipe",
)
MODULES: Field[tuple[str, ...]] = Field(
    name="modules",
    example="modules: [nh3.nh3]",
    kind=distinct(Text(name="a module", parse=texts.module), "a list of dotted names"),
    doc="Extension modules that the wheel must hold.",
    default=(),
    enters=("audit",),
)
MAX_SIZE: Field[int | None] = Field(
    name="max-size",
    example="max-size: 5MB",
    kind=SIZE,
    doc="The largest that the wheel may be.",
    attribute="max_size_bytes",
    shown_default="no limit",
    enters=("audit",),
)
WAIVE: Field[tuple[Waiver, ...]] = Field(
    name="waive",
    example="waive: [{rule: libpython-linked, reason: a program embeds it}]",
    kind=ListOf(item=Record(fields=(RULE, SUBJECT, REASON, UNTIL), build=_waiver), name="a list of mappings"),
    doc="Findings that the recipe accepts, each with its reason.",
    default=(),
    enters=("audit",),
)
AUDIT = Field(
    name="audit",
    example="audit: {modules: [nh3.nh3]}",
    kind=Record(
        fields=(MODULES, MAX_SIZE, WAIVE),
        build=lambda values: AuditSpec(modules=values[MODULES], max_size_bytes=values[MAX_SIZE], waive=values[WAIVE]),
    ),
    doc="What the gate expects of the wheel.",
    default=AuditSpec(),
)
