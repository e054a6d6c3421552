"""An engine's answers as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

from factory.engine.api import EngineInfo, HeldImage
from factory.engine.posture import ContainerOptions, Json

_REPRODUCIBLE: Final = 1980  # the last of the years that such makers write
_UNCONFINED: Final = "unconfined"
_BUILTIN_SINCE: Final = (1, 42)
"""The API of Docker 23: since then `seccomp=builtin` names the engine's own profile, whatever the default is."""


def described(version: Json, info: Json) -> EngineInfo:
    """Read `GET /version` and `GET /info`."""
    components = cast("list[Mapping[str, str]]", version.get("Components") or [{"Name": "Engine"}])
    name = components[0]["Name"]
    return EngineInfo(
        name="Docker" if name == "Engine" else name,
        version=str(version["Version"]),
        api=str(version["ApiVersion"]),
        driver=str(info["Driver"]),
        architecture=str(info["Architecture"]),
        cpus=cast("int", info["NCPU"]),
        memory_bytes=cast("int", info["MemTotal"]),
        seccomp=_seccomp(cast("list[str]", info.get("SecurityOptions") or [])),
        limits_cpus=bool(info.get("CpuCfsQuota")),
    )


def held_image(answer: Json) -> HeldImage:
    """Read `GET /images/{name}/json`."""
    config = cast("Mapping[str, object]", answer["Config"] or {})
    pairs = (text.partition("=") for text in cast("list[str]", config.get("Env") or []))
    return HeldImage(
        id=str(answer["Id"]),
        architecture=str(answer["Architecture"]),
        size_bytes=cast("int", answer["Size"]),
        labels=cast("Mapping[str, str]", config.get("Labels") or {}),
        env={name: value for name, _, value in pairs},
        created=_date(str(answer.get("Created") or "")),
    )


def _date(text: str) -> date | None:
    """Read the day of a time; makers of reproducible images write one before there were images."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day if day.year > _REPRODUCIBLE else None


def _seccomp(options: list[str]) -> str | None:
    """Return the profile of system calls that containers get: `name=seccomp,profile=default` says `default`."""
    facts = (dict(part.partition("=")[::2] for part in option.split(",")) for option in options)
    return next((fact.get("profile", "default") for fact in facts if fact.get("name") == "seccomp"), None)


def options_of(engine: EngineInfo) -> ContainerOptions:
    """Return the options for every container of this engine."""
    return ContainerOptions(
        cpus=engine.cpus if engine.limits_cpus else None,
        security=("seccomp=builtin",) if engine.seccomp == _UNCONFINED and _knows_builtin(engine) else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """One means of confining containers that an engine lacks, with its consequence and its remedy."""

    found: str
    mend: str


def weaknesses(engine: EngineInfo) -> tuple[Weakness, ...]:
    """List what an engine lacks."""
    lacks = []
    if engine.seccomp is None or (engine.seccomp == _UNCONFINED and not _knows_builtin(engine)):
        profile, mend = (
            ("no seccomp", "use a kernel and an engine with seccomp")
            if engine.seccomp is None
            else (f"the seccomp profile {_UNCONFINED}", "remove `seccomp-profile` from the daemon's configuration")
        )
        weakness = f"the container engine filters no system calls (it reports {profile}): a build may make any of them"
        lacks.append(Weakness(found=weakness, mend=mend))
    if not engine.limits_cpus:
        weakness = (
            "the container engine cannot limit processors (`docker info` reports no CpuCfsQuota): "
            "a build may use all of them"
        )
        lacks.append(Weakness(found=weakness, mend="delegate the control group's cpu controller to it"))
    return tuple(lacks)


def _knows_builtin(engine: EngineInfo) -> bool:
    return engine.name == "Docker" and tuple(int(part) for part in engine.api.split(".")) >= _BUILTIN_SINCE
