"""What a container is created with says everything that confines it."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import cast

from factory.engine.api import ContainerSpec, Mount
from factory.engine.posture import ContainerOptions, confined, firewall, label_of, labels, monitor

LIMITS = ContainerOptions(cpus=2)


def make_spec(**facts: object) -> ContainerSpec:
    values: dict[str, object] = {"image": "sha256:0", "label": "cell", "env": {}} | facts
    return ContainerSpec(**values)  # type: ignore[arg-type] # the tests' own keywords


def host_config(spec: ContainerSpec, options: ContainerOptions = LIMITS) -> Mapping[str, object]:
    return cast("Mapping[str, object]", confined(spec, workspace="w", marks={}, options=options)["HostConfig"])


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
    spec = make_spec(env={"HOME": "/elsewhere", "A": "b=c"})

    assert confined(spec, workspace="w", marks={}, options=LIMITS)["Env"] == [
        "HOME=/elsewhere",
        "USER=builder",
        "LOGNAME=builder",
        "TMPDIR=/tmp",
        "A=b=c",
    ]


def test_a_label_is_read_back_and_absent_ones_are_empty() -> None:
    assert label_of(labels(run="r1"), "run") == "r1"
    assert label_of({}, "run") == label_of(None, "run") == ""


def test_processors_are_limited_to_the_engines_and_the_control_group_is_private() -> None:
    found = host_config(make_spec(), ContainerOptions(cpus=3, security=("seccomp=builtin",)))

    assert (found["NanoCpus"], found["CgroupnsMode"]) == (3_000_000_000, "private")
    assert found["SecurityOpt"] == ["no-new-privileges", "seccomp=builtin"]


def test_an_engine_that_limits_no_processors_is_not_asked_to() -> None:
    assert "NanoCpus" not in host_config(make_spec(), ContainerOptions(cpus=None))


def test_a_container_with_network_has_its_guards_name_and_network_and_no_capability() -> None:
    spec = make_spec(network=True, firewall="ours")

    body = confined(spec, workspace="w", marks={}, options=LIMITS, network="container:guard")

    assert "Hostname" not in body
    host = cast("Mapping[str, object]", body["HostConfig"])
    assert (host["NetworkMode"], host["CapDrop"], "CapAdd" in host) == ("container:guard", ["ALL"], False)


def test_loopback_is_as_on_every_machine_where_there_is_no_network() -> None:
    found = host_config(make_spec())

    assert found["ExtraHosts"] == ["factory:127.0.0.1"]
    assert found["Sysctls"] == {"net.ipv6.conf.all.disable_ipv6": "0"}


def test_a_kernel_without_ipv6_is_not_asked_for_it() -> None:
    assert "Sysctls" not in host_config(make_spec(), ContainerOptions(cpus=2, ipv6=None))


def test_a_guard_that_has_a_network_leaves_ipv6_off() -> None:
    body = firewall("ours", marks={}, options=LIMITS, network="n")

    assert body["Hostname"] == "factory"
    assert not cast("Mapping[str, object]", body["HostConfig"]).keys() & {"Sysctls", "ExtraHosts"}


def test_shared_memory_holds_half_of_the_memory() -> None:
    assert host_config(make_spec(memory_bytes=6 << 30))["ShmSize"] == 3 << 30


def test_a_guard_may_change_its_network_and_nothing_else() -> None:
    body = firewall("ours", marks={}, options=LIMITS, network="n")

    host = cast("Mapping[str, object]", body["HostConfig"])
    assert (body["User"], host["CapDrop"], host["CapAdd"]) == ("0:0", ["ALL"], ["NET_ADMIN"])
    assert (host["ReadonlyRootfs"], host["Mounts"], host["NetworkMode"]) == (True, [], "n")


def test_a_watcher_has_an_image_of_its_own_and_sees_only_what_the_other_may_write_to() -> None:
    mounts = (Mount(volume="tools", path=PurePosixPath("/tools")),)
    spec = make_spec(image="strange", monitor="ours", mounts=mounts)
    body = monitor(spec, workspace="w", marks={}, options=LIMITS)
    settings = cast("Mapping[str, object]", body["HostConfig"])
    mounted = cast("list[Mapping[str, object]]", settings["Mounts"])

    assert (body["Image"], body["User"]) == ("ours", "0:0")
    assert [(mount["Source"], mount["ReadOnly"]) for mount in mounted] == [("w", True)]
    assert (settings["CapDrop"], settings["CapAdd"]) == (["ALL"], ["DAC_READ_SEARCH"])
    assert (settings["NetworkMode"], settings["ReadonlyRootfs"]) == ("none", True)


def test_a_container_that_may_write_nothing_has_no_writable_volume() -> None:
    spec = make_spec(workspace_bytes=0)

    (workspace,) = cast("list[Mapping[str, object]]", host_config(spec)["Mounts"])

    assert workspace["ReadOnly"]


def test_a_hidden_folder_is_covered_by_one_that_nobody_can_write_to() -> None:
    temporary = cast("Mapping[str, str]", host_config(make_spec(hidden=(PurePosixPath("/opt/python"),)))["Tmpfs"])

    assert temporary.keys() == {"/tmp", "/opt/python"}
    assert {"ro", "noexec"} <= set(temporary["/opt/python"].split(","))
