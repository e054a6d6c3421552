"""Registries of images, which are asked through the engine."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import cast

from factory.engine.api import PullProgress
from factory.engine.client import PULL_SILENCE_S
from factory.engine.faults import MissingError, PullError, SilentError, UnreachableError
from factory.engine.pull import PullLines, pull_error
from factory.engine.run import EngineRun
from factory.errors import EngineError, ImageError


def pull(run: EngineRun, name: str, digest: str, *, on_progress: Callable[[PullProgress], None]) -> None:
    """Bring an image here from its registry, by digest; what came is compared with it.

    Raises:
        PullError: it did not come; it says whether trying again may help.
        Interrupted: the run was ended meanwhile.
    """
    lines = PullLines(reference=f"{name}@{digest}", on_progress=on_progress)
    try:
        run.require_running()
        with closing(run.client.pull(name, digest)) as stream:
            for line in stream:
                lines.take(line)
    except EngineError as error:
        run.require_running()  # The end of a run breaks the connection, which is no fault of the registry.
        raise _not_pulled(lines.reference, error, PULL_SILENCE_S) from error
    try:
        run.client.image(lines.reference)
    except MissingError as error:
        raise pull_error(lines.reference, "the engine reports success but does not have the image") from error


def registry_digest(run: EngineRun, name: str, tag: str) -> str:
    """Ask a registry which digest a tag has now; nothing is pulled.

    Raises:
        PullError: the registry does not answer.
        ImageError: the engine cannot ask registries.
    """
    return ask(run, f"{name}:{tag}", within_s=PULL_SILENCE_S)


def ask(run: EngineRun, reference: str, *, within_s: int) -> str:
    """Ask a registry which digest it serves under a reference; nothing is pulled.

    Raises:
        PullError: the registry does not answer within a time, or does not have it.
        ImageError: the engine cannot ask registries.
    """
    try:
        answer = run.client.distribution(reference, silence_s=within_s)
    except MissingError as error:
        if error.message == "Not Found":  # Podman 4.3 does not have the call itself
            hint = "use another engine, named in DOCKER_HOST, or write the digest yourself"
            raise ImageError("this engine cannot ask a registry for digests", hint=hint) from error
        raise _not_pulled(reference, error, within_s) from error
    except EngineError as error:
        raise _not_pulled(reference, error, within_s) from error
    return cast("Mapping[str, str]", answer["Descriptor"])["digest"]


def _not_pulled(reference: str, error: EngineError, silence_s: int) -> EngineError:
    """Tell a failure of the registry from one of the engine itself."""
    if isinstance(error, PullError) or (isinstance(error, UnreachableError) and not isinstance(error, SilentError)):
        return error
    if isinstance(error, SilentError):
        return pull_error(reference, f"timeout: nothing came for {silence_s} s")
    return pull_error(reference, error.message)
