"""Which image of ours runs our own programs beside a recipe's containers."""

from typing import cast

import pytest

from factory.engine.api import Engine, HeldImage
from factory.images.assembly import input_digest
from factory.images.bootstrap import INPUT_LABEL, reference_of
from factory.images.helper import helper_image
from factory.images.known import specs
from factory.images.pulled import PulledSpec
from factory.images.spec import ImageSpec

LOOKALIKE, OFFICIAL = "lookalike-manylinux_2_31_x86_64", "pypa-manylinux_2_28_x86_64"


class Shelf:
    """An engine that holds some of our images."""

    def __init__(self, *names: str) -> None:
        wanted = [spec for spec in specs() if spec.facts.name in names]
        made = [spec for spec in wanted if isinstance(spec, ImageSpec)]
        self.held = {reference_of(spec): {INPUT_LABEL: input_digest(spec).hex} for spec in made}
        self.held |= {spec.pin.reference: {} for spec in wanted if isinstance(spec, PulledSpec)}

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
        pytest.param((LOOKALIKE, "trial-forky"), "trial-forky", id="a-trial-image-before-others"),
        pytest.param((LOOKALIKE,), LOOKALIKE, id="a-build-image-before-one-that-is-to-be-made"),
        pytest.param((OFFICIAL,), OFFICIAL, id="an-official-one-likewise"),
        pytest.param(("pypa-musllinux_1_2_x86_64",), "trial-bullseye", id="none-with-musl"),
        pytest.param(("pypa-manylinux_2_28_aarch64",), "trial-bullseye", id="none-of-another-machine"),
    ],
)
def test_a_trial_image_that_is_here_is_taken(held: tuple[str, ...], chosen: str) -> None:
    assert helper_image(cast("Engine", Shelf(*held))) == chosen
