"""What is resolved, and the result: files with hashes, or the reason why there are none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.codec import ABSENT
from factory.digest import Artifact, Digest
from factory.tags import Interpreter, PlatformTag

MOST_SDISTS = 10
"""How many sdists are built for one build or trial, with those that these need to be built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A wheel that the resolver is offered beside those of the indexes, by its name and its METADATA alone."""

    file: Artifact
    metadata: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be resolved: requirements and constraints, for an interpreter on a platform, with offered wheels.

    With `oldest`, each requirement is met by the oldest version that it allows, and what those require by the newest.
    """

    requirements: Sequence[Requirement]
    constraints: Sequence[Requirement] = ()
    interpreter: Interpreter
    platform: PlatformTag
    offered: tuple[Offered, ...] = ()
    oldest: bool = False

    @property
    def target(self) -> str:
        """The interpreter and the platform, for people."""
        return f"{self.interpreter} on {self.platform}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedFile:
    """One wheel as the index lists it. `url` has no credentials; `size_bytes` is None if the index gives no size.

    The `url` of a wheel that was offered beside the indexes' is empty.
    """

    filename: str
    digest: Digest
    url: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The wheels that satisfy the requirements, before they are downloaded, in the order of their names."""

    files: tuple[ResolvedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a project on an index."""

    name: NormalizedName
    version: Version

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Every file that satisfies the requirements, in the store, in the order of their names.

    Or the releases whose sdists have to be built before anything can: then there are no files.
    """

    files: tuple[Artifact, ...]
    sdists: tuple[Release, ...] | None = field(default=None, metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """Why there are no files: one clause, a hint, and what the resolver printed.

    `refused`: a requirement or a file that the factory does not accept, or bytes that differ from the index's hash.
    `no-wheel`: the index has it, but no wheel for this interpreter and platform. `unsatisfiable`: no versions fit.
    `network`: the index cannot be reached, or refused access; the only kind that may be temporary.
    `lacking` are the projects of `no-wheel`.
    """

    kind: Literal["refused", "no-wheel", "unsatisfiable", "network"]
    sentence: str
    hint: str = ""
    log: str = ""
    lacking: tuple[NormalizedName, ...] = ()
