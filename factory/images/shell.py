"""Runs the scripts that make an image on this machine."""

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
from factory.redaction import redact

INSTALL: Final = "apt-get install mmdebstrap (as root, on Debian or Ubuntu)"
ELSEWHERE: Final = (
    "elsewhere let the engine reach a registry, load images that were saved on another machine, or make them in a "
    "container of Debian: docs/how-to/without-mmdebstrap.md"
)
"""The ways to images on a machine without mmdebstrap, for a hint."""

DOWNLOADS: Final = "downloads"
"""The store's folder of the packages that the images of a run share."""

_TIMEOUT_S: Final = 3600
_NOTE: Final = "note: "

Progress = Callable[[str], None]


def run_script(
    text: str,
    *,
    failing: str,
    suite: str,
    host: Host,
    work: Path,
    downloads: Path,
    env: Mapping[str, str],
    progress: Progress,
) -> None:
    """Run a script by `sh` in a folder; `env` is added to the variables of every script.

    Packages that it downloads are added to the folder `downloads`, and those that lie there are not downloaded again.

    Its notes, such as that a version differs from the listed one, go to `progress`.

    Raises:
        ImageError: the bootstrapper is not installed, or the script failed. The message begins with `failing`, and
            gives what is wrong with the mirror's `suite`, else what the script calls a fault, else the last lines that
            it printed.
    """
    if not has_bootstrapper(host):
        raise ImageError(
            f"{failing}: mmdebstrap, which unpacks Debian's packages, is not installed",
            hint=f"{INSTALL}; {ELSEWHERE}",
        )
    path = work / "script.sh"
    path.write_text(text, encoding="utf-8")
    env = {**script_env(host), "DOWNLOADS": str(downloads), **env}
    ended = process.run(["sh", path], env=env, cwd=work, timeout_s=_TIMEOUT_S)
    if ended.returncode != 0:
        if fault := mirror_fault(host, suite):
            raise ImageError(
                f"{failing}: {fault}", hint="wait for the mirror, or choose another with FACTORY_APT_MIRROR"
            )
        printed = redact(ended.stderr + ended.stdout.decode(errors="replace"), host.secrets)
        raise ImageError(
            f"{failing}:\n{explain_script(printed)}",
            hint="choose a mirror with FACTORY_APT_MIRROR; `factory doctor` names what is missing",
        )
    for line in ended.stderr.splitlines():
        if line.startswith(_NOTE):
            progress(line.removeprefix(_NOTE))


def has_bootstrapper(host: Host) -> bool:
    """Whether this machine can unpack a suite's packages, as every script does that makes an image."""
    return shutil.which("mmdebstrap", path=_path(host)) is not None


def script_env(host: Host) -> Mapping[str, str]:
    """Return the variables of every script: this machine's network, its mirror, whether the mirror's indexes expire."""
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
    return f"{host.path}:/usr/sbin:/sbin"  # where Debian has what mmdebstrap calls, but no user's PATH leads
