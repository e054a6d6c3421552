"""Which image of ours runs our own programs beside a recipe's containers."""

from typing import cast

import pytest

from factory.engine.api import Engine, HeldImage
from factory.images.assembly import input_digest
from factory.images.bootstrap import INPUT_LABEL, reference_of
from factory.images.helper import helper_image
from factory.images.spec import declared_specs


class Shelf:
    """An engine that holds some of our images."""

    def __init__(self, *names: str) -> None:
        specs = [spec for spec in declared_specs() if spec.facts.name in names]
        self.held = {reference_of(spec): {INPUT_LABEL: input_digest(spec).hex} for spec in specs}

    def held_image(self, reference: str) -> HeldImage | None:
        labels = self.held.get(reference)
        if labels is None:
            return None
        return HeldImage(id=reference, architecture="amd64", size_bytes=1, labels=labels, env={})


@pytest.mark.parametrize(
    ("held", "chosen"),
    [
        pytest.param((), "trial-bullseye", id="none"),
        pytest.param(("trial-trixie", "trial-forky"), "trial-trixie", id="the-oldest-that-is-here"),
        pytest.param(("lookalike-manylinux_2_31_x86_64",), "trial-bullseye", id="no-build-image"),
    ],
)
def test_a_trial_image_that_is_here_is_taken(held: tuple[str, ...], chosen: str) -> None:
    assert helper_image(cast("Engine", Shelf(*held))) == chosen
