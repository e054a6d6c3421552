"""Take the one wheel that a step leaves into the store, or refuse it where it is not the expected one."""

from pathlib import PurePosixPath

from factory.digest import Artifact
from factory.engine.api import StreamEntry
from factory.excerpt import listed
from factory.failure import Failure
from factory.planned import PlannedRecipe
from factory.recipe.model import SdistSource
from factory.stages.cell_session import CellSession
from factory.stages.leaks import leak_in
from factory.untrusted import UntrustedTextError, parse_wheel_name

WHEEL_LIMIT_BYTES = 4 << 30
_BAKED_IN = (
    "whoever gets the wheel could read it: keep the build from writing it into a file; "
    "a value that is not secret belongs in build.env instead of build.pass-env"
)


def take_wheel(session: CellSession, folder: PurePosixPath, step: str) -> Artifact | Failure:
    """Take the one wheel out of a folder of the container into the store."""
    store, names, kept = session.services.memory.store, list[str](), list[Artifact]()

    def keep(entry: StreamEntry) -> None:
        if entry.path.suffix == ".whl":
            names.append(str(entry.path))
            if not kept:  # A second wheel is an error, so that only its name is needed.
                kept.append(store.put_stream(entry.pieces, entry.path.name))

    failure = session.container.take_each(folder, step, keep, limit_bytes=WHEEL_LIMIT_BYTES)
    if failure is not None:
        return failure
    if len(names) != 1:
        listing = f": {listed(sorted(names))}" if names else ""
        return Failure(step=step, message=f"expected one wheel, but {len(names)} came out{listing}")
    if mismatch := _mismatch(kept[0].filename, session.planned):
        return Failure(step=step, message=mismatch, hint="look at the backend's configuration and at its log")
    return refuse_secrets(session, kept[0], step)


def refuse_secrets(session: CellSession, wheel: Artifact, step: str) -> Artifact | Failure:
    """Refuse a wheel that holds a value of the caller's environment, and delete it from the store.

    A remembered wheel is searched, too: the run that made it may have been passed other variables.
    """
    store = session.services.memory.store
    with store.open_blob(wheel.digest) as stream:
        leak = leak_in(stream, wheel.filename, session.passed)
    if not leak:
        return wheel
    store.discard(wheel.digest)
    return Failure(step=step, message=f"the wheel {leak}", hint=_BAKED_IN)


def _mismatch(filename: str, planned: PlannedRecipe) -> str:
    """Say that a wheel is of another project or release than the source; the gate judges malformed names."""
    try:
        name, version, _, _ = parse_wheel_name(filename)
    except UntrustedTextError:
        return ""
    if name != planned.project.name:
        return f"expected a wheel of {planned.project.name}, but one of {name} came out"
    source = planned.recipe.source
    if isinstance(source, SdistSource) and version != source.version:
        return f"expected a wheel of version {source.version}, but one of {version} came out"
    return ""
