"""What resolving ends with: files with hashes, or the reason why there are none."""

from dataclasses import dataclass
from typing import Literal

from factory.digest import Artifact, Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedFile:
    """One wheel as the index lists it. `url` carries no credentials; `size_bytes` is None where the index is silent."""

    filename: str
    digest: Digest
    url: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The wheels that satisfy the requirements, none of them downloaded yet, in the order of their names."""

    files: tuple[ResolvedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Every file that satisfies the requirements, in the store, in the order of their names."""

    files: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """Why there are no files: one clause, the way out, and what the resolver printed.

    `refused`: a requirement or a file that the factory does not take, or bytes that are not what the index says.
    `no-wheel`: the index has it, but no wheel for this interpreter and platform. `unsatisfiable`: no versions fit.
    `network`: the index cannot be reached or refused access; the only kind that may pass by itself.
    """

    kind: Literal["refused", "no-wheel", "unsatisfiable", "network"]
    sentence: str
    hint: str = ""
    log: str = ""
