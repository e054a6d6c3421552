"""Official wheels, pinned by hash: no error is found in them but the ones that are known to be true."""

from datetime import date
from pathlib import Path

import pytest

from factory.audit import Audit, Expectation, audit
from factory.wheel import read_wheel
from tests.real_wheels import GROUPS, NoIndexError, download

pytestmark = [pytest.mark.index, pytest.mark.slow]

# True findings: a folder of the build machine in the search path; libgomp, which has static storage by design.
KNOWN = {
    "shapely": {("rpath-absolute", "shapely/_geos.cpython-312-x86_64-linux-gnu.so")},
    "scikit_learn": {("static-tls", "scikit_learn.libs/libgomp-e985bcbb.so.1.0.0")},
}


@pytest.mark.parametrize("name", GROUPS)
def test_no_official_wheel_is_refused(name: str, tmp_path: Path) -> None:
    try:
        paths = download(GROUPS[name], tmp_path)
    except NoIndexError as error:
        pytest.skip(f"no package index answers: {error}")

    verdicts = {path.name: audit(read_wheel(path), Expectation(), date(2026, 11, 22)) for path in paths}

    assert len(paths) == len(GROUPS[name]["wheels"])
    errors = {name: _errors(verdict) for name, verdict in verdicts.items()}
    assert {name: found for name, found in errors.items() if found != _known(name)} == {}
    # No policy says what Windows promises.
    assert all(verdict.deserves for name, verdict in verdicts.items() if "-win" not in name)


def _known(name: str) -> set[tuple[str, str]]:
    return set() if "-win" in name else KNOWN.get(name.partition("-")[0], set())


def _errors(verdict: Audit) -> set[tuple[str, str]]:
    return {(finding.rule, finding.subject) for finding in verdict.findings if finding.fails}


def test_the_list_is_long_enough_to_mean_something() -> None:
    assert sum(len(group["wheels"]) for group in GROUPS.values()) >= 60
