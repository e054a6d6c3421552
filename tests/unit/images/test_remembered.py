"""An image is asked once what it holds: by a container of its own, whose answer is remembered."""

import pytest

from factory.errors import ImageError
from factory.images.spec import declared_specs
from tests.doubles.engine import Answer
from tests.doubles.projects import PROBED, instead
from tests.doubles.run import World

SPEC = next(spec for spec in declared_specs() if spec.facts.name == "trial-bullseye")
PYTHON = SPEC.facts.interpreters[0]
LIBC = SPEC.facts.platform
HOLDS_WHAT_IT_DECLARES = Answer(
    output=f'python /usr/bin/python{PYTHON.version} ["CPython", {PYTHON.minor}, false, "{PYTHON.version}.99"]\n'
    f"glibc [{LIBC.major}, {LIBC.minor}]\n"
)


def probes(world: World) -> int:
    return len([spec for spec in world.engine.started if spec.label == "probe"])


def test_a_pulled_image_is_compared_with_its_declaration_once(world: World) -> None:
    pin = world.serve()

    first, second = world.pulled(pin), world.pulled(pin)

    assert first == second
    assert first.identity == pin.digest
    assert probes(world) == 1


def test_an_image_that_came_again_is_not_compared_again(world: World) -> None:
    pin = world.serve()
    first = world.pulled(pin)
    world.engine.remove_image(first.reference)

    assert world.pulled(pin) == first
    assert probes(world) == 1


def test_another_image_of_the_same_declaration_is_compared(world: World) -> None:
    world.pulled(world.serve())
    world.pulled(world.serve(b"newer"))

    assert probes(world) == 2


def test_another_declaration_of_the_same_image_is_compared_and_refused_each_time(world: World) -> None:
    pin = world.serve()
    world.pulled(pin)

    for _ in range(2):
        with pytest.raises(ImageError, match="is not what it declares"):
            world.pulled(pin, "cp311")

    assert probes(world) == 3


def test_an_image_that_cannot_be_asked_is_asked_again(world: World) -> None:
    pin = world.serve()
    world.engine.commands = instead("probe", Answer(code=1, output="sh: not found\n"))

    with pytest.raises(ImageError, match="cannot be probed"):
        world.pulled(pin)

    world.pulled(pin)
    assert probes(world) == 2


def test_no_disk_can_be_written_where_a_strangers_programs_answer(world: World) -> None:
    world.pinned(world.serve())

    (spec,) = world.engine.started
    assert (spec.workspace_bytes, spec.network, spec.prepares) == (0, False, False)


def test_an_image_that_only_a_recipe_names_is_asked_once_what_it_holds(world: World) -> None:
    pin = world.serve()

    first, second = world.pinned(pin), world.pinned(pin)

    assert first == second
    assert (first.facts.family, first.own) == ("recipe", None)
    assert [str(interpreter) for interpreter in first.facts.interpreters] == ["cp311", "cp313"]
    assert probes(world) == 1


def test_what_builds_no_wheels_is_refused_and_asked_again(world: World) -> None:
    pin = world.serve()
    world.engine.commands = instead("probe", Answer(output=PROBED.replace("glibc", "nothing")))

    with pytest.raises(ImageError, match="cannot build wheels"):
        world.pinned(pin)

    assert world.pinned(pin).facts.family == "recipe"


@pytest.mark.parametrize("content", ["{", '{"document": {}, "result": {"name": "a"}, "blobs": []}'])
def test_facts_that_cannot_be_read_are_asked_for_again(world: World, content: str) -> None:
    pin = world.serve()
    facts = world.pinned(pin).facts
    for entry in (world.store.path / "ledger/facts").iterdir():
        entry.chmod(0o600)
        entry.write_text(content)

    assert world.pinned(pin).facts == facts
    assert world.pinned(pin).facts == facts
    assert probes(world) == 2


def test_an_image_that_the_registry_does_not_have_is_named(world: World) -> None:
    pin = world.serve()
    world.engine.registry.clear()

    with pytest.raises(ImageError, match=r"registry\.example/builder@sha256:"):
        world.pinned(pin)


def test_an_image_of_ours_that_is_here_is_compared_once_and_not_made(world: World) -> None:
    world.engine.commands = instead("probe", HOLDS_WHAT_IT_DECLARES)

    first, second = world.bootstrapped(SPEC), world.bootstrapped(SPEC)

    assert first == second
    assert first.path == "/its/own"
    assert probes(world) == 1


def test_an_image_of_ours_that_holds_something_else_is_refused(world: World) -> None:
    with pytest.raises(ImageError, match="is not what it declares"):
        world.bootstrapped(SPEC)


def test_an_image_by_our_name_that_was_made_of_something_else_is_made_anew(world: World) -> None:
    """No bootstrapper is installed on this machine, so that the making ends at once."""
    with pytest.raises(ImageError, match="mmdebstrap, which unpacks Debian's packages, is not installed"):
        world.bootstrapped(SPEC, "another input")
