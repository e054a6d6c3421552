"""The result of resolving: files with hashes, or the reason why there are none."""

from dataclasses import dataclass
from typing import Literal

from factory.digest import Artifact, Digest


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
