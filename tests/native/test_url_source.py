"""An archive by its URL and digest: fetched as this machine fetches, compared with the digest, remembered by both."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from factory.confined import confined
from factory.digest import Digest
from factory.errors import SourceError
from factory.host import read_host
from factory.memory import Memory
from factory.recipe.model import Recipe, UrlSource
from factory.sessions.sources import SourceServices
from factory.source.tree import Tree
from factory.stages.source import tree_of
from factory.store import Store
from tests.makers.index import Index, serve_index
from tests.makers.plans import make_recipe
from tests.makers.sources import make_demo


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


def take(recipe: Recipe, store: Store) -> Tree:
    memory, host = Memory(store=store, cancelled=Event()), read_host({"PATH": "/usr/bin:/bin"})
    return tree_of(recipe, SourceServices(memory=memory, host=host, reader=confined))[0]


def test_what_was_downloaded_from_an_address_is_not_downloaded_again(index: Index, store: Store) -> None:
    tree = take(recipe_for(index), store)
    asked = list(index.asked)

    again = take(recipe_for(index), store)

    assert tree.paths == ("pyproject.toml",)
    assert tree == again
    assert index.asked == asked == ["demo-1.0.tar.gz"]


def test_bytes_that_others_put_into_the_store_are_not_had_by_their_digest_alone(index: Index, store: Store) -> None:
    """Who knows the digest of another recipe's source must also have it from somewhere."""
    private = index.files["demo-1.0.tar.gz"]
    store.put_bytes(private, "private-1.0.tar.gz")
    recipe = recipe_for(index, digest=Digest.of(private))
    index.files.clear()

    with pytest.raises(SourceError, match="answers 404"):
        take(recipe, store)


def test_other_bytes_than_the_recipe_says_are_refused_and_not_kept(index: Index, store: Store) -> None:
    wrong = Digest("0" * 64)

    with pytest.raises(
        SourceError, match=rf"^demo-1\.0\.tar\.gz is not the file whose sha256 the recipe gives, {wrong.hex}$"
    ) as caught:
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
