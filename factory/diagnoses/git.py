"""What git complains of. The words are those of git 2.47."""

import re
from typing import Final, Literal

from factory.diagnoses.cases import Case, Diagnosis, diagnose
from factory.diagnoses.searchable import searchable

Kind = Literal["patch"]

_NAMES: Final = "names are read as git and `diff -u a b` write them: the first folder of each is taken off"


def _case(pattern: str, sentence: str, hint: str) -> Case[Kind]:
    return Case("patch", re.compile(pattern, re.MULTILINE), sentence, hint)


_CASES: Final = (
    _case(
        r"^error: patch failed: (?P<file>[^\n]{1,900}):(?P<line>\d{1,9})$",
        "does not apply: its hunk at {file}:{line} expects other lines than the source has there",
        "make it anew against this very source",
    ),
    _case(
        r"^error: (?P<file>[^\n]{1,900}): does not exist in index$",
        "changes {file}, which is not in the source",
        _NAMES,
    ),
    _case(
        r"^error: (?P<file>[^\n]{1,900}): already exists in index$",
        "makes {file}, which is in the source already",
        "take it out of the recipe if the source has the change by now",
    ),
    _case(
        r"^error: invalid path '(?P<file>[^\n]{1,900})'$",
        "names {file}, which no source can hold",
        "take that file out",
    ),
    _case(
        r"^error: new mode \(120000\) of (?P<file>[^\n]{1,900}) does not match old mode",
        "makes a link of {file}; patches change files alone",
        "write the file itself, or do it in build.before",
    ),
    _case(
        r"^error: (?P<file>[^\n]{1,900}): wrong type$",
        "takes {file} for a link or another kind of file than it is",
        "links of a source are copies here: patch what they point to",
    ),
    _case(
        r"^error: '(?P<file>[^\n]{1,900})' appears as both a file and as a directory$",
        "cannot make {file}: a file would be a folder, too",
        "name another path",
    ),
    _case(
        r"^error: corrupt patch at (?:[^\s:]{1,400}:|line )(?P<line>\d{1,9})$",
        "is broken at its line {line}",
        "make it anew",
    ),
    _case(r"^error: No valid patches in input", "holds no patch", "write it by `git diff` or `diff -u`"),
)


def explain_patch(output: str) -> Diagnosis[Kind]:
    """Say what git has against a patch; the sentence goes on after the patch's name."""
    first = next(iter(searchable(output).strip().splitlines()), "git says no more").removeprefix("error: ")
    return diagnose(_CASES, searchable(output)) or Diagnosis(kind="patch", sentence=f"does not apply: {first}")


def complaint(output: str, returncode: int) -> str:
    """Return what git complained of first."""
    lines = [line.strip() for line in searchable(output).splitlines() if line.strip()]
    complaints = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
    return next(iter(complaints or lines), f"it ended with {returncode}")
