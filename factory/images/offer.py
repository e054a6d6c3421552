"""Which images a plan may choose from: those of the families that were named, or with `auto` what can be had now."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import Final

from factory.catalogue import AUTO, BOOTSTRAPPED, OFFICIAL, PINNED_FAMILY, ZIG
from factory.engine.api import Engine, EngineInfo
from factory.engine.faults import PullError
from factory.errors import EngineError, ImageError
from factory.image_facts import ImageFacts
from factory.images.foreign import machine_here
from factory.images.known import Spec
from factory.images.on_demand import all_brought
from factory.images.pulled import PulledSpec
from factory.images.ready import is_here
from factory.images.shell import ELSEWHERE, INSTALL
from factory.images.spec import ImageSpec
from factory.machines import CONTAINER_MACHINES, USUAL_MACHINE, machine_named
from factory.plan.images import plain_images, serving_images
from factory.plan.model import Chosen, Plan
from factory.recipe.model import Recipe
from factory.recipe.overriding import overridden
from factory.tags import Platform, PlatformTag

_WITHIN_S: Final = 5
"""How long a registry may take to answer before a plan goes on without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether an image can be had now, and why, as a clause."""

    is_offered: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The images that a plan may choose from, and their families, the preferred first.

    `answers` are those about official images, by name; None where families were named. `left_out` says of pinned plain
    images that they cannot be had. `machine` is the engine's own: containers for others are emulated.
    """

    images: tuple[ImageFacts, ...]
    families: tuple[str, ...]
    answers: Mapping[str, Answer] | None = None
    left_out: tuple[str, ...] = ()
    machine: str = USUAL_MACHINE

    @property
    def has_official(self) -> bool:
        """Whether an official image may be chosen that nobody named."""
        return bool(_offered(self.answers or {}))

    def with_images(self, images: Iterable[ImageFacts]) -> "Offer":
        """Return the offer with the images that a recipe names itself."""
        return replace(self, images=(*self.images, *images))

    def without_official(self, why: str) -> "Offer":
        """Return the offer without official images, all for one reason."""
        left = tuple(image for image in self.images if image.family != OFFICIAL)
        refused = {name: replace(answer, is_offered=False, why=why) for name, answer in (self.answers or {}).items()}
        return replace(self, images=left, answers=MappingProxyType(refused))

    def explained(self, plan: Plan) -> Plan:
        """Return a plan that says which image builds for each platform and why, and which plain ones are left out.

        Where families were named there is nothing to explain.
        """
        if self.answers is None:
            return plan
        return replace(plan, chosen=tuple(self._chosen(plan)), notes=(*plan.notes, *self.left_out))

    def _chosen(self, plan: Plan) -> Iterator[Chosen]:
        served = dict.fromkeys((cell.platform, cell.builder.image) for cell in plan.cells if cell.builder is not None)
        families = {image.name: image.family for image in self.images}
        for platform, image in served:
            family = families[image]
            if isinstance(platform, PlatformTag) and family in (OFFICIAL, BOOTSTRAPPED):
                yield Chosen(platform=platform, image=image, family=family, why=self._why(platform, image))

    def _why(self, platform: PlatformTag, image: str) -> str:
        answers = self.answers or {}
        if image in answers:
            return answers[image].why
        reasons = dict.fromkeys(answer.why for answer in answers.values() if not answer.is_offered)
        return "; ".join(reasons) or f"no official image builds for {platform} on {self.machine}"


@dataclass(slots=True, kw_only=True)
class Registries:
    """Asks an engine and registries for official and pinned images: each image once, and no silent registry again.

    `engine` connects where that is needed for the first time. `can_make` is whether images can be made on this machine;
    if not, those that the engine has are all that can be had besides official and pinned ones. `machine` is the
    engine's own, if that is known; else it is asked where official images are asked for, and without an answer it is
    taken for this machine's.
    """

    engine: Callable[[], Engine]
    can_make: bool
    machine: str | None = None
    _answers: dict[str, Answer] = field(default_factory=dict)
    _silent: dict[str, str] = field(default_factory=dict)
    _no_engine: str = ""

    def offer(self, families: Sequence[str], listed: Iterable[Spec], recipe: Recipe) -> Offer:
        """Return what a recipe's plan may choose from, of the images that the factory knows by name.

        Raises:
            ImageError: no image that builds can be had by any way.
        """
        if tuple(families) != (AUTO,):
            machine = self.machine or machine_here()
            return Offer(images=all_brought(_facts(listed)), families=tuple(families), machine=machine)
        machine = self._machine()
        specs = tuple(listed) if self.can_make else self._obtainable(listed)
        images = all_brought(_facts(specs))
        pulled = {spec.facts.name: spec for spec in specs if isinstance(spec, PulledSpec)}
        answers = self._answers_for(recipe, images, pulled, machine)
        plain = {name: self._answer(pulled[name]) for name in _wanted_plain(recipe, images, machine)}
        had = _offered(answers) | _offered(plain)
        chosen = tuple(image for image in images if image.name in had or image.name not in pulled)
        if not (recipe.images or _has_builder(chosen)):
            raise _nothing(answers.values())
        return Offer(
            images=chosen,
            families=(OFFICIAL, BOOTSTRAPPED),
            answers=MappingProxyType(answers),
            left_out=tuple(_left_out(plain)),
            machine=machine,
        )

    def _answers_for(
        self, recipe: Recipe, images: Sequence[ImageFacts], pulled: Mapping[str, PulledSpec], machine: str
    ) -> dict[str, Answer]:
        asked = (self._asked(recipe, platform, images, pulled, machine) for platform in recipe.platforms)
        return dict(chain.from_iterable(asked))

    def _obtainable(self, listed: Iterable[Spec]) -> tuple[Spec, ...]:
        """Leave out the images that would have to be made; without an engine nobody can say which those are."""
        specs = tuple(listed)
        try:
            engine = self.engine()
        except EngineError:
            return specs
        return tuple(spec for spec in specs if not isinstance(spec, ImageSpec) or is_here(engine, spec))

    def _machine(self) -> str:
        """Return the engine's own machine, which is asked once."""
        if self.machine is None:
            try:
                self.machine = machine_of(self.engine().info())
            except EngineError as error:
                self._no_engine, self.machine = error.message, machine_here()
        return self.machine

    def _asked(
        self,
        recipe: Recipe,
        platform: Platform,
        images: Sequence[ImageFacts],
        pulled: Mapping[str, PulledSpec],
        machine: str,
    ) -> Iterator[tuple[str, Answer]]:
        """Ask for the official images that serve a platform, the best first, until one can be had."""
        if not isinstance(platform, PlatformTag) or platform in recipe.images:
            return
        for arch in dict.fromkeys((machine, *((platform.arch,) if _names_compiler(recipe) else ()))):
            for image in serving_images(replace(platform, arch=arch), images, OFFICIAL):
                answer = self._answer(pulled[image.name])
                yield image.name, answer
                if answer.is_offered:
                    break

    def _answer(self, spec: PulledSpec) -> Answer:
        name = spec.facts.name
        if name in self._answers:
            return self._answers[name]
        if self._no_engine:
            return Answer(is_offered=False, why=self._no_engine)
        try:
            return self._answers.setdefault(name, self._asked_for(spec))
        except EngineError as error:
            self._no_engine = error.message
            return Answer(is_offered=False, why=error.message)

    def _asked_for(self, spec: PulledSpec) -> Answer:
        registry, engine = spec.pin.registry or "the engine's own registry", self.engine()
        kind = "official image" if spec.facts.family == OFFICIAL else "image"
        try:
            if engine.held_image(spec.pin.reference) is not None:
                return Answer(is_offered=True, why="the engine has it")
            if registry in self._silent:
                return Answer(is_offered=False, why=f"no {kind} from {registry}: {self._silent[registry]}")
            engine.require_served(spec.pin.name, str(spec.pin.digest), within_s=_WITHIN_S)
        except PullError as error:
            if error.is_registrys:
                self._silent[registry] = error.reason
            what = kind if error.is_registrys else spec.facts.name
            return Answer(is_offered=False, why=f"no {what} from {registry}: {error.reason}")
        except ImageError as error:
            return Answer(is_offered=False, why=error.message)
        return Answer(is_offered=True, why=f"{registry} serves it")


def _names_compiler(recipe: Recipe) -> bool:
    """Whether a recipe asks for an image's own compiler, which compiles for its image's machine alone."""
    ways = (recipe, *(overridden(recipe, override) for override in recipe.overrides))
    return any(way.build.toolchain.c not in (None, ZIG) for way in ways)


def machine_of(engine: EngineInfo) -> str:
    """Return the machine of an engine's own containers.

    Raises:
        EngineError: the factory has nothing that runs on it.
    """
    machine = machine_named(engine.architecture)
    if machine not in CONTAINER_MACHINES:
        raise EngineError(
            f"the container engine is on {machine}, and the factory's tools in containers are for "
            f"{' and '.join(CONTAINER_MACHINES)}",
            hint="name an engine on such a machine in DOCKER_HOST",
        )
    return machine


def _wanted_plain(recipe: Recipe, images: Sequence[ImageFacts], machine: str) -> Iterator[str]:
    """Yield the pinned plain images that may load or try a wheel of a recipe, perhaps one more than once."""
    listed = {wanted.interpreter for wanted in recipe.interpreters}
    for platform in recipe.platforms:
        if not isinstance(platform, PlatformTag):
            continue
        for arch in dict.fromkeys((machine, platform.arch)):
            plain = tuple(plain_images(platform, images, arch))
            is_loader = all(image.family == PINNED_FAMILY for image in plain)
            for image in plain:
                if image.family == PINNED_FAMILY and (is_loader or listed.intersection(image.interpreters)):
                    yield image.name


def _offered(answers: Mapping[str, Answer]) -> set[str]:
    return {name for name, answer in answers.items() if answer.is_offered}


def _left_out(answers: Mapping[str, Answer]) -> Iterator[str]:
    for name, answer in answers.items():
        if not answer.is_offered:
            yield f"{name} is pinned and tries nothing: {answer.why}"


def _facts(specs: Iterable[Spec]) -> Iterator[ImageFacts]:
    return (spec.facts for spec in specs)


def _has_builder(images: Iterable[ImageFacts]) -> bool:
    return any(image.role == "build" for image in images)


def _nothing(answers: Iterable[Answer]) -> ImageError:
    reasons = "; ".join(dict.fromkeys(answer.why for answer in answers)) or "no official image builds its platforms"
    return ImageError(
        f"there is no image to build in: the engine has none, {reasons}, and mmdebstrap, by which images are made, "
        "is not installed",
        hint=f"{INSTALL}; {ELSEWHERE}",
    )
