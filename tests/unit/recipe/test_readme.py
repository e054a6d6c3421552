"""The examples of the README and of the how-tos are recipes, or parts of one."""

import re

import pytest

from factory.form.document import Mapping, compose
from factory.form.frames import render_problems
from factory.form.kinds import Place
from factory.form.lines import source_of
from factory.form.problems import Problems
from factory.form.records import Record
from factory.recipe.sections.whole import TOP
from tools.messages import DATA

REPOSITORY = DATA.parents[2]
README = (REPOSITORY / "recipes" / "README.md").read_text(encoding="utf-8")
OTHERS = {"gate-elsewhere.md", "pre-commit.md"}
"""Pages whose YAML another program reads."""

PAGES = sorted(path for path in (REPOSITORY / "docs/how-to").glob("*.md") if path.name not in OTHERS)
HOW_TO = "".join(path.read_text(encoding="utf-8") for path in PAGES)
EXAMPLES = re.findall(r"```yaml\n(.*?)```", README + HOW_TO, flags=re.DOTALL)
_ONE_OF_FIVE = "'floor' is set twice; the first is on line 2"
WHOLE = Record(fields=TOP, build=lambda _values: None)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.split(":")[0])
def test_an_example_reads_but_for_what_it_leaves_out(example: str) -> None:
    problems = Problems()
    tree = compose(source_of(example, "README.md"), problems)
    assert isinstance(tree, Mapping)

    WHOLE.values(tree, Place("", problems))

    messages = {problem.message for problem in problems.in_order()}
    assert {message for message in messages if not message.endswith("is missing")} <= {_ONE_OF_FIVE}


def test_the_message_that_the_readme_shows_is_the_one_that_is_given() -> None:
    text = "factory: 1\nname: nh3\nsource: {sdist: nh3==0.3.7}\ninterpreters: [3.10, cp313]\n"
    shown = README[README.index("recipe.yaml:4:16") : README.index("```\n\nTwo habits")]
    problems = Problems()
    tree = compose(source_of(text, "recipe.yaml"), problems)
    assert isinstance(tree, Mapping)

    WHOLE.values(tree, Place("", problems))

    assert shown in render_problems(problems.in_order())
