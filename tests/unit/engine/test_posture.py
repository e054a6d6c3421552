"""What a container is created with says everything that confines it."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import cast

from factory.engine.api import ContainerSpec, Mount
from factory.engine.posture import confined, label_of, labels


def make_spec(**facts: object) -> ContainerSpec:
    values: dict[str, object] = {"image": "sha256:0", "label": "cell", "env": {}} | facts
    return ContainerSpec(**values)  # type: ignore[arg-type] # the tests' own keywords


def host_config(spec: ContainerSpec) -> Mapping[str, object]:
    return cast("Mapping[str, object]", confined(spec, workspace="w", marks={})["HostConfig"])


def test_nothing_of_the_host_is_mounted_and_no_shared_volume_can_be_written() -> None:
    spec = make_spec(mounts=(Mount(volume="cache", path=PurePosixPath("/c")),))

    mounts = cast("list[Mapping[str, object]]", host_config(spec)["Mounts"])

    assert [(mount["Type"], mount["Source"], mount["Target"], mount["ReadOnly"]) for mount in mounts] == [
        ("volume", "w", "/work", False),
        ("volume", "cache", "/c", True),
    ]
    assert not host_config(spec).keys() & {"Binds", "VolumesFrom", "Devices", "Privileged", "CapAdd"}


def test_swap_adds_nothing_to_the_memory_limit() -> None:
    found = host_config(make_spec(memory_bytes=12345))

    assert found["Memory"] == found["MemorySwap"] == 12345


def test_the_specs_environment_wins_over_the_home_given() -> None:
    spec = make_spec(env={"HOME": "/work/home", "A": "b=c"})

    assert confined(spec, workspace="w", marks={})["Env"] == ["HOME=/work/home", "A=b=c"]


def test_a_label_is_read_back_and_absent_ones_are_empty() -> None:
    assert label_of(labels(run="r1"), "run") == "r1"
    assert label_of({}, "run") == label_of(None, "run") == ""
