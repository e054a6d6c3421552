"""`test`: how the installed wheel is tried."""

from typing import Literal

from packaging.requirements import Requirement

from factory.catalogue import Processor
from factory.form.kinds import Choice, ListOf, Text
from factory.form.records import Field, Record, Values
from factory.recipe import texts
from factory.recipe.model import TestSpec
from factory.recipe.sections.shared import DURATION, REQUIREMENTS, SCRIPT_LIMIT, distinct

REQUIRES: Field[tuple[Requirement, ...]] = Field(
    name="requires",
    example="requires: ['pytest>=8']",
    kind=REQUIREMENTS,
    doc="Packages to install beside the wheel.",
    default=(),
    enters=("prepare", "trial"),
)
EXTRAS: Field[tuple[str, ...]] = Field(
    name="extras",
    example="extras: [fast]",
    kind=distinct(Text(name="an extra", parse=texts.extra), "a list of extras"),
    doc="Extras of the wheel to install.",
    default=(),
    enters=("prepare", "trial"),
)
RUN: Field[tuple[str, ...]] = Field(
    name="run",
    example="run: pytest -q {source}/tests",
    kind=ListOf(
        item=Text(name="a shell line", parse=texts.trial_script, limit=SCRIPT_LIMIT),
        name="a shell line, or a list of them",
        bare=True,
    ),
    doc="Run by `sh -e` in an empty folder; `{source}` and `{wheel}` become their paths.",
    default=(),
    enters=("trial",),
)
IMPORT: Field[tuple[str, ...]] = Field(
    name="import",
    example="import: [nh3]",
    kind=distinct(Text(name="a module", parse=texts.module), "a list of dotted names"),
    doc="Modules that must import.",
    attribute="imports",
    default=(),
    enters=("trial",),
)
UNIMPORTED: Field[tuple[str, ...]] = Field(
    name="unimported",
    example="unimported: ['spam._gui']",
    kind=distinct(Text(name="a glob over dotted names", parse=texts.module_glob), "a list of globs over dotted names"),
    doc="Extension modules that are not imported: they need what no trial has, such as a display.",
    default=(),
    enters=("trial",),
)
PROCESSOR: Field[Processor] = Field(
    name="processor",
    example="processor: x86-64-v2",
    kind=Choice(words=("x86-64", "x86-64-v2", "any")),
    doc="The oldest processor that the wheel is for; its modules are imported once more on one like it, unless `any`.",
    default="x86-64",
    enters=("trial",),
)
TIMEOUT = Field(
    name="timeout",
    example="timeout: 10m",
    kind=DURATION,
    doc="The longest that one trial may take.",
    attribute="timeout_s",
    default=300,
    shown_default="5m",
)
UNTRIED: Field[Literal["fail", "allow"]] = Field(
    name="untried",
    example="untried: allow",
    kind=Choice(words=("fail", "allow")),
    doc="Whether a wheel may go out when an interpreter it is for has no trial image here.",
    default="fail",
)


def _build(values: Values) -> TestSpec:
    return TestSpec(
        requires=values[REQUIRES],
        extras=values[EXTRAS],
        run=values[RUN],
        imports=values[IMPORT],
        unimported=values[UNIMPORTED],
        processor=values[PROCESSOR],
        timeout_s=values[TIMEOUT],
        untried=values[UNTRIED],
    )


TEST = Field(
    name="test",
    example="test: {import: [nh3]}",
    kind=Record(fields=(REQUIRES, EXTRAS, RUN, IMPORT, UNIMPORTED, PROCESSOR, TIMEOUT, UNTRIED), build=_build),
    doc="How the installed wheel is tried, once per interpreter.",
    default=TestSpec(),
)
