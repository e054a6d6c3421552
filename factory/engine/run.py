"""One run on one engine: how what it makes is labelled, created and removed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread

from factory.engine import posture
from factory.engine.client import Client
from factory.engine.faults import MissingError
from factory.engine.pending import Pending
from factory.engine.retry import Retry
from factory.errors import EngineError, ImageError, Interrupted


@dataclass(slots=True, kw_only=True)
class EngineRun:
    """What every part of the engine needs to know of the run that it works for; for any number of threads.

    `ended` is set before the run's containers are killed. `removals` are the changes for which nobody waited.
    """

    client: Client
    owner: str
    run_id: str
    ended: Event = field(default_factory=Event)
    pending: Pending = field(default_factory=Pending)
    removals: Pending = field(default_factory=Pending)
    retry: Retry = field(init=False)

    def __post_init__(self) -> None:
        self.retry = Retry(client=self.client, run_ended=self.ended)

    def labels(self, *, kind: str, label: str) -> dict[str, str]:
        """Return the labels of something that goes with this run."""
        return posture.labels(owner=self.owner, run=self.run_id, kind=kind, label=label)

    def require_running(self) -> None:
        """Stop the caller once the run was ended.

        Raises:
            Interrupted: it was.
        """
        if self.ended.is_set():
            raise Interrupted("this run was ended")

    def create_container(self, body: posture.Json, name: str) -> None:
        """Create a container.

        Raises:
            ImageError: its image is not here.
        """
        try:
            self.client.create(body, name)
        except MissingError as error:
            raise no_image(str(body["Image"])) from error

    def remove_container(self, name: str) -> None:
        """Remove a container by its name, so that one whose creation got no answer is removed, too."""
        self.retry.remove(partial(self.client.remove, name))

    def remove_later(self, removal: Callable[[], None]) -> None:
        """Begin a removal for which nobody waits but the end of the run, which removes what the engine refused to.

        Once the run was ended it is done at once: nothing waits for a thread then.

        Raises:
            EngineError: the run was ended, and the engine refuses.
        """
        if self.ended.is_set():
            with self.pending.change():
                removal()
            return
        begun = Event()

        def remove() -> None:
            with self.pending.change(), self.removals.change(), suppress(EngineError):
                begun.set()
                removal()

        Thread(target=remove, name="removal", daemon=True).start()
        begun.wait()  # so that the end of the run knows of it

    def remove_volume(self, name: str) -> None:
        """Remove a volume as soon as no container uses it."""
        self.retry.remove(partial(self.client.remove_volume, name))

    def remove_network(self, name: str) -> None:
        """Remove a network as soon as no container uses it."""
        self.retry.remove(partial(self.client.remove_network, name))


def no_image(reference: str) -> ImageError:
    """Say that the engine has no such image."""
    return ImageError(f"the engine has no image {reference}", hint="`factory image list` shows those it has")
