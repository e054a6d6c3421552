"""Which images a plan may choose from, asked of an engine and of its registries."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from factory.catalogue import AUTO
from factory.digest import Digest
from factory.engine.api import Engine, HeldImage
from factory.engine.pull import pull_error
from factory.errors import EngineError, ImageError
from factory.image_facts import ImageFacts
from factory.images.assembly import input_digest
from factory.images.bootstrap import INPUT_LABEL, reference_of
from factory.images.known import specs
from factory.images.offer import Offer, Registries, machine_of
from factory.images.pulled import PulledSpec
from factory.images.spec import ImageSpec
from factory.pins import Pin
from factory.recipe.model import BuildSpec, Toolchain
from factory.tags import PlatformTag
from tests.doubles.engine import EngineDouble
from tests.makers.plans import interpreters, make_plan, make_recipe

NEW, OLD = "pypa-manylinux_2_28_x86_64", "pypa-manylinux2014_x86_64"
LOOKALIKE = "lookalike-manylinux_2_31_x86_64"
P28, P31 = "manylinux_2_28_x86_64", "manylinux_2_31_x86_64"
HELD = HeldImage(id="sha256:0", architecture="amd64", size_bytes=1, labels={}, env={})
SLIM, PLAIN = "python:3.12-slim", f"python@sha256:{'3' * 64}"
SILENT = "dial tcp: lookup quay.io: no such host"


@dataclass(slots=True, kw_only=True)
class AskedEngine(EngineDouble):
    """Counts what registries are asked for; with `fault`, none answers."""

    fault: str = ""
    asked: list[str] = field(default_factory=list)

    def require_served(self, name: str, digest: str, *, within_s: int) -> None:
        self.asked.append(name)
        if self.fault:
            raise pull_error(name, self.fault)
        EngineDouble.require_served(self, name, digest, within_s=within_s)


def reference(name: str) -> str:
    return next(spec.pin.reference for spec in specs() if isinstance(spec, PulledSpec) and spec.facts.name == name)


def offered(engine: Engine, platforms: str = P28, families: Sequence[str] = (AUTO,)) -> Offer:
    return Registries(engine=lambda: engine, can_make=True).offer(families, specs(), make_recipe(platforms=platforms))


def official(offer: Offer) -> set[str]:
    return {image.name for image in offer.images if image.family == "pypa"}


def test_the_newest_official_image_that_a_registry_serves_is_offered_before_ours() -> None:
    engine = AskedEngine(registry={reference(NEW): HELD, reference(OLD): HELD})

    offer = offered(engine, f"{P28} {P31}")

    assert official(offer) == {NEW}
    assert offer.families == ("pypa", "lookalike")
    assert engine.asked == ["quay.io/pypa/manylinux_2_28_x86_64"]
    assert offer.answers is not None
    assert offer.answers[NEW].why == "quay.io serves it"


def test_an_image_that_the_engine_has_needs_no_registry() -> None:
    engine = AskedEngine(fault=SILENT)
    engine.hold(HELD, reference(NEW))

    offer = offered(engine)

    assert official(offer) == {NEW}
    assert engine.asked == []
    assert offer.answers is not None
    assert offer.answers[NEW].why == "the engine has it"


def test_a_registry_that_does_not_answer_is_not_asked_again_and_what_is_here_serves() -> None:
    engine = AskedEngine(fault=SILENT)
    engine.hold(HELD, reference(OLD))
    registries = Registries(engine=lambda: engine, can_make=True)

    offers = [registries.offer((AUTO,), specs(), make_recipe(platforms=platform)) for platform in (P28, P31)]

    assert [official(offer) for offer in offers] == [{OLD}, {OLD}]
    assert engine.asked == ["quay.io/pypa/manylinux_2_28_x86_64"]


def test_without_registry_ours_is_offered_and_the_plan_says_why() -> None:
    offer = offered(AskedEngine(fault=SILENT))

    assert official(offer) == set()
    assert offer.answers is not None
    reason = "no official image from quay.io: the registry's host name cannot be resolved"
    assert {answer.why for answer in offer.answers.values()} == {reason}


def test_a_digest_that_a_registry_has_not_leads_to_the_next_image() -> None:
    offer = offered(AskedEngine(registry={reference(OLD): HELD}))

    assert official(offer) == {OLD}
    assert offer.answers is not None
    assert offer.answers[NEW].why == f"no {NEW} from quay.io: the registry does not have it"


def with_plain(engine: Engine, listed: str, families: Sequence[str] = (AUTO,)) -> Offer:
    """Offer images where a user has pinned a plain one with CPython 3.12."""
    facts = ImageFacts(
        name=SLIM,
        family="pinned",
        role="trial",
        platform=PlatformTag.parse("manylinux_2_36_x86_64"),
        interpreters=interpreters("cp312"),
    )
    plain = PulledSpec(facts=facts, pin=Pin("python", Digest("3" * 64)))
    recipe = make_recipe(listed, platforms=P28)
    return Registries(engine=lambda: engine, can_make=True).offer(families, (*specs(), plain), recipe)


def test_a_plain_image_that_a_user_pinned_is_offered_while_a_registry_serves_it() -> None:
    engine = AskedEngine(registry={PLAIN: HELD})

    offer = with_plain(engine, "cp39 cp312")

    assert SLIM in {image.name for image in offer.images}
    assert offer.left_out == ()
    assert "python" in engine.asked


def test_a_plain_image_that_the_engine_has_is_offered_without_its_registry() -> None:
    engine = AskedEngine(fault=SILENT)
    engine.hold(HELD, PLAIN)

    assert SLIM in {image.name for image in with_plain(engine, "cp312").images}
    assert "python" not in engine.asked


def test_a_plain_image_that_cannot_be_had_is_left_out_and_the_plan_says_so() -> None:
    offer = with_plain(AskedEngine(fault=SILENT), "cp312")

    assert SLIM not in {image.name for image in offer.images}
    assert offer.left_out == (
        (
            f"{SLIM} is pinned and tries nothing: no image from the engine's own registry: the registry's host name "
            "cannot be resolved"
        ),
    )
    assert offer.explained(make_plan()).notes[-1:] == offer.left_out


def test_a_plain_image_that_a_registry_has_no_more_is_left_out_by_its_name() -> None:
    (left_out,) = with_plain(AskedEngine(), "cp312").left_out

    assert left_out.endswith(f"no {SLIM} from the engine's own registry: the registry does not have it")


def test_a_plain_image_of_no_listed_interpreter_is_not_asked_for() -> None:
    engine = AskedEngine(fault=SILENT)

    assert with_plain(engine, "cp39").left_out == ()
    assert "python" not in engine.asked


def test_a_plain_image_is_not_asked_for_where_families_are_named() -> None:
    engine = AskedEngine(fault=SILENT)

    offer = with_plain(engine, "cp312", families=("lookalike",))

    assert (SLIM in {image.name for image in offer.images}, engine.asked) == (True, [])


def test_without_engine_ours_is_offered_and_the_engine_is_looked_for_once() -> None:
    tries: list[str] = []

    def nowhere() -> Engine:
        tries.append("try")
        raise EngineError("no container engine answers at unix:///x")

    offer = Registries(engine=nowhere, can_make=True).offer((AUTO,), specs(), make_recipe(platforms=f"{P28} {P31}"))

    assert official(offer) == set()
    assert tries == ["try"]
    assert offer.answers is not None
    assert {answer.why for answer in offer.answers.values()} == {"no container engine answers at unix:///x"}


def test_an_engine_of_another_machine_is_asked_for_its_images() -> None:
    name = "pypa-manylinux_2_28_aarch64"
    engine = AskedEngine(registry={reference(name): HELD}, architecture="arm64")

    offer = offered(engine, "manylinux_2_28_aarch64")

    assert (official(offer), offer.machine) == ({name}, "aarch64")


def test_an_images_own_compiler_is_asked_for_on_the_platforms_machine_too() -> None:
    name = "pypa-manylinux_2_28_aarch64"
    engine = AskedEngine(registry={reference(name): HELD, reference(NEW): HELD})
    build = BuildSpec(toolchain=Toolchain(c=">=10"))
    recipe = make_recipe(platforms="manylinux_2_28_aarch64", build=build)

    offer = Registries(engine=lambda: engine, can_make=True).offer((AUTO,), specs(), recipe)

    assert (official(offer), offer.machine) == ({NEW, name}, "x86_64")


def test_an_engine_on_a_machine_without_tools_is_refused() -> None:
    with pytest.raises(EngineError, match="the container engine is on riscv64"):
        machine_of(AskedEngine(architecture="riscv64").info())


@pytest.mark.parametrize("families", [("pypa",), ("lookalike",), ("lookalike", "pypa")])
def test_families_that_are_named_need_no_answer(families: tuple[str, ...]) -> None:
    engine = AskedEngine(fault=SILENT)

    offer = offered(engine, families=families)

    assert (offer.families, offer.answers, engine.asked) == (families, None, [])
    assert NEW in official(offer)


def test_nothing_is_asked_for_a_platform_that_no_official_image_builds() -> None:
    engine = AskedEngine()

    offer = offered(engine, "manylinux_2_5_x86_64 win_amd64")

    assert (official(offer), engine.asked, dict(offer.answers or {})) == (set(), [], {})


def without_bootstrapper(engine: Engine, platforms: str = P31) -> Offer:
    registries = Registries(engine=lambda: engine, can_make=False)
    return registries.offer((AUTO,), specs(), make_recipe(platforms=platforms))


def made_here(offer: Offer) -> set[str]:
    return {image.name for image in offer.images if image.family not in ("pypa", "pinned")}


def test_where_no_image_can_be_made_those_that_the_engine_has_are_offered() -> None:
    engine = AskedEngine(fault=SILENT)
    for spec in specs():
        if isinstance(spec, ImageSpec) and spec.facts.name in (LOOKALIKE, "trial-trixie"):
            labels = {INPUT_LABEL: input_digest(spec).hex}
            engine.hold(replace(HELD, id=spec.facts.name, labels=labels), reference_of(spec))

    offer = without_bootstrapper(engine)

    assert made_here(offer) == {LOOKALIKE, "trial-trixie"}


def test_where_no_image_can_be_made_an_official_one_builds_and_tries() -> None:
    offer = without_bootstrapper(AskedEngine(registry={reference(NEW): HELD}), P28)

    assert (official(offer), made_here(offer)) == ({NEW}, set())


def test_where_no_image_can_be_made_pulled_or_found_a_sentence_says_so_with_the_ways_out() -> None:
    with pytest.raises(ImageError) as caught:
        without_bootstrapper(AskedEngine(fault=SILENT))

    assert caught.value.message == (
        "there is no image to build in: the engine has none, no official image from quay.io: the registry's host "
        "name cannot be resolved, and mmdebstrap, by which images are made, is not installed"
    )
    for way in ("apt-get install mmdebstrap", "reach a registry", "on another machine", "container of Debian"):
        assert way in caught.value.hint


def test_without_engine_a_plan_names_images_that_a_run_would_have_to_find() -> None:
    def nowhere() -> Engine:
        raise EngineError("no container engine answers at unix:///x")

    offer = Registries(engine=nowhere, can_make=False).offer((AUTO,), specs(), make_recipe(platforms=P31))

    assert LOOKALIKE in made_here(offer)
