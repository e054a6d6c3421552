"""What a wheel ought to be."""

from dataclasses import dataclass
from typing import Literal

from packaging.tags import Tag

from factory.catalogue import Waiver
from factory.tags import Abi3Floor, PlatformTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a wheel ought to be. What is None or empty is derived from the wheel's own tags.

    `platform` is a ceiling, `floor` the oldest interpreter an abi3 wheel must run on, `modules` dotted names of
    extension modules. A `built` wheel comes straight from its backend: its platform is not judged before the repair.
    """

    tags: frozenset[Tag] | None = None
    platform: PlatformTag | None = None
    floor: Abi3Floor | None = None
    modules: tuple[str, ...] = ()
    max_size_bytes: int | None = None
    waivers: tuple[Waiver, ...] = ()
    stage: Literal["built", "repaired"] = "repaired"
