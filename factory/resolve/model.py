"""What is resolved, and the result: files with hashes, or the reason why there are none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from packaging.requirements import Requirement

from factory.digest import Artifact, Digest
from factory.tags import Interpreter, PlatformTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be resolved: requirements and constraints, for an interpreter on a platform."""

    requirements: Sequence[Requirement]
    constraints: Sequence[Requirement] = ()
    interpreter: Interpreter
    platform: PlatformTag

    @property
    def target(self) -> str:
        """The interpreter and the platform, for people."""
        return f"{self.interpreter} on {self.platform}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedFile:
    """One wheel as the index lists it. `url` has no credentials; `size_bytes` is None if the index gives no size."""

    filename: str
    digest: Digest
    url: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The wheels that satisfy the requirements, before they are downloaded, in the order of their names."""

    files: tuple[ResolvedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Every file that satisfies the requirements, in the store, in the order of their names."""

    files: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """Why there are no files: one clause, a hint, and what the resolver printed.

    `refused`: a requirement or a file that the factory does not accept, or bytes that differ from the index's hash.
    `no-wheel`: the index has it, but no wheel for this interpreter and platform. `unsatisfiable`: no versions fit.
    `network`: the index cannot be reached, or refused access; the only kind that may be temporary.
    """

    kind: Literal["refused", "no-wheel", "unsatisfiable", "network"]
    sentence: str
    hint: str = ""
    log: str = ""
