"""A cache volume is filled once, and again where that was never finished or the volume is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pytest

from factory.digest import Digest
from factory.engine.api import FileEntry, LinkEntry, TreeEntry
from factory.errors import SourceError
from factory.failure import Failure
from factory.sessions.volumes import Volume, filled_volume, unknown_volumes
from tests.doubles.run import World

CONTENT = Digest.of(b"content")
FILE = FileEntry(path=PurePosixPath("a"), content=b"1")
FAILURE = Failure(step="crates", message="no")


@dataclass
class Files:
    """What a volume is filled with; counts how often it was asked for, and how often that came to its end."""

    given: list[TreeEntry] | Failure | SourceError
    begun: int = 0
    ended: int = field(default=0)

    @contextmanager
    def __call__(self) -> Iterator[list[TreeEntry] | Failure]:
        self.begun += 1
        if isinstance(self.given, SourceError):
            raise self.given
        yield self.given
        self.ended += 1


def fill(world: World, files: Files, content: Digest = CONTENT) -> str | Failure:
    with world.recorder() as recorder:
        return filled_volume(world.services(recorder), "crates", content, files)


def test_a_volume_is_filled_once(world: World) -> None:
    files = Files([FILE])

    first, second = fill(world, files), fill(world, files)

    assert first == second == f"factory-crates-{world.store.owner[:8]}-{CONTENT.short}"
    assert (files.begun, files.ended) == (1, 1)
    assert world.engine.volumes[str(first)].below("/") == {"a": b"1"}


def test_other_content_is_another_volume(world: World) -> None:
    assert fill(world, Files([FILE])) != fill(world, Files([FILE]), Digest.of(b"other"))


@pytest.mark.parametrize("flag", ["fresh", "update"])
def test_a_full_volume_is_filled_again_by_no_flag(world: World, flag: str) -> None:
    files = Files([FILE])
    fill(world, files)
    setattr(world, flag, True)

    fill(world, files)

    assert files.begun == 1


def test_a_volume_that_is_gone_is_filled_again(world: World) -> None:
    files = Files([FILE])
    name = fill(world, files)
    world.engine.remove_volume(str(name))

    assert fill(world, files) == name
    assert files.begun == 2


def test_a_volume_for_which_there_are_no_files_is_asked_for_again(world: World) -> None:
    assert fill(world, Files(FAILURE)) == FAILURE
    assert world.engine.volumes == {}
    assert isinstance(fill(world, Files([FILE])), str)


def test_files_that_no_volume_may_hold_are_a_failure_and_leave_it_unfinished(world: World) -> None:
    link = LinkEntry(path=PurePosixPath("out"), target="/etc/passwd")

    failure = fill(world, Files([FILE, link]))

    assert isinstance(failure, Failure)
    assert (failure.step, "out of the folder" in failure.message) == ("crates", True)
    files = Files([FILE])
    fill(world, files)
    assert files.begun == 1


def test_what_the_files_raise_ends_the_filling(world: World) -> None:
    files = Files(SourceError("gone"))

    with pytest.raises(SourceError, match="gone"):
        fill(world, files)

    assert isinstance(fill(world, Files([FILE])), str)


def test_a_volume_is_unknown_once_its_result_was_swept_out_of_the_store(world: World) -> None:
    fill(world, Files([FILE]))
    other = fill(world, Files([FILE]), Digest.of(b"other"))
    known = unknown_volumes(world.engine, world.store)
    (world.store.path / "ledger" / "volume" / f"{_key(CONTENT).hex}.json").unlink()
    (world.store.path / "ledger" / "volume" / f"{_key(Digest.of(b'third')).hex}.json").write_text('{"docu')

    unknown = unknown_volumes(world.engine, world.store)

    assert known == ()
    assert unknown == (f"factory-crates-{world.store.owner[:8]}-{CONTENT.short}",)
    assert other not in unknown


def _key(content: Digest) -> Digest:
    return Volume(kind="crates", content=content).key
