"""Images ready for use: found on the engine, or bootstrapped or pulled, and compared with what they declare."""

from dataclasses import dataclass, replace
from datetime import date
from threading import Event
from typing import assert_never

from factory.catalogue import PINNED_FAMILY, RECIPE_FAMILY
from factory.digest import Digest
from factory.engine.api import Engine, HeldImage, Mount
from factory.errors import ImageError, Interrupted
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.age import made_on
from factory.images.assembly import input_digest
from factory.images.bootstrap import IDENTITY_LABEL, INPUT_LABEL, assemble, import_assembled, reference_of
from factory.images.foreign import require_running
from factory.images.known import Spec, spec_named
from factory.images.named import asked
from factory.images.probe import probe, require_declared
from factory.images.pull import pulled
from factory.images.pulled import PulledSpec
from factory.images.shell import DOWNLOADS, Progress
from factory.images.spec import ImageSpec
from factory.keys import key
from factory.machines import USUAL_MACHINE
from factory.memory import NEVER, Memory, Stage
from factory.pins import Pin
from factory.steps import SYSTEM_PATH
from factory.store import Store
from factory.store.locks import shared_lock


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtRust:
    """A release of the Rust project that is brought to images: the version of its rustc, and the volume that has it."""

    version: str
    content: Digest
    mount: Mount


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyImage:
    """An image that is here and holds what it declares; `identity` enters the keys, `reference` is the engine's name.

    `machine` is that of its containers; with another machine's userland mounted, its facts name that other one.

    `path` is the PATH that the image gives its commands; that of pypa's images leads to their compilers. `mounts` are
    volumes that every container of it gets. `rust` is the release of the Rust project that was brought. `base` is the
    image before a recipe's packages and commands, or an interpreter that it lists, were added.
    `made` is the day on which it was made, None where that is unknown.
    """

    facts: ImageFacts
    reference: str
    identity: Digest
    path: str = SYSTEM_PATH
    machine: str = USUAL_MACHINE
    mounts: tuple[Mount, ...] = ()
    rust: BroughtRust | None = None
    base: "ReadyImage | None" = None
    made: date | None = None

    @property
    def own(self) -> "ReadyImage | None":
        """The image that no recipe changes, this one or its base; None where only a recipe names it."""
        untouched = self.base or self
        return None if untouched.facts.family == RECIPE_FAMILY else untouched

    def with_release(self, rust: BroughtRust) -> "ReadyImage":
        """Return the image with a release of Rust mounted, whose programs come first on PATH."""
        programs = str(rust.mount.path / "bin")
        return replace(self.with_mounts("rust", rust.content, rust.mount, programs=programs), rust=rust)

    def with_mounts(self, name: str, content: Digest, *mounts: Mount, programs: str = "") -> "ReadyImage":
        """Return the image with volumes mounted, and so its base; their content enters the identity under a name.

        `programs` is a folder of them that comes first on PATH.
        """
        return replace(
            self,
            identity=key({"image": str(self.identity), name: str(content)}),
            mounts=(*self.mounts, *mounts),
            path=f"{programs}:{self.path}" if programs else self.path,
            base=self.base and self.base.with_mounts(name, content, *mounts, programs=programs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeImage(Stage[bool]):
    """The comparison of an image, by the engine's id, with its declaration."""

    NAME, VERSION, REDONE_BY = "probe", 1, NEVER

    image: str
    declared: ImageFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageServices:
    """What making an image ready needs: the engine, this machine, and the memory of earlier probes."""

    engine: Engine
    host: Host
    memory: Memory
    progress: Progress


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
    """Make an image ready by its name or its pin; packages are resolved again only with `update`.

    While another process of this user makes it, for any store, this one waits, until `cancelled` is set.

    Raises:
        ImageError: it cannot be made or pulled here, or is not what it declares.
        Interrupted: the run was cancelled while the image was made or pulled.
    """
    memory = Memory(store=store, cancelled=cancelled or Event(), update=update, on_wait=progress)
    services = ImageServices(engine=engine, host=host, memory=memory, progress=progress)
    if "@" in name:
        return ensure_pinned(Pin.parse(name), services)
    match spec := spec_named(name, host.image_lock):
        case ImageSpec():
            return ensure_bootstrapped(spec, services)
        case PulledSpec():
            return ensure_pulled(spec, services)
        case _:
            assert_never(spec)


def ensure_pinned(pin: Pin, services: ImageServices) -> ReadyImage:
    """Make an image ready that no data file declares, and probe it for what it holds.

    Raises:
        ImageError: it cannot be pulled, or wheels cannot be built in it.
    """
    image = _pulled(pin, services)
    return _ready(asked(pin, image, services.engine, services.memory), image, pin.digest)


def ensure_pulled(spec: PulledSpec, services: ImageServices) -> ReadyImage:
    """Make an image of a pulled family ready, which must be what its data file declares.

    Raises:
        ImageError: it cannot be pulled, or differs from its declaration.
    """
    require_running(services.engine, spec.facts)
    image = _pulled(spec.pin, services)
    hint = f"name it in the recipe, so that it is probed instead: images: {{<platform>: {spec.pin}}}"
    if spec.facts.family == PINNED_FAMILY:
        hint = f"pin it again: `factory image pin --trial {spec.facts.name}`"
    _probe_once(spec.facts, image.id, services, hint=hint)
    return _ready(spec.facts, image, spec.pin.digest)


def _pulled(pin: Pin, services: ImageServices) -> HeldImage:
    memory = services.memory
    with memory.alone("image", pin.digest):
        return pulled(services.engine, pin, progress=services.progress, cancelled=memory.cancelled)


def ensure_bootstrapped(spec: ImageSpec, services: ImageServices) -> ReadyImage:
    """Find an image that is made from packages, or make it; one process of a user makes it for all stores.

    Raises:
        ImageError: it cannot be made here, or is not what it declares.
        Interrupted: the run was ended meanwhile.
    """
    engine = services.engine
    # Images belong to the engine and not to a store, so two stores of one user must not make the same one at once.
    with shared_lock(services.host.locks, f"image-{input_digest(spec).hex}.lock") as lock:
        text = f"waiting for {spec.facts.name}, which another run is making"
        if not lock.acquire(cancelled=services.memory.cancelled, on_wait=lambda: services.progress(text)):
            raise Interrupted("interrupted")
        require_running(engine, spec.facts)
        old = _find(engine, spec)
        image = old.id if old is not None and not services.memory.update else _make(spec, services)
        if old is not None and old.id != image:  # Only now, so that a failure leaves the older image.
            engine.remove_image(old.id)
        name = spec.facts.name
        hint = f"make it again with `factory image build {name} --update`, or correct its data file"
        _probe_once(spec.facts, image, services, hint=hint)
    described = engine.held_image(image)
    if described is None:
        raise ImageError(f"{spec.facts.name} was removed meanwhile", hint="run the same command again")
    return _ready(spec.facts, described, Digest(described.labels[IDENTITY_LABEL]))


def _ready(facts: ImageFacts, image: HeldImage, identity: Digest) -> ReadyImage:
    return ReadyImage(
        facts=facts,
        reference=image.id,
        identity=identity,
        path=image.env.get("PATH", SYSTEM_PATH),
        machine=facts.platform.arch,
        made=made_on(image),
    )


def _probe_once(facts: ImageFacts, image: str, services: ImageServices, *, hint: str) -> None:
    """Compare an image with its declaration, unless this was done before for both."""
    stage = ProbeImage(image=image, declared=facts)
    if not services.memory.recall(stage):
        require_declared(facts, probe(services.engine, image), hint=hint)
        services.memory.keep(stage, result=True)


def _find(engine: Engine, spec: ImageSpec) -> HeldImage | None:
    """Find an image by its name and label.

    The label alone is not enough, because an image that somebody makes from ours inherits its labels.
    """
    image = engine.held_image(reference_of(spec))
    if image is None or image.labels.get(INPUT_LABEL) != input_digest(spec).hex:
        return None
    return image


def _make(spec: ImageSpec, services: ImageServices) -> str:
    """Assemble and import an image, unless another user has meanwhile imported one of the same input."""
    memory = services.memory
    with memory.store.temp_folder() as work:
        downloads = memory.store.lasting_folder(DOWNLOADS)
        assemble(spec, host=services.host, work=work, downloads=downloads, progress=services.progress)
        if not memory.update and (other := _find(services.engine, spec)) is not None:
            return other.id
        return import_assembled(services.engine, spec, work=work, progress=services.progress)
