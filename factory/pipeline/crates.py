"""Crates: fetched by cargo in a container with network that sees manifests and the lock, never the package's code."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.backends.base import WORK
from factory.digest import Artifact, Digest
from factory.images import ReadyImage
from factory.pipeline.hands import Hands
from factory.pipeline.model import Failure
from factory.pipeline.order import Order
from factory.resolve.cargo import fetch_folder

_FETCH = WORK / "fetch"
_FETCH_TIMEOUT_S = 900
_LOCK_LIMIT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Crates:
    """The crates of a source: the digest of everything cargo saw while fetching, and the lock where prepare made it.

    `lock_path` is where that lock belongs in the source; `lock` is None where the source's own serves.
    """

    content: Digest
    lock_path: PurePosixPath
    lock: Artifact | None


def crates_of(hands: Hands, order: Order, image: ReadyImage) -> Crates | Failure | None:
    """Return the source's crates, fetched unless the store remembers them; None for a source without Cargo.toml."""
    if order.project.cargo_manifest is None:
        return None
    folder = fetch_folder(order.tree, manifest=order.project.cargo_manifest)
    locked = order.recipe.build.locked
    if locked and order.project.cargo_lock is None:
        return Failure(
            step="crates",
            message="the source has no Cargo.lock",
            ended="blocked",
            hint="say build: {locked: false}: cargo then resolves the crates, and the lock it made is recorded",
        )
    content = _content(folder, locked=locked)

    def make() -> Crates | Failure:
        lock_path = PurePosixPath(folder.lock_path)
        draft = Crates(content=content, lock_path=lock_path, lock=None)
        volume, lock = _fetched(hands, order, image, folder, draft)
        return volume if isinstance(volume, Failure) else Crates(content=content, lock_path=lock_path, lock=lock)

    outcome, _ = hands.stages.once("crates", {"content": str(content), "locked": locked}, Crates, make)
    return outcome
