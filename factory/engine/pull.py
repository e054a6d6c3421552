"""What an engine says while it pulls an image: how far it is, and why it gave up."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from factory.engine.api import PullProgress
from factory.engine.posture import Json
from factory.errors import ImageError

_DONE: Final = frozenset({"Pull complete", "Already exists", "Download complete"})
_LAYER: Final = frozenset(
    {"Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Extracting", "Retrying"} | _DONE
)


class PullError(ImageError):
    """An image that did not come; `may_pass` says whether the same call may end otherwise a moment later."""

    def __init__(self, message: str, *, hint: str = "", may_pass: bool = False) -> None:
        """Keep whether to try again."""
        super().__init__(message, hint=hint)
        self.may_pass = may_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """Words of Docker's or Podman's, and what they mean."""

    pattern: re.Pattern[str]
    meaning: str
    hint: str
    may_pass: bool = False


def _fault(pattern: str, meaning: str, hint: str, *, may_pass: bool = False) -> _Fault:
    return _Fault(pattern=re.compile(pattern, re.IGNORECASE), meaning=meaning, hint=hint, may_pass=may_pass)


_FAULTS: Final = (
    _fault(
        r"verification failed|unexpected (?:digest|commit digest)|digest did not match"
        r"|does not match (?:its |provided manifest )?digest",
        "what the registry sent is not what the digest names",
        "do not use it: the registry, or something before it, changes images; name another registry",
    ),
    _fault(
        r"unauthorized|access denied|authentication required|forbidden",
        "the registry does not let this user have it",
        "is the name right? then log in to the registry with the engine's own client (`docker login`)",
    ),
    _fault(
        r"manifest unknown|name unknown|repository name not known|not found|does not exist",
        "the registry does not have it",
        "is the name right? a digest that was replaced is pinned anew by `factory image pin`",
    ),
    _fault(
        r"server gave HTTP response to HTTPS client|x509|certificate",
        "the engine does not trust the registry",
        "the engine, not the factory, is told of a registry's certificate or that it has none",
    ),
    _fault(
        r"no such host|name resolution|server misbehaving",
        "nobody knows the registry's name",
        "is the network up, and the registry's name right? `--families lookalike` needs no registry",
    ),
    _fault(
        r"refused|unreachable|no route|timeout|deadline|awaiting headers",
        "no registry answers there",
        "is it up, and may the engine reach it? `--families lookalike` needs no registry",
        may_pass=True,
    ),
    _fault(
        r"toomanyrequests|rate limit",
        "the registry wants fewer pulls",
        "wait, or log in to the registry with the engine's own client (`docker login`)",
        may_pass=True,
    ),
)
_BROKEN: Final = _fault(
    "", "the registry broke off", "type the same command again: whole layers are kept", may_pass=True
)


def pull_error(reference: str, said: str) -> PullError:
    """Say what an engine's words mean; words that nobody foresaw may pass."""
    fault = next((fault for fault in _FAULTS if fault.pattern.search(said)), _BROKEN)
    words = " ".join(said.split())
    return PullError(f"{reference} cannot be had: {fault.meaning} ({words})", hint=fault.hint, may_pass=fault.may_pass)


@dataclass(slots=True)
class PullLines:
    """Folds the lines of one pull into how far it is."""

    reference: str
    on_progress: Callable[[PullProgress], None]
    _bytes: dict[str, tuple[int, int]] = field(default_factory=dict)
    _layers: set[str] = field(default_factory=set)
    _done: set[str] = field(default_factory=set)

    def take(self, line: Json) -> None:
        """Fold one line.

        Raises:
            PullError: the line says that the pull failed.
        """
        if (said := line.get("error")) is not None:
            raise pull_error(self.reference, str(said))
        layer, status = str(line.get("id", "")), str(line.get("status", ""))
        if not layer or status.partition(" in ")[0] not in _LAYER:
            return
        self._layers.add(layer)
        if status == "Downloading":
            self._bytes[layer] = _counted(line.get("progressDetail"), self._bytes.get(layer, (0, 0)))
        if status in _DONE:
            self._done.add(layer)
            _, total = self._bytes.get(layer, (0, 0))
            self._bytes[layer] = (total, total)
        self.on_progress(self.progress)

    @property
    def progress(self) -> PullProgress:
        """How far it is."""
        return PullProgress(
            layers=len(self._layers),
            layers_done=len(self._done),
            bytes_done=sum(done for done, _ in self._bytes.values()),
            bytes_total=sum(total for _, total in self._bytes.values()),
        )


def _counted(detail: object, before: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(detail, Mapping):
        return before
    done, total = detail.get("current"), detail.get("total")
    return (
        done if isinstance(done, int) else before[0],
        total if isinstance(total, int) else max(before[1], done if isinstance(done, int) else 0),
    )
