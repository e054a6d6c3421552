"""Pulls of pinned images, repeated where a failure may be temporary."""

from collections.abc import Callable, Sequence
from threading import Event
from time import monotonic
from typing import Final

from factory.engine.api import Engine, HeldImage, PullProgress
from factory.engine.faults import PullError
from factory.errors import ImageError, Interrupted
from factory.pins import Pin

PAUSES_S: Final = (1.0, 4.0, 15.0)

_EVERY_S: Final = 2.0


def pulled(
    engine: Engine,
    pin: Pin,
    *,
    progress: Callable[[str], None],
    cancelled: Event,
    pauses_s: Sequence[float] = PAUSES_S,
) -> HeldImage:
    """Return an image, pulling it if it is not here; the engine keeps complete layers between attempts.

    Raises:
        ImageError: it did not come: no registry, no such digest, or bytes of another digest.
        Interrupted: the run was ended meanwhile.
    """
    image = engine.held_image(pin.reference)
    if image is not None:
        return image
    progress(f"pulling {pin}")
    for pause_s in (*pauses_s, None):
        try:
            engine.pull(pin.name, str(pin.digest), on_progress=_ProgressLines(progress))
            break
        except PullError as error:
            if pause_s is None or not error.is_temporary:
                raise
            progress(f"{error.message}; trying again in {pause_s:g} s")
        if cancelled.wait(pause_s):
            raise Interrupted("interrupted")
    image = engine.held_image(pin.reference)
    if image is None:
        hint = "something else may have removed it; run the same command again"
        raise ImageError(f"{pin.reference} was pulled but is not here any more", hint=hint)
    return image


class _ProgressLines:
    """Turns counted layers and bytes into a line every two seconds; a short pull prints none."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._last = monotonic()

    def __call__(self, now: PullProgress) -> None:
        if monotonic() - self._last >= _EVERY_S:
            self._last = monotonic()
            megabytes = f"{now.bytes_done / 1e6:.1f} of {now.bytes_total / 1e6:.1f} MB"
            self._progress(f"pulling: {now.layers_done} of {now.layers} layers, {megabytes}")
