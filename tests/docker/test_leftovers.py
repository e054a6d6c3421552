"""A source in which setuptools built before: the old objects never reach the wheel."""

import pytest

from tests.docker.command import Command
from tests.docker.projects import C_MODULE, make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

TAG = "cpython-313-x86_64-linux-gnu"


def test_a_wheel_holds_what_was_compiled_now_and_what_the_recipe_keeps(command: Command) -> None:
    code = {"edited.c": '#include "build/templates/answer.h"\n' + C_MODULE.replace("NAME", "edited")}
    old = {
        f"build/lib.linux-x86_64-cpython-313/edited.{TAG}.so": "an old module, which no loader reads",
        "build/temp.linux-x86_64-cpython-313/edited.o": "an old object",
        "build/templates/answer.h": "#define EDITED 1\n",
    }
    recipe = command.recipe(make_c_project("edited", files={**code, **old}), test={"import": ["edited"]})

    without = command.build(recipe, "-o", "out")
    with_kept = command.build(recipe, "-o", "out", "--set", "source.keep=[build/templates]")

    assert "build/templates/answer.h" in without.failure("edited").message
    assert "what an earlier build left is left out of the source: build/" in without.stderr
    assert with_kept.code == 0, with_kept.stderr
