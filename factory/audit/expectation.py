"""What a wheel ought to be."""

from dataclasses import dataclass, field
from typing import Literal

from packaging.tags import Tag

from factory.catalogue import Waiver
from factory.codec import ABSENT
from factory.tags import Abi3Floor, Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a wheel ought to be. What is None or empty is derived from the wheel's own tags.

    `platform` is a ceiling, `floor` the oldest interpreter an abi3 wheel must run on. `modules` are dotted names of
    extension modules, `guessed_modules` those that were only read in a source. A `built` wheel comes straight from its
    backend: its platform is not judged before the repair.
    """

    tags: frozenset[Tag] | None = None
    platform: Platform | None = None
    floor: Abi3Floor | None = None
    modules: tuple[str, ...] = ()
    guessed_modules: tuple[str, ...] = field(default=(), metadata={ABSENT: True})
    max_size_bytes: int | None = None
    waivers: tuple[Waiver, ...] = ()
    stage: Literal["built", "repaired"] = "repaired"
