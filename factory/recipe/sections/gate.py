"""`repair`, `audit` and `skip`: what the wheel must be, and what is left out."""

from datetime import date

from factory.catalogue import Waiver
from factory.recipe import texts
from factory.recipe.kinds import Flag, ListOf, Text
from factory.recipe.model import AuditSpec, RepairSpec, SkipRule
from factory.recipe.records import Field, Record, Values
from factory.recipe.sections.shared import DATE, LINE, SELECTOR, SIZE, WORD, distinct

EXCLUDE: Field[tuple[str, ...]] = Field(
    name="exclude",
    kind=distinct(Text(name="library", parse=texts.library), "list of library names"),
    doc="Libraries that auditwheel leaves out of the wheel: the user's system has to have them.",
    default=(),
    enters=("repair",),
)
STRIP = Field(
    name="strip", kind=Flag(), doc="Whether symbols are stripped from the wheel.", default=False, enters=("repair",)
)
REPAIR = Field(
    name="repair",
    kind=Record(fields=(EXCLUDE, STRIP), build=lambda values: RepairSpec(exclude=values[EXCLUDE], strip=values[STRIP])),
    doc="What auditwheel is told.",
    default=RepairSpec(),
)

REASON = Field(
    name="reason",
    kind=LINE,
    doc="Why, in a few words that the report shows.",
    required=True,
    hint="say why in a few words; the report shows them to whoever asks",
)
UNTIL: Field[date | None] = Field(
    name="until", kind=DATE, doc="The last day on which this holds.", shown_default="for ever"
)
SELECT = Field(
    name="select", kind=SELECTOR, doc="A glob over ids, or over addresses when it holds a `/`.", required=True
)
RULE = Field(name="rule", kind=WORD, doc="The rule's id.", required=True, enters=("audit",))
SUBJECT = Field(
    name="subject",
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
    kind=ListOf(item=Record(fields=(SELECT, REASON, UNTIL), build=_skip), name="list of mappings"),
    doc="Cells that are left out, each with its reason.",
    default=(),
    level="recipe",
)
MODULES: Field[tuple[str, ...]] = Field(
    name="modules",
    kind=distinct(Text(name="module", parse=texts.module), "list of dotted names"),
    doc="Extension modules that the wheel must hold.",
    default=(),
    enters=("audit",),
)
MAX_SIZE: Field[int | None] = Field(
    name="max-size", kind=SIZE, doc="The largest that the wheel may be.", shown_default="no limit", enters=("audit",)
)
WAIVE: Field[tuple[Waiver, ...]] = Field(
    name="waive",
    kind=ListOf(item=Record(fields=(RULE, SUBJECT, REASON, UNTIL), build=_waiver), name="list of mappings"),
    doc="Findings that the recipe accepts, each with its reason.",
    default=(),
    enters=("audit",),
)
AUDIT = Field(
    name="audit",
    kind=Record(
        fields=(MODULES, MAX_SIZE, WAIVE),
        build=lambda values: AuditSpec(modules=values[MODULES], max_size_bytes=values[MAX_SIZE], waive=values[WAIVE]),
    ),
    doc="What the gate expects of the wheel.",
    default=AuditSpec(),
)
