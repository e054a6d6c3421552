"""Files that hold something other than what their names promise."""

from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="lfs-pointer",
        severity=Severity.ERROR,
        summary="a file is a Git LFS pointer instead of what it points to",
        why="The source was cloned without its large files: whatever reads the file at run time fails.",
        mend="Fetch them before building (`git lfs pull`), or build from an sdist that has them.",
        source="Git LFS specification, the pointer",
    ),
    Rule(
        id="html-page",
        severity=Severity.ERROR,
        summary="a web page is in the place of data or code",
        why="A download returned a page instead, often an error or a login, and the build packed it.",
        mend="Look at the page, correct the address, and compare what is downloaded with a hash.",
        source="HTML specification: a document begins with its doctype",
    ),
    Rule(
        id="conflict-marks",
        severity=Severity.ERROR,
        summary="a file holds the marks of a merge conflict",
        why="It was packed before the conflict was resolved: Python cannot import it, and no reader can parse it.",
        mend="Resolve the conflict, and build from a clean commit.",
        source="git merge, how conflicts are presented",
    ),
)

_HOLDS = {
    "lfs-pointer": "is a Git LFS pointer; the file that it points to is not in the wheel",
    "html-page": "is a web page; its name promises something else",
    "conflict-marks": "holds the marks of a merge conflict: <<<<<<<, ======= and >>>>>>>",
}


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """Report the files whose content the reader took for something else."""
    findings = (Finding.of(RULES[mistake], path, _HOLDS[mistake]) for path, mistake in wheel.mistakes.items())
    return Ruling(check="contents", findings=tuple(findings))
