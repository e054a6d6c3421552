"""What stops a run, each with its exit code.

FactoryError
├── TooMuchOutputError  1   a tool that the factory runs printed too much
├── TooSlowError      1   a tool that the factory runs exceeded its time
├── UsageError        2   a flag or argument that is not valid
│   └── RecipeError   2   a recipe that cannot be read; carries every Problem found
├── PlanError         3   a plan that cannot be carried out, or selects nothing
├── SourceError       3   a source that cannot be fetched or read
├── EngineError       4   no container engine, or one that stopped answering
│   └── ImageError    4   no image is suitable, or it is not what it declares
├── StoreError        5   the store cannot be used
├── OutputError       5   the output folder, or another place for output, cannot be used
├── InternalError    70   an internal error of the factory
└── Interrupted     130   Ctrl-C or SIGTERM

Expected bad news (a failed build, a finding, a failed trial) is a value in the Run, never one of these.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from factory.excerpt import cut


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A place in a text: file name as the user gave it, line and column counted from 1.

    `text` is the whole line, so that a place can be shown without reading the file again.
    """

    file: str
    line: int
    column: int
    length: int = 1
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a field; `hint` says what to do."""

    field: str
    message: str
    span: Span | None = None
    hint: str = ""


class FactoryError(Exception):
    """Something that stops the run: one lowercase clause, and what to do next in `hint`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        """Keep the clause, the hint, and every problem found (recipes and sources have several)."""
        self.message = cut(message)
        super().__init__(self.message)
        self.hint = cut(hint)
        self.problems = problems

    def of(self, thing: object) -> Self:
        """Return the same error with a message that begins with what it is about: which recipe of several."""
        return type(self)(f"{thing}: {self.message}", hint=self.hint, problems=self.problems)


class TooMuchOutputError(FactoryError):
    """A tool that the factory runs (such as git) printed too much and was stopped."""


class TooSlowError(FactoryError):
    """A tool that the factory runs (such as git) exceeded its time and was stopped."""


class UsageError(FactoryError):
    """A flag or argument that is not valid."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe that cannot be read: all of its problems at once."""


class PlanError(FactoryError):
    """A plan that cannot be carried out, or one that selects nothing."""

    exit_code = 3


class SourceError(FactoryError):
    """A source that cannot be fetched, does not have its hash, or cannot be read."""

    exit_code = 3


class EngineError(FactoryError):
    """No container engine, or one that stopped answering."""

    exit_code = 4


class ImageError(EngineError):
    """No image is suitable, or an image is not what it declares."""


class StoreError(FactoryError):
    """The store cannot be used."""

    exit_code = 5


class OutputError(FactoryError):
    """The output folder, or another place for output, cannot be used."""

    exit_code = 5


class InternalError(FactoryError):
    """An internal error of the factory.

    `traceback` says where; it is empty once it was written to a log.
    """

    exit_code = 70

    def __init__(
        self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = (), traceback: str = ""
    ) -> None:
        """Keep the traceback besides the clause."""
        super().__init__(message, hint=hint, problems=problems)
        self.traceback = traceback

    def of(self, thing: object) -> Self:
        """Return the same error with a message that begins with what it is about."""
        message = f"{thing}: {self.message}"
        return type(self)(message, hint=self.hint, problems=self.problems, traceback=self.traceback)

    def logged(self, path: object) -> Self:
        """Return the same error without its traceback, which was written to a log."""
        return type(self)(self.message, hint=f"please report it, with {path}", problems=self.problems)


class Interrupted(FactoryError):  # noqa: N818 -- not an error: the user asked for it
    """Ctrl-C or SIGTERM."""

    exit_code = 130


def is_of_one_recipe(error: FactoryError) -> bool:
    """Whether an error is about one recipe, its source or its packages, so that others can go on."""
    local = (RecipeError, PlanError, SourceError, ImageError, InternalError, TooMuchOutputError, TooSlowError)
    return isinstance(error, local) or type(error) is FactoryError
