"""What an engine says of itself, and what its containers are told because of it."""

import pytest

from factory.engine.about import described, options_of, weaknesses
from factory.engine.api import EngineInfo
from factory.engine.posture import ContainerOptions


def make_engine(*options: str, api: str = "1.41", component: str = "Engine", quota: bool = True) -> EngineInfo:
    version = {"Version": "20.10", "ApiVersion": api, "Components": [{"Name": component}]}
    info = {"Driver": "overlay2", "Architecture": "x86_64", "NCPU": 4, "MemTotal": 1 << 30, "CpuCfsQuota": quota}
    return described(version, info | {"SecurityOptions": list(options)})


@pytest.mark.parametrize(
    ("option", "profile"),
    [
        ("name=seccomp,profile=default", "default"),
        ("name=seccomp,profile=builtin", "builtin"),
        ("name=seccomp,profile=unconfined", "unconfined"),
        ("name=seccomp,profile=/etc/docker/seccomp.json", "/etc/docker/seccomp.json"),
        ("name=apparmor", None),
    ],
)
def test_the_profile_of_system_calls_is_read(option: str, profile: str | None) -> None:
    assert make_engine(option, "name=rootless").seccomp == profile


@pytest.mark.parametrize("profile", ["default", "builtin", "/etc/docker/seccomp.json"])
def test_an_engine_that_filters_is_left_to_its_profile(profile: str) -> None:
    engine = make_engine(f"name=seccomp,profile={profile}", api="1.45")

    assert options_of(engine) == ContainerOptions(cpus=4)
    assert weaknesses(engine) == ()


def test_dockers_own_profile_is_asked_for_where_its_daemon_filters_nothing_and_knows_it() -> None:
    engine = make_engine("name=seccomp,profile=unconfined", api="1.42")

    assert options_of(engine).security == ("seccomp=builtin",)
    assert weaknesses(engine) == ()


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(make_engine("name=seccomp,profile=unconfined"), id="older"),
        pytest.param(
            make_engine("name=seccomp,profile=unconfined", api="1.45", component="Podman Engine"), id="podman"
        ),
        pytest.param(make_engine("name=apparmor", api="1.45"), id="none"),
    ],
)
def test_an_engine_without_a_filter_is_named(engine: EngineInfo) -> None:
    (weakness,) = weaknesses(engine)

    assert "filters no system calls" in weakness.found
    assert options_of(engine).security == ()


def test_an_engine_that_limits_no_processors_is_named() -> None:
    engine = make_engine("name=seccomp,profile=default", quota=False)

    assert options_of(engine).cpus is None
    (weakness,) = weaknesses(engine)
    assert "cannot limit processors" in weakness.found
