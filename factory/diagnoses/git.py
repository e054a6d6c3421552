"""What git prints when it fails. The messages are those of git 2.47."""

import re
from typing import Final, Literal

from factory.diagnoses.cases import Case, Diagnosis, diagnose
from factory.diagnoses.searchable import searchable

Kind = Literal["patch"]

_NAMES: Final = "names are read as git and `diff -u a b` write them: the first folder of each is removed"


def _case(pattern: str, sentence: str, hint: str) -> Case[Kind]:
    return Case("patch", re.compile(pattern, re.MULTILINE), sentence, hint)


_CASES: Final = (
    _case(
        r"^error: patch failed: (?P<file>[^\n]{1,900}):(?P<line>\d{1,9})$",
        "does not apply: its hunk at {file}:{line} expects other lines than the source has there",
        "make the patch again, from this source",
    ),
    _case(
        r"^error: (?P<file>[^\n]{1,900}): does not exist in index$",
        "changes {file}, which is not in the source",
        _NAMES,
    ),
    _case(
        r"^error: (?P<file>[^\n]{1,900}): already exists in index$",
        "creates {file}, which is already in the source",
        "remove it from the recipe if the source already has the change",
    ),
    _case(
        r"^error: invalid path '(?P<file>[^\n]{1,900})'$",
        "names {file}, which is not a valid path in a source",
        "remove that file from the patch",
    ),
    _case(
        r"^error: new mode \(120000\) of (?P<file>[^\n]{1,900}) does not match old mode",
        "makes {file} a link; patches may only change files",
        "write the file itself, or do it in build.before",
    ),
    _case(
        r"^error: (?P<file>[^\n]{1,900}): wrong type$",
        "treats {file} as another kind of file than it is",
        "links of a source are copies here: patch what they point to",
    ),
    _case(
        r"^error: '(?P<file>[^\n]{1,900})' appears as both a file and as a directory$",
        "cannot create {file}: a file would have to be a folder as well",
        "name another path",
    ),
    _case(
        r"^error: corrupt patch at (?:[^\s:]{1,400}:|line )(?P<line>\d{1,9})$",
        "is corrupt at line {line}",
        "make the patch again",
    ),
    _case(r"^error: No valid patches in input", "contains no patch", "write it by `git diff` or `diff -u`"),
)


def explain_patch(output: str) -> Diagnosis[Kind]:
    """Explain why git refused a patch; the sentence continues after the patch's name."""
    first = next(iter(searchable(output).strip().splitlines()), "git gives no reason").removeprefix("error: ")
    return diagnose(_CASES, searchable(output)) or Diagnosis(kind="patch", sentence=f"does not apply: {first}")


def complaint(output: str, returncode: int) -> str:
    """Return the first error that git printed."""
    lines = [line.strip() for line in searchable(output).splitlines() if line.strip()]
    complaints = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
    return next(iter(complaints or lines), f"it ended with {returncode}")
