"""The lines of an engine that pulls an image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from factory.diagnoses.registries import explain_pull, quoted
from factory.engine.api import PullProgress
from factory.engine.faults import PullError
from factory.engine.posture import Json

_DONE: Final = frozenset({"Pull complete", "Already exists", "Download complete"})
_LAYER: Final = frozenset(
    {"Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Extracting", "Retrying"} | _DONE
)


def pull_error(reference: str, output: str) -> PullError:
    """Say what an engine's words mean; words that are not known count as temporary."""
    diagnosis = explain_pull(output)
    return PullError(
        f"{reference} is not available: {diagnosis.sentence} ({quoted(output)})",
        reason=diagnosis.sentence,
        hint=diagnosis.hint,
        is_temporary=diagnosis.kind == "temporary",
        is_registrys=diagnosis.kind != "image",
    )


@dataclass(slots=True)
class PullLines:
    """Folds the lines of one pull into its progress."""

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
        if (error := line.get("error")) is not None:
            raise pull_error(self.reference, str(error))
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
        """The progress so far."""
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
