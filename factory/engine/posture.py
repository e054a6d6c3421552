"""The options that a container is created with, as the engine's API spells them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import cast

from factory.engine.api import WORKSPACE, ContainerSpec

UID = 1000
USER = f"{UID}:{UID}"
ROOT = "0:0"
HOME = WORKSPACE / "home"
USER_NAME = "builder"
NO_IPV6 = "net.ipv6.conf.all.disable_ipv6"

_TEMPORARY = "/tmp"  # noqa: S108 -- the container's own tmpfs, not this machine's
VARIABLES: Mapping[str, str] = MappingProxyType(
    {"HOME": str(HOME), "USER": USER_NAME, "LOGNAME": USER_NAME, "TMPDIR": _TEMPORARY}
)
"""What every command of a container has in its environment, unless it is given another value."""

_LOGS_BYTES = 64 << 20
_MONITOR_BYTES = 64 << 20
_MONITOR_PIDS = 32
_LIMITS = {"core": 0, "nofile": 16384, "nproc": 32768}  # nproc counts the user's in all containers
_FOR_PACKAGES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID")  # owners, modes, su
_FIREWALL_BYTES = 128 << 20
_FIREWALL_PIDS = 32
_EMPTY = "ro,noexec,nosuid,nodev,size=4k"  # no mode: runc before 1.2 gives it that of the folder it covers
_HOSTNAME = "factory"
_LABEL_PREFIX = "wheel-factory."

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOptions:
    """The options of every container of one engine: how many processors it may use, and its security options.

    `cpus` is None where the engine's kernel cannot limit them; `ipv6` is the setting by which it switches the loopback
    address of IPv6 off, None where it has no IPv6.
    """

    cpus: int | None
    security: tuple[str, ...] = ()
    ipv6: str | None = NO_IPV6


def labels(**facts: str) -> dict[str, str]:
    """Spell facts (owner, run, kind, label) as labels of ours."""
    return {_LABEL_PREFIX + name: value for name, value in facts.items()}


def label_filter(**facts: str) -> dict[str, list[str]]:
    """Spell facts as a filter of the engine's list calls."""
    return {"label": [f"{name}={value}" for name, value in labels(**facts).items()]}


def label_of(labelled: Mapping[str, str] | None, name: str) -> str:
    """Read one of our facts from labels; empty when it is absent."""
    return (labelled or {}).get(_LABEL_PREFIX + name, "")


def user_of(spec: ContainerSpec) -> str:
    """Return the user that a container's commands run as."""
    return ROOT if spec.prepares else USER


def confined(
    spec: ContainerSpec, *, workspace: str, marks: Mapping[str, str], options: ContainerOptions, network: str = "none"
) -> Json:
    """Describe a confined container whose main process does nothing but wait for commands.

    `network` is `none`, or `container:` with the name of its firewall.

    No logs are kept: a command can write to the main process's output and fill the engine's disk. No core dumps either:
    a crash would pass its memory to the program that the host's core pattern names. The other limits are set because
    the defaults of engines differ, and Podman's may exceed what its own service has. The host name is always
    the same, because builds record it. An image's own health check does not run.

    Without a network there is loopback, as on every machine: the own host name leads there, and ::1 is one of its
    addresses, which engines switch off. /dev/shm holds half of the memory, as Linux has it by default (tmpfs(5)).
    """
    is_alone = network == "none"  # else the firewall has the name and the addresses
    variables = {**VARIABLES, **spec.env}
    return {
        "Image": spec.image,
        "Entrypoint": ["sleep"],
        "Cmd": ["2147483647"],  # seconds, because not every image's sleep knows `infinity`
        "User": USER,
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "WorkingDir": str(WORKSPACE),
        **({"Hostname": _HOSTNAME} if is_alone else {}),
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": dict(marks),
        "HostConfig": {
            "NetworkMode": network,
            **({"ExtraHosts": [f"{_HOSTNAME}:127.0.0.1"]} if is_alone else {}),
            **({"Sysctls": {options.ipv6: "0"}} if is_alone and options.ipv6 else {}),
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", *options.security],
            "CgroupnsMode": "private",
            **({} if options.cpus is None else {"NanoCpus": options.cpus * 10**9}),
            "ReadonlyRootfs": True,
            "Tmpfs": {
                _TEMPORARY: f"rw,exec,nosuid,nodev,mode=1777,size={spec.tmpfs_bytes}",
                **{str(folder): _EMPTY for folder in spec.hidden},
            },
            "ShmSize": spec.memory_bytes // 2,
            "PidsLimit": spec.pids,
            "Memory": spec.memory_bytes,
            "MemorySwap": spec.memory_bytes,  # memory and swap together, so there is no swap
            "Ulimits": [{"Name": name, "Soft": most, "Hard": most} for name, most in _LIMITS.items()],
            "Init": True,  # reaps the processes that commands leave behind
            "LogConfig": {"Type": "none"},
            "Mounts": [
                _mount(workspace, WORKSPACE, read_only=not spec.workspace_bytes),
                *(_mount(shared.volume, shared.path, read_only=True) for shared in spec.mounts),
            ],
        },
    }


def preparing(
    spec: ContainerSpec, *, workspace: str, marks: Mapping[str, str], options: ContainerOptions, network: str = "none"
) -> Json:
    """Describe a container whose root filesystem becomes an image: run as root, and confined in every other respect.

    It has no environment of its own, which would become the image's. Logs, which may name addresses, are in memory.
    """
    body = confined(spec, workspace=workspace, marks=marks, options=options, network=network)
    host = cast("Json", body["HostConfig"])
    temporary = {**cast("Json", host["Tmpfs"]), "/var/log": f"rw,noexec,nosuid,nodev,size={_LOGS_BYTES}"}
    changed = {"CapAdd": list(_FOR_PACKAGES), "ReadonlyRootfs": False, "Tmpfs": temporary}
    return {**body, "User": ROOT, "Env": [], "HostConfig": {**host, **changed}}


def firewall(image: str, *, marks: Mapping[str, str], options: ContainerOptions, network: str) -> Json:
    """Describe the container of ours whose network namespace another one shares; it can write nowhere.

    As root it may change that namespace and nothing else. No command of a recipe or a package runs in it.
    """
    spec = ContainerSpec(image=image, label="firewall", env={}, memory_bytes=_FIREWALL_BYTES, pids=_FIREWALL_PIDS)
    body = confined(spec, workspace="", marks=marks, options=options, network=network)
    host = {**cast("Json", body["HostConfig"]), "CapAdd": ["NET_ADMIN"], "Mounts": []}
    return {**body, "User": ROOT, "WorkingDir": "/", "Hostname": _HOSTNAME, "HostConfig": host}


def monitor(spec: ContainerSpec, *, workspace: str, marks: Mapping[str, str], options: ContainerOptions) -> Json:
    """Describe a container that measures the workspace of another one, of `spec`.

    Its user is not the package's, and its only capability lets it read folders that the package has closed.
    """
    measuring = ContainerSpec(
        image=spec.monitor or spec.image,
        label=spec.label,
        env={},
        memory_bytes=_MONITOR_BYTES,
        pids=_MONITOR_PIDS,
        tmpfs_bytes=1 << 20,
        workspace_bytes=0,
    )
    body = confined(measuring, workspace=workspace, marks=marks, options=replace(options, ipv6=None))
    return {**body, "User": ROOT, "HostConfig": {**cast("Json", body["HostConfig"]), "CapAdd": ["DAC_READ_SEARCH"]}}


def _mount(volume: str, path: PurePosixPath, *, read_only: bool = False) -> Json:
    return {
        "Type": "volume",
        "Source": volume,
        "Target": str(path),
        "ReadOnly": read_only,
        "VolumeOptions": {"NoCopy": True},  # or the engine copies what the image has at the path into a new volume
    }


def volume_container(image: str, *, volume: str, at: str, marks: Mapping[str, str]) -> Json:
    """Describe a container that is never started, by which the engine reaches a volume."""
    return {
        "Image": image,
        "Cmd": ["never"],
        "Labels": dict(marks),
        "HostConfig": {
            "NetworkMode": "none",
            "LogConfig": {"Type": "none"},
            "Mounts": [_mount(volume, PurePosixPath("/", at))],
        },
    }


def committed(base: Json, labels: Mapping[str, str]) -> tuple[Json, list[str]]:
    """Describe the image of a prepared root filesystem: its configuration, and Dockerfile instructions.

    What is left out here is taken from the container: its waiting entrypoint, its user, its workspace. Labels are
    instructions because podman's service reads only those.
    """
    config = {
        "Env": base.get("Env") or [],
        "Cmd": base.get("Cmd") or ["/bin/sh"],
        "Entrypoint": base.get("Entrypoint") or [],
        "User": base.get("User") or ROOT,
        "WorkingDir": base.get("WorkingDir") or "/",
    }
    return config, [f"LABEL {_quoted(name)}={_quoted(value)}" for name, value in sorted(labels.items())]


def _quoted(text: str) -> str:
    if not text.isprintable() or set(text) & set('"\\$'):
        raise ValueError(f"{text!r} cannot be a label's text")
    return f'"{text}"'
