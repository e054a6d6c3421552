"""What unit tests of several rooms share: a world without an engine or a network."""

from collections.abc import Iterator

import pytest

from tests.doubles.run import World, make_world


@pytest.fixture
def world() -> Iterator[World]:
    with make_world() as made:
        yield made
