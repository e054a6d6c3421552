"""Real releases, pinned by hash: one lost its stubs (ml-explore/mlx#3916), and the one before it lost nothing."""

import json
from pathlib import Path

import pytest

from factory.comparison.changes import Difference, compared
from factory.comparison.contents import Contents, contents
from factory.wheel import read_wheel
from tests.real_wheels import Group, NoIndexError, download

pytestmark = pytest.mark.index

RELEASES: dict[str, Group] = json.loads((Path(__file__).parents[1] / "data/mlx_releases.json").read_text("utf-8"))


def release(version: str, folder: Path) -> Contents:
    folder = folder / version
    folder.mkdir()
    try:
        (wheel,) = download(RELEASES[version], folder)
    except NoIndexError as error:
        pytest.skip(f"no package index answers: {error}")
    return contents(read_wheel(wheel))


def test_a_release_that_lost_its_stubs_is_told_and_the_one_before_it_lost_nothing(tmp_path: Path) -> None:
    before, between, after = (release(version, tmp_path) for version in RELEASES)

    assert compared(between, before).lost == ()
    assert compared(after, before).lost == (
        Difference(
            change="lost",
            message="8 stubs, though py.typed promises types",
            subjects=(
                "mlx.core",
                "mlx.core.cuda",
                "mlx.core.distributed",
                "mlx.core.fast",
                "mlx.core.fft",
                "mlx.core.linalg",
                "mlx.core.metal",
                "mlx.core.random",
            ),
        ),
    )
