"""How an image of ours is found again: never by what others made from it."""

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from uuid import uuid4

import pytest

from factory.engine.docker import DockerEngine
from factory.images.assembly import input_digest
from factory.images.bootstrap import INPUT_LABEL, reference_of
from factory.images.ready import is_here
from factory.images.spec import ImageSpec, declared_specs
from tests.makers.rootfs import X86_64, make_rootfs

pytestmark = pytest.mark.engine

THEIRS = "somebody-else/of-ours:1"


@pytest.fixture
def spec(engine: DockerEngine) -> Iterator[ImageSpec]:
    """One that no machine has: its environment is the test's own."""
    made = replace(declared_specs()[0], env=MappingProxyType({"TEST": uuid4().hex}))
    yield made
    for reference in (THEIRS, reference_of(made)):
        engine.remove_image(reference)


def test_an_image_that_inherits_our_label_under_another_name_is_not_ours(engine: DockerEngine, spec: ImageSpec) -> None:
    labels = {INPUT_LABEL: input_digest(spec).hex}

    engine.import_rootfs(make_rootfs(X86_64), reference=THEIRS, labels=labels, env={"A": "theirs"})
    with_theirs = is_here(engine, spec)
    engine.import_rootfs(make_rootfs(X86_64), reference=reference_of(spec), labels=labels, env={"A": "ours"})

    assert (with_theirs, is_here(engine, spec)) == (False, True)


def test_an_image_of_our_name_that_was_made_from_something_else_is_not_ours(
    engine: DockerEngine, spec: ImageSpec
) -> None:
    engine.import_rootfs(make_rootfs(X86_64), reference=reference_of(spec), labels={INPUT_LABEL: "other"}, env={})

    assert not is_here(engine, spec)
