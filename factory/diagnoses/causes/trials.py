"""What tests lack."""

from typing import Final

from factory.diagnoses import ways
from factory.diagnoses.causes.cause import cause

CAUSES: Final = (
    cause(
        r"^(?:E {1,9})?ModuleNotFoundError: No module named '(?P<wanted>[\w.]{1,100})'",
        r": No module named (?P<wanted>[\w.]{1,100})$",
        hint="",
        way=lambda name: f"test: {{requires: [{ways.distribution(name)}]}}, unless the wheel itself should hold it",
        kind="test",
    ),
    cause(
        r"^(?:E {1,9})?(?P<said>FileNotFoundError): \[Errno 2\] No such file or directory: "
        r"'/work/env/lib/python[\w.]{1,9}/site-packages/(?P<wanted>[^'\n]{1,200})'",
        says="the wheel lacks $wanted: $said",
        hint="put it into the wheel: setuptools takes what [tool.setuptools.package-data] names, other backends have "
        "a table of their own (patches)",
        kind="test",
    ),
    cause(
        r"^E {1,9}fixture '(?P<wanted>\w{1,100})' not found",
        hint="test: {requires: […]} with pytest and the plugin that has it (mocker: pytest-mock, benchmark: "
        "pytest-benchmark, datadir: pytest-datadir), or let a conftest.py define it",
        kind="test",
    ),
    cause(
        r"error: unrecognized arguments: (?P<wanted>--[\w-]{1,60})",
        hint="test: {requires: […]} with the plugin that has it (--cov: pytest-cov, -n: pytest-xdist, --timeout: "
        "pytest-timeout), or leave it out of test: {run: …}",
        kind="test",
    ),
    cause(
        r"^ERROR: (?P<said>file or directory not found: [^\n]{1,200})",
        hint="tests of the source are at {source}: test: {run: pytest {source}/tests}; an sdist may not hold them",
        kind="test",
    ),
)
