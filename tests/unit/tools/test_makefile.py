"""The Makefile says what each of its targets does."""

import re
from pathlib import Path

MAKEFILE = Path(__file__).parents[3] / "Makefile"


def test_every_target_that_a_person_types_is_in_make_help() -> None:
    text = MAKEFILE.read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)

    listed = re.findall(r"^([a-z-]+):.*## ", text, flags=re.MULTILINE)

    assert sorted(listed) == sorted(phony.split())


def test_what_make_proofs_runs_is_there() -> None:
    root = MAKEFILE.parent
    lines = [line for line in (root / "tests/proofs.txt").read_text("utf-8").splitlines() if not line.startswith("#")]

    for line in lines:
        path, _, name = line.partition("::")
        assert f"def {name}" in (root / path).read_text(encoding="utf-8")
