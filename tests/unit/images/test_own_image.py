"""Which image our own tools may run in: never one that a recipe has a hand in."""

from dataclasses import replace

from factory.catalogue import RECIPE_FAMILY
from factory.digest import Digest
from factory.images.ready import ReadyImage
from tests.makers.plans import make_image


def ready(family: str = "lookalike", reference: str = "base") -> ReadyImage:
    facts = replace(make_image("cp313"), family=family)
    return ReadyImage(facts=facts, reference=reference, identity=Digest.of(reference.encode()))


def test_an_image_of_ours_is_trusted_and_one_that_was_prepared_is_not() -> None:
    base = ready()
    prepared = replace(base, reference="prepared", base=base)

    assert base.own == base
    assert prepared.own == base


def test_nothing_of_an_image_that_only_a_recipe_names_is_trusted() -> None:
    named = ready(RECIPE_FAMILY)

    assert named.own is None
    assert replace(named, reference="prepared", base=named).own is None
