"""Images ready for use: found on the engine, or bootstrapped or pulled, and compared with what they declare."""

from dataclasses import dataclass
from threading import Event
from typing import Final, assert_never

from factory import codec
from factory.catalogue import TOOL_ARCHITECTURE
from factory.digest import Digest
from factory.engine.api import Engine, HeldImage, Mount
from factory.errors import ImageError, Interrupted
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.assembly import input_digest
from factory.images.bootstrap import IDENTITY_LABEL, INPUT_LABEL, assemble, import_assembled, reference_of
from factory.images.compiled import Compiler
from factory.images.known import Spec, spec_named
from factory.images.named import RECIPE_FAMILY, asked
from factory.images.probe import probe, require_declared
from factory.images.pull import pulled
from factory.images.pulled import PulledSpec
from factory.images.shell import Progress
from factory.images.spec import ImageSpec
from factory.keys import document, key
from factory.pins import Pin
from factory.steps import SYSTEM_PATH
from factory.store import Store
from factory.store.locks import shared_lock

_STAGE: Final = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyImage:
    """An image that is here and holds what it declares; `identity` enters the keys, the engine knows it by `reference`.

    `path` is the PATH that the image gives its commands; that of pypa's images leads to their compilers. `mounts` are
    volumes that every container of it gets. `base` is the image that a recipe's packages and commands were added to.
    """

    facts: ImageFacts
    reference: str
    identity: Digest
    path: str = SYSTEM_PATH
    mounts: tuple[Mount, ...] = ()
    base: "ReadyImage | None" = None

    @property
    def own(self) -> "ReadyImage | None":
        """The image that no recipe changes, this one or its base; None where only a recipe names it."""
        untouched = self.base or self
        return None if untouched.facts.family == RECIPE_FAMILY else untouched


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What having an image needs: an engine, this machine, and the store that remembers what was asked of images.

    While another process makes the same image, this one waits, until `cancelled` is set.
    """

    engine: Engine
    host: Host
    store: Store
    progress: Progress
    cancelled: Event


def is_here(engine: Engine, spec: Spec) -> bool:
    """Whether the engine has the image that this version of the factory would make or pull; uses no network."""
    return held(engine, spec) is not None


def held(engine: Engine, spec: Spec) -> HeldImage | None:
    """Describe an image; None where it is not here."""
    match spec:
        case ImageSpec():
            return _find(engine, spec)
        case PulledSpec(pin=pin):
            return engine.held_image(pin.reference)
        case _:
            assert_never(spec)


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
    """Have an image ready by its name or its pin; packages are resolved again only with `update`.

    While another process of this user makes it, for any store, this one waits, until `cancelled` is set.

    Raises:
        ImageError: it cannot be made or pulled here, or is not what it declares.
        Interrupted: the run was ended while it was made or pulled.
    """
    shop = Workshop(engine=engine, host=host, store=store, progress=progress, cancelled=cancelled or Event())
    if "@" in name:
        return ensure_pinned(Pin.parse(name), shop)
    match spec := spec_named(name, host.image_lock):
        case ImageSpec():
            return ensure_bootstrapped(spec, shop, update=update)
        case PulledSpec():
            return ensure_pulled(spec, shop)
        case _:
            assert_never(spec)


def ensure_pinned(pin: Pin, shop: Workshop) -> ReadyImage:
    """Have an image ready that no data file declares: it is probed.

    Raises:
        ImageError: it does not come, or wheels cannot be built in it.
    """
    image = _pulled(pin, shop)
    return _ready(asked(pin, image, shop.engine, shop.store), image, pin.digest)


def ensure_pulled(spec: PulledSpec, shop: Workshop) -> ReadyImage:
    """Have an image of a pulled family ready, which must be what it declares.

    Raises:
        ImageError: it does not come, or differs from its declaration.
    """
    if spec.facts.platform.arch != TOOL_ARCHITECTURE:
        raise ImageError(
            f"{spec.facts.name} is for {spec.facts.platform.arch}, but the factory's own tools in containers are only "
            f"for {TOOL_ARCHITECTURE}",
            hint="nothing can be built in it yet; remove its platform from the recipe",
        )
    image = _pulled(spec.pin, shop)
    hint = f"name it in the recipe, so that it is probed instead: images: {{<platform>: {spec.pin}}}"
    _probe_once(spec.facts, image.id, shop, hint=hint)
    return _ready(spec.facts, image, spec.pin.digest)


def _pulled(pin: Pin, shop: Workshop) -> HeldImage:
    with shop.store.once(_STAGE, pin.digest, cancelled=shop.cancelled, on_wait=shop.progress) as mine:
        if not mine:
            raise Interrupted("interrupted")
        return pulled(shop.engine, pin, progress=shop.progress, cancelled=shop.cancelled)


def ensure_bootstrapped(spec: ImageSpec, shop: Workshop, *, update: bool = False) -> ReadyImage:
    """Find an image that is made from packages, or make it; one process of a user makes it for all stores.

    Raises:
        ImageError: it cannot be made here, or is not what it declares.
        Interrupted: the run was ended meanwhile.
    """
    engine = shop.engine  # images are the engine's: stores of one user must not make one each
    with shared_lock(shop.host.locks, f"image-{input_digest(spec).hex}.lock") as lock:
        text = f"waiting for {spec.facts.name}, which another run is making"
        if not lock.acquire(cancelled=shop.cancelled, on_wait=lambda: shop.progress(text)):
            raise Interrupted("interrupted")
        old = _find(engine, spec)
        image = old.id if old is not None and not update else _make(spec, shop, update=update)
        if old is not None and old.id != image:
            engine.remove_image(old.id)
        name = spec.facts.name
        hint = f"make it again with `factory image build {name} --update`, or correct its data file"
        _probe_once(spec.facts, image, shop, hint=hint)
    described = engine.held_image(image)
    if described is None:
        raise ImageError(f"{spec.facts.name} was removed meanwhile", hint="run the same command again")
    return _ready(spec.facts, described, Digest(described.labels[IDENTITY_LABEL]))


def _ready(facts: ImageFacts, image: HeldImage, identity: Digest) -> ReadyImage:
    return ReadyImage(facts=facts, reference=image.id, identity=identity, path=image.env.get("PATH", SYSTEM_PATH))


def _probe_once(facts: ImageFacts, image: str, shop: Workshop, *, hint: str) -> None:
    """Compare an image with its declaration, unless this was done before for both."""
    paper = document("probe", 1, {"image": image, "declared": codec.dump(facts)})
    if shop.store.ledger_get("probe", key(paper)) is None:
        require_declared(facts, probe(shop.engine, image), hint=hint)
        shop.store.ledger_put("probe", key(paper), paper, result=True)


def _find(engine: Engine, spec: ImageSpec) -> HeldImage | None:
    """Find an image by its name and label: an image that somebody made from it has the label, but another name."""
    image = engine.held_image(reference_of(spec))
    if image is None or image.labels.get(INPUT_LABEL) != input_digest(spec).hex:
        return None
    return image


def _make(spec: ImageSpec, shop: Workshop, *, update: bool) -> str:
    """Assemble and import an image, unless another user has meanwhile imported one of the same input."""
    compiler = Compiler(
        spec=spec, host=shop.host, store=shop.store, progress=shop.progress, cancelled=shop.cancelled, update=update
    )
    with shop.store.temp_folder() as work:
        compiler.put_all(work)
        assemble(spec, host=shop.host, work=work, progress=shop.progress)
        if not update and (other := _find(shop.engine, spec)) is not None:
            return other.id
        return import_assembled(shop.engine, spec, work=work, progress=shop.progress)
