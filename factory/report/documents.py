"""What `--json` writes: a Plan, Run or Audit in an envelope that names its schema's version.

Each document's schema is shipped as `factory/schemas/<name>-1.json`. A field that is added, renamed or removed below
any of these values changes the schema; one that is renamed or removed also raises its number.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from packaging.utils import NormalizedName

from factory import codec
from factory.audit import Audit
from factory.codec import ABSENT
from factory.comparison.changes import Comparison
from factory.coverage.choice import Coverage
from factory.events.model import Run
from factory.image_facts import ImageFacts
from factory.images.prepared import PreparedHere
from factory.plan.model import Plan
from factory.terminal import inert_json


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """What `factory plan --json` writes."""

    schema: Literal[1] = 1
    plans: tuple[Plan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDocument:
    """What `factory build --json` writes. `passed` is true when everything that was owed passed."""

    schema: Literal[1] = 1
    passed: bool
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedWheel:
    """One wheel as it was named, whether it passed, and the verdict."""

    wheel: str
    passed: bool
    audit: Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjudgedWheel:
    """A wheel that could not be judged because of an internal error."""

    wheel: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDocument:
    """What `factory audit --json` writes.

    `unjudged` lists wheels that an internal error kept from being judged; normally empty.
    """

    schema: Literal[1] = 1
    audits: tuple[AuditedWheel, ...]
    unjudged: tuple[UnjudgedWheel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImage:
    """What an image declares, and whether it is here; null where no engine could be asked.

    `made` is the day on which the image that is here was made.
    """

    image: ImageFacts
    here: bool | None
    made: date | None = field(default=None, metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesDocument:
    """What `factory image list --json` writes; `prepared` is empty where no engine could be asked."""

    schema: Literal[1] = 1
    images: tuple[ListedImage, ...]
    prepared: tuple[PreparedHere, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageDocument:
    """What `factory coverage --json` writes."""

    schema: Literal[1] = 1
    releases: tuple[Coverage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRelease:
    """The wheels of one release, each beside its counterpart; `alone` are those that have none.

    `narrowed` says which environments got a wheel before and get none now.
    """

    name: NormalizedName
    version: str
    comparisons: tuple[Comparison, ...]
    alone: tuple[str, ...]
    narrowed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareDocument:
    """What `factory compare --json` writes."""

    schema: Literal[1] = 1
    releases: tuple[ComparedRelease, ...]


Document = PlanDocument | RunDocument | AuditDocument | CompareDocument | CoverageDocument | ImagesDocument


def render_json(document: Document) -> str:
    """Write a document as indented JSON."""
    return inert_json(json.dumps(codec.dump(document), indent=2))
