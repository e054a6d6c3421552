"""An archive by its URL and digest: fetched as this machine fetches, held against the digest, never fetched twice."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from factory.digest import Digest
from factory.errors import SourceError
from factory.host import read_host
from factory.pipeline.stages import Stages
from factory.pipeline.trees import tree_of
from factory.recipe.model import Recipe, UrlSource
from factory.source.tree import Tree
from factory.store import Store
from tests.index_makers import Index, serve_index
from tests.plan_makers import make_recipe
from tests.source_makers import make_demo


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with serve_index() as served:
        served.files["demo-1.0.tar.gz"] = make_demo(tmp_path).read_bytes()
        yield served


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def recipe_for(index: Index, *, folder: str = "files", digest: Digest | None = None) -> Recipe:
    true = Digest.of(index.files["demo-1.0.tar.gz"])
    return make_recipe(source=UrlSource(url=f"{index.url}/{folder}/demo-1.0.tar.gz", sha256=digest or true))


def take(recipe: Recipe, store: Store, *, fresh: bool = False) -> Tree:
    stages = Stages(store=store, cancelled=Event(), fresh=fresh)
    return tree_of(recipe, stages, read_host({"PATH": "/usr/bin:/bin"}), lambda _: None)[0]


def test_what_the_store_has_is_never_downloaded_again(index: Index, store: Store) -> None:
    tree = take(recipe_for(index), store)
    asked = list(index.asked)

    again = take(recipe_for(index), store, fresh=True)
    elsewhere = take(recipe_for(index, folder="mirror"), store)

    assert tree.paths == ("pyproject.toml",)
    assert tree == again == elsewhere
    assert index.asked == asked == ["demo-1.0.tar.gz"]


def test_other_bytes_than_the_recipe_says_are_refused_and_not_kept(index: Index, store: Store) -> None:
    wrong = Digest("0" * 64)

    with pytest.raises(SourceError, match=rf"demo-1\.0\.tar\.gz has sha256:.*; the recipe says {wrong}") as caught:
        take(recipe_for(index, digest=wrong), store)

    assert "before you know which of the two is wrong" in caught.value.hint
    assert not store.has(wrong)
    assert not store.has(Digest.of(index.files["demo-1.0.tar.gz"]))


def test_a_fault_that_may_pass_is_tried_again(index: Index, store: Store) -> None:
    index.faults["demo-1.0.tar.gz"] = ["500", "truncated"]

    assert take(recipe_for(index), store).paths == ("pyproject.toml",)


def test_a_file_that_is_not_there_is_named(index: Index, store: Store) -> None:
    recipe = recipe_for(index)
    index.files.clear()

    with pytest.raises(SourceError, match=r"cannot get demo-1\.0\.tar\.gz: 127\.0\.0\.1 answers 404"):
        take(recipe, store)
