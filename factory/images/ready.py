"""Images made ready for use: found again by what they are made from, bootstrapped where they are not here."""

from dataclasses import dataclass
from threading import Event
from typing import Final

from factory import codec
from factory.digest import Digest
from factory.engine.api import Engine
from factory.errors import Interrupted
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.assembly import input_digest
from factory.images.bootstrap import IDENTITY_LABEL, INPUT_LABEL, Progress, bootstrap
from factory.images.probe import probe, require_declared
from factory.images.spec import ImageSpec, spec_named
from factory.keys import document, key
from factory.store import Store

_STAGE: Final = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyImage:
    """An image that is here and is what it declares; `identity` enters the keys, `reference` names it to the engine."""

    facts: ImageFacts
    reference: str
    identity: Digest


def is_here(engine: Engine, name: str) -> bool:
    """Whether the engine has the image that this version of the factory would make; asks no network."""
    return _find(engine, spec_named(name)) is not None


def ensure(
    name: str,
    *,
    engine: Engine,
    host: Host,
    store: Store,
    progress: Progress,
    update: bool = False,
    cancelled: Event | None = None,
) -> ReadyImage:
    """Find an image, or make it; packages are resolved anew only with `update`.

    While another process makes it, this one waits, until `cancelled` is set.

    Raises:
        ImageError: it cannot be made here, or is not what it declares.
        Interrupted: the run was ended while it was made.
    """
    spec = spec_named(name)
    with store.once(_STAGE, input_digest(spec), cancelled=cancelled) as mine:
        if not mine:
            raise Interrupted("interrupted")
        found = _find(engine, spec)
        image = found if found is not None and not update else _make(spec, engine, host, store, progress)
        if found is not None and found != image:
            engine.remove_image(found)
        _probe_once(spec, image, engine, store)
    return ReadyImage(facts=spec.facts, reference=image, identity=Digest(engine.image_labels(image)[IDENTITY_LABEL]))


def _probe_once(spec: ImageSpec, image: str, engine: Engine, store: Store) -> None:
    """Hold an image to its declaration, unless this very image was held to this very declaration before."""
    paper = document("probe", 1, {"image": image, "declared": codec.dump(spec.facts)})
    if store.ledger_get("probe", key(paper)) is None:
        require_declared(spec.facts, probe(engine, image))
        store.ledger_put("probe", key(paper), paper, result=True)


def _find(engine: Engine, spec: ImageSpec) -> str | None:
    return engine.find_image({INPUT_LABEL: input_digest(spec).hex})


def _make(spec: ImageSpec, engine: Engine, host: Host, store: Store, progress: Progress) -> str:
    with store.temp_folder() as work:
        return bootstrap(engine, spec, host=host, work=work, progress=progress)
