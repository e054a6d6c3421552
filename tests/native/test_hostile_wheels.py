"""What a hostile wheel of a few megabytes may cost `factory audit`: stated seconds, mebibytes and characters."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.hostile_wheels import HOSTILE

# The budget is 5 s of CPU: ten times that is no benchmark, and what has no bound goes past it all the same.
_MOST_CPU_S = 50
_MOST_BYTES = 300 << 20
_MOST_PRINTED = 1 << 20
_MOST_JSON = 3 << 20

FORMS = {"text": ((), _MOST_PRINTED), "json": (("--json",), _MOST_JSON)}

_MEASURE = """\
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, len(done.stdout), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""


@pytest.mark.parametrize(("form", "most_printed"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_wheel_is_judged_within_its_budget(
    attack: str, form: tuple[str, ...], most_printed: int, tmp_path: Path
) -> None:
    wheel = HOSTILE[attack](tmp_path)
    factory = Program(folder=tmp_path)

    done = factory.shell(sys.executable, "-c", _MEASURE, str(factory.program), "audit", *form, wheel.name)

    code, printed, cpu_s, peak_bytes = json.loads(done.stdout)
    assert wheel.stat().st_size < 8 << 20
    assert code in (0, 1)
    assert cpu_s < _MOST_CPU_S
    assert peak_bytes < _MOST_BYTES + wheel.stat().st_size + _unpacked(attack)
    assert printed < most_printed


def _unpacked(attack: str) -> int:
    """One member is held while it is read."""
    return {"one object of slashes": 60 << 20, "the beginning of libpython's name again and again": 60 << 20}.get(
        attack, 0
    )
