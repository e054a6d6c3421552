"""Runs the scripts that make an image on this machine, with the host's mirror, proxies and certificates."""

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from factory import process
from factory.diagnoses.scripts import explain_script
from factory.errors import ImageError
from factory.host import Host
from factory.images.mirror import apt_mirror, is_snapshot, mirror_fault
from factory.web.session import redact

_TIMEOUT_S: Final = 3600
_NOTE: Final = "note: "

Progress = Callable[[str], None]


def run_script(
    text: str, *, failing: str, suite: str, host: Host, work: Path, env: Mapping[str, str], progress: Progress
) -> None:
    """Run a script by `sh` in a folder; `env` comes on top of what every script is told.

    What it notes on the way, such as another version than the listed one, is told to `progress`.

    Raises:
        ImageError: the bootstrapper is not installed, or the script failed: the message begins with `failing`, and says
            what is wrong with the mirror's `suite`, where something is, else what the script calls a fault, else the
            last that it printed.
    """
    _require_bootstrapper(host)
    path = work / "script.sh"
    path.write_text(text, encoding="utf-8")
    ended = process.run(["sh", path], env={**script_env(host), **env}, cwd=work, timeout_s=_TIMEOUT_S)
    if ended.returncode != 0:
        if fault := mirror_fault(host, suite):
            raise ImageError(
                f"{failing}: {fault}", hint="wait for the mirror, or choose another with FACTORY_APT_MIRROR"
            )
        printed = redact(ended.stderr + ended.stdout.decode(errors="replace"), host.secrets)
        raise ImageError(
            f"{failing}:\n{explain_script(printed)}",
            hint="a mirror is chosen with FACTORY_APT_MIRROR; `factory doctor` names what is missing",
        )
    for line in ended.stderr.splitlines():
        if line.startswith(_NOTE):
            progress(line.removeprefix(_NOTE))


def _require_bootstrapper(host: Host) -> None:
    if shutil.which("mmdebstrap", path=_path(host)) is None:
        raise ImageError("mmdebstrap is not installed", hint="apt-get install mmdebstrap")


def script_env(host: Host) -> Mapping[str, str]:
    """Return what every script is told: this machine's network, its mirror, and whether the mirror's indexes expire."""
    mirror = apt_mirror(host)
    expires = "false" if is_snapshot(mirror) else "true"
    return {
        **host.tool_env,
        "PATH": _path(host),
        "MIRROR": mirror or "",
        "FRESHNESS": f'Acquire::Check-Valid-Until "{expires}"',
        "PYTHON": sys.executable,
    }


def _path(host: Host) -> str:
    return f"{host.path}:/usr/sbin:/sbin"
