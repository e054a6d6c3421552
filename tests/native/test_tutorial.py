"""The tutorial shows what a reader sees who types the same."""

import re
from pathlib import Path

import pytest

from factory.host import Host
from factory.recipe.parse import parse_recipe
from tests.cli.program import Program
from tests.native.test_init_real import surroundings

TUTORIAL = (Path(__file__).parents[2] / "docs" / "tutorial" / "first-recipe.md").read_text(encoding="utf-8")
SHOWN = dict(re.findall(r"```console\n\$ factory ([^\n#]+?)\n(.*?)```", TUTORIAL, re.DOTALL))
YAML = re.findall(r"```yaml\n(.*?)```", TUTORIAL, re.DOTALL)


@pytest.mark.slow
@pytest.mark.index
def test_what_is_typed_gives_what_is_shown(tmp_path: Path, host: Host) -> None:
    factory = Program(folder=tmp_path, env=surroundings(host))
    init, plan = "init msgpack==1.2.4", "plan recipe.yaml"

    written = factory(*init.split())
    recipe = (tmp_path / "recipe.yaml").read_text()
    planned = factory(*plan.split())

    assert written.stderr == SHOWN[init]
    assert "".join(f"{text}\n" for text in recipe.splitlines() if text and text[0] != "#") == YAML[0]
    shown = [text.rstrip() for text in SHOWN[plan].splitlines()]
    assert [text.rstrip() for text in (planned.stdout + planned.stderr).splitlines() if text.strip()] == shown


def test_the_finished_recipe_reads() -> None:
    head, _, _ = YAML[0].partition("test:")

    recipe = parse_recipe((head + YAML[1]).encode(), Path("recipe.yaml"))

    assert recipe.audit.modules == ("msgpack._cmsgpack",)
    assert len(recipe.test.run) == 1
