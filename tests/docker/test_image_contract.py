"""Every promise of every image's contract, checked in a container of it that is confined as a build's is."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Self

import pytest

from factory.engine.api import Container, ContainerSpec
from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.contract import Promise, check_argv, check_env, read_contract
from factory.images.foreign import machine_here
from factory.images.ready import ReadyImage, ensure, is_here
from factory.images.spec import ImageSpec, declared_specs
from factory.store import Store

pytestmark = pytest.mark.engine

FOR_LATER = {"lookalike-manylinux_2_36_x86_64", "trial-forky-cp315", "program-bullseye", "program-forky"}
"""What neither a default recipe nor another quick test needs is not made by `make test`."""


def slow(spec: ImageSpec) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if spec.facts.name in FOR_LATER else []


HERE = [spec for spec in declared_specs() if spec.facts.platform.arch == machine_here()]
"""Those that need no emulation: test_arm64.py has others."""

SPECS = [pytest.param(spec, id=spec.facts.name, marks=slow(spec)) for spec in HERE]
PROMISES = [
    pytest.param(spec, promise, id=f"{spec.facts.name}-{promise.id}", marks=slow(spec))
    for spec in HERE
    for promise in read_contract(spec)
]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("store")) as opened:
        yield opened


@pytest.fixture(scope="session")
def containers(engine: DockerEngine, host: Host, store: Store) -> Iterator["Containers"]:
    with Containers(engine, host, store) as opened:
        yield opened


class Containers:
    """One container per image, started when the first promise of it is checked."""

    def __init__(self, engine: DockerEngine, host: Host, store: Store) -> None:
        self._engine, self._host, self._store = engine, host, store
        self._stack = ExitStack()
        self._running: dict[str, Container] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, name: str) -> Container:
        if name not in self._running:
            image = self.ready(name).reference
            spec = ContainerSpec(image=image, label=f"contract of {name}", env={})
            self._running[name] = self._stack.enter_context(self._engine.container(spec))
        return self._running[name]

    def ready(self, name: str) -> ReadyImage:
        return ensure(name, engine=self._engine, host=self._host, store=self._store, progress=print)


@pytest.mark.parametrize(("spec", "promise"), PROMISES)
def test_an_image_keeps_what_its_contract_says(spec: ImageSpec, promise: Promise, containers: Containers) -> None:
    if promise.unkept is not None:
        pytest.skip(f"not kept: {promise.unkept}")

    ended = containers.of(spec.facts.name).run(check_argv(promise), env=check_env(spec), timeout_s=300)

    assert (ended.ended, ended.code) == ("exited", 0), f"{promise.says}\n{ended.output}"


@pytest.mark.parametrize("spec", SPECS)
def test_an_image_is_found_again_without_network(spec: ImageSpec, containers: Containers, engine: DockerEngine) -> None:
    made = containers.ready(spec.facts.name)

    again = containers.ready(spec.facts.name)

    assert is_here(engine, spec)
    assert again == made
    assert again.facts == spec.facts
