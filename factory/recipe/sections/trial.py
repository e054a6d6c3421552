"""`test`: how the installed wheel is tried."""

from typing import Literal

from packaging.requirements import Requirement

from factory.catalogue import Processor
from factory.form.fields import optional, required, section
from factory.form.kinds import Choice, Flag, ListOf, Text
from factory.form.records import record
from factory.recipe import texts
from factory.recipe.sections.shared import DURATION, IN_SOURCE, REQUIREMENTS, SCRIPT_LIMIT, distinct


@section
class GilSpec:
    """That a module may switch the GIL on."""

    allowed: str = required(
        kind=Text(name="a reason", parse=texts.line),
        doc="The reason, in a few words; the report shows it.",
        example="allowed: the C library underneath has global state",
        hint="give the reason in a few words; the report shows it",
    )


@section
class TestSpec:
    """How the installed wheel is tried; `run` may hold `{source}` and `{wheel}`.

    `unimported` are globs over dotted names; `processor` is the oldest that the wheel is for, as a level of the x86-64
    psABI, or `any` where that does not matter.
    """

    requires: tuple[Requirement, ...] = optional(
        kind=REQUIREMENTS,
        doc="Packages to install with the wheel.",
        example="requires: ['pytest>=8']",
        default=(),
        enters=("prepare", "trial"),
    )
    extras: tuple[str, ...] = optional(
        kind=distinct(Text(name="an extra", parse=texts.extra), "a list of extras"),
        doc="Extras of the wheel to install.",
        example="extras: [fast]",
        default=(),
        enters=("prepare", "trial"),
    )
    run: tuple[str, ...] = optional(
        kind=ListOf(
            item=Text(name="a shell line", parse=texts.trial_script, limit=SCRIPT_LIMIT),
            name="a shell line, or a list of them",
            bare=True,
        ),
        doc="Run by `sh -e` in an empty folder; `{source}` and `{wheel}` become their paths.",
        example="run: pytest -q {source}/tests",
        default=(),
        enters=("trial",),
    )
    source: Literal["tests", "whole"] = optional(
        kind=Choice(words=("tests", "whole")),
        doc="What `{source}` holds: `tests` is the source without the modules of the packages that the wheel brings "
        "(tests inside them stay), so that tests import the installed wheel; `whole` is all of it.",
        example="source: whole",
        default="tests",
        enters=("trial",),
    )
    imports: tuple[str, ...] = optional(
        name="import",
        kind=distinct(Text(name="a module", parse=texts.module), "a list of dotted names"),
        doc="Modules that must import.",
        example="import: [nh3]",
        default=(),
        enters=("trial",),
    )
    unimported: tuple[str, ...] = optional(
        kind=distinct(
            Text(name="a glob over dotted names", parse=texts.module_glob), "a list of globs over dotted names"
        ),
        doc="Extension modules that are not imported: they need what no trial has, such as a display.",
        example="unimported: ['spam._gui']",
        default=(),
        enters=("trial",),
    )
    resolve: tuple[Literal["highest", "lowest-direct"], ...] = optional(
        kind=ListOf(
            item=Choice(words=("highest", "lowest-direct")), name="a list of resolutions", unique=True, least=1
        ),
        doc="Which versions of its requirements the wheel is tried with: `highest` are the newest, `lowest-direct` the "
        "oldest that its METADATA allows; the words are those of uv's `--resolution`.",
        example="resolve: [highest, lowest-direct]",
        default=("highest",),
        enters=("trial",),
    )
    threads: int | None = optional(
        kind=Text(name="a number of threads", parse=texts.threads, pattern="[2-9]|[1-9][0-9]", number=True),
        doc="How many threads, 2 to 99, import the modules and run `run` at once, after they were tried alone: "
        "pytest under pytest-run-parallel, and the code of every other `python`. If nothing runs in parallel, the "
        "trial fails.",
        example="threads: 8",
        default=None,
        shown_default="none",
        enters=("trial",),
    )
    stubs: bool = optional(
        kind=Flag(),
        doc="Whether mypy's stubtest compares the wheel's stubs with what it imports; a difference fails the trial.",
        example="stubs: true",
        default=False,
        enters=("trial",),
    )
    stub_allowlist: str | None = optional(
        kind=IN_SOURCE,
        doc="A file of the source with the differences that stubtest accepts, as its `--allowlist` has them.",
        example="stub-allowlist: tests/stubtest-allowlist.txt",
        default=None,
        shown_default="none",
        enters=("trial",),
    )
    processor: Processor = optional(
        kind=Choice(words=("x86-64", "x86-64-v2", "any")),
        doc="The oldest processor that the wheel is for; "
        "its modules are imported once more on one like it, unless this is `any`.",
        example="processor: x86-64-v2",
        default="x86-64",
        enters=("trial",),
    )
    timeout_s: int = optional(
        name="timeout",
        kind=DURATION,
        doc="The longest time that a trial may take.",
        example="timeout: 10m",
        default=300,
        shown_default="5m",
    )
    untried: Literal["fail", "allow"] = optional(
        kind=Choice(words=("fail", "allow")),
        doc="Whether a wheel may be released when no trial image here has an interpreter that it is for.",
        example="untried: allow",
        default="fail",
    )
    gil: GilSpec | None = optional(
        kind=record(GilSpec),
        doc="Why a module may switch the GIL on when a free-threaded Python imports it; otherwise the trial fails.",
        example="gil: {allowed: the C library underneath has global state}",
        default=None,
        shown_default="none",
    )
