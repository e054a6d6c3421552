"""Make the folders that the pypa contract names: one environment per interpreter, one for the tools, all in OVERLAY.

    outfit.py OVERLAY --environment cp313-cp313=trixie:python3.13 … --seeds FOLDER --tools trixie:python3.13=FOLDER

An environment is a `venv` written by hand, because its interpreter cannot run before the image exists. FOLDER holds
wheels unpacked by `uv pip install --target`, one subfolder per environment for the seeds.
"""

import argparse
import configparser
import shutil
from pathlib import Path

INTERNAL = "/opt/_internal"
SCRIPT = """#!{python}
import sys

from {module} import {attribute}

if __name__ == "__main__":
    sys.argv[0] = sys.argv[0].removesuffix(".exe")
    sys.exit({call}())
"""


def make_environment(overlay: Path, name: str, suite: str, program: str) -> Path:
    """Write a venv at /opt/_internal/NAME; return it. The program's name is that of its folders, too: python3.13t."""
    place = overlay / INTERNAL.lstrip("/") / name
    (place / "bin").mkdir(parents=True)
    (place / "lib" / program / "site-packages").mkdir(parents=True)
    home = f"{INTERNAL}/{suite}/bin"
    version = program.removeprefix("python").rstrip("t")
    (place / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\nversion = {version}\n")
    (place / "include").mkdir()
    (place / "include" / program).symlink_to(f"{INTERNAL}/{suite}/include/{program}")
    (place / "bin" / "python").symlink_to(f"{home}/{program}")
    for alias in ("python3", program):
        (place / "bin" / alias).symlink_to("python")
    return place


def entry_points(site: Path) -> dict[str, str]:
    """Collect the console scripts that the distributions of a folder declare."""
    scripts: dict[str, str] = {}
    for path in sorted(site.glob("*.dist-info/entry_points.txt")):
        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        parser.optionxform = str  # type: ignore[method-assign,assignment]  # names of scripts have case
        parser.read(path)
        if parser.has_section("console_scripts"):
            scripts |= dict(parser.items("console_scripts"))
    return scripts


def install(wheels: Path, environment: Path, python: str) -> list[str]:
    """Move unpacked wheels into an environment, with their scripts; return the scripts' names."""
    site = next((environment / "lib").iterdir()) / "site-packages"
    shutil.copytree(wheels, site, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns("bin", ".lock"))
    names = []
    for name, target in entry_points(site).items():
        module, _, attribute = target.partition("[")[0].strip().partition(":")
        script = environment / "bin" / name
        first = attribute.partition(".")[0]
        script.write_text(SCRIPT.format(python=python, module=module, attribute=first, call=attribute))
        script.chmod(0o755)
        names.append(name)
    return names + [copy_program(program, environment) for program in binaries(wheels)]


def binaries(wheels: Path) -> list[Path]:
    """List the ELF programs among the unpacked scripts."""
    return [path for path in sorted((wheels / "bin").glob("*")) if path.read_bytes()[:4] == b"\x7fELF"]


def copy_program(program: Path, environment: Path) -> str:
    """Copy a program into an environment; return its name."""
    shutil.copy2(program, environment / "bin" / program.name)
    return program.name


def main() -> None:
    """Write every environment and link it from where the contract says it is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("overlay", type=Path)
    parser.add_argument("--environment", action="append", required=True)
    parser.add_argument("--seeds", type=Path, required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--tool", nargs="+", required=True)
    parser.add_argument("--link", nargs="*", default=[])
    given = parser.parse_args()
    overlay: Path = given.overlay
    python_folder = overlay / "opt/python"
    python_folder.mkdir(parents=True)
    for item in given.environment:
        name, _, origin = item.partition("=")
        suite, _, program = origin.partition(":")
        environment = make_environment(overlay, name, suite, program)
        install(given.seeds / name, environment, f"/opt/python/{name}/bin/python")
        (python_folder / name).symlink_to(f"../_internal/{name}")
    origin, _, folder = given.tools.partition("=")
    suite, _, program = origin.partition(":")
    tools = make_environment(overlay, "tools", suite, program)
    install(Path(folder), tools, f"{INTERNAL}/tools/bin/python")
    programs = overlay / "usr/local/bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in given.tool:
        (programs / name).symlink_to(f"{INTERNAL}/tools/bin/{name}")
    for link in given.link:
        (programs / Path(link).name).symlink_to(link)


if __name__ == "__main__":
    main()
