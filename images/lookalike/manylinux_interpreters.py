#!/opt/_internal/tools/bin/python
"""List the interpreters below /opt/python, or make sure that some are there; no more can be added."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

INSTALLED = Path("/opt/python")
ASK = """
import json, sys
def text(version):
    return ".".join(map(str, version[:3]))
print(json.dumps([text(sys.version_info), sys.implementation.name, text(sys.implementation.version)]))
"""


def described(tag: str) -> dict[str, object]:
    """Ask an interpreter what it is."""
    place = INSTALLED / tag
    answer = subprocess.check_output([place / "bin/python", "-I", "-c", ASK])
    version, implementation, implementation_version = json.loads(answer)
    return {
        "identifier": tag,
        "installed": True,
        "python_version": version,
        "implementation": implementation,
        "implementation_version": implementation_version,
        "install_path": str(place),
    }


def main() -> int:
    """Answer as the command of the same name in the pypa images does."""
    parser = argparse.ArgumentParser(prog="manylinux-interpreters")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list")
    listing.add_argument("-i", "--installed", action="store_true")
    listing.add_argument("-v", "--verbose", action="store_true")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    commands.add_parser("ensure").add_argument("tags", nargs="+")
    commands.add_parser("ensure-all")
    given = parser.parse_args()
    tags = sorted((path.name for path in INSTALLED.iterdir()), key=lambda tag: (len(tag), tag))
    if given.command == "list":
        found = [described(tag) for tag in tags]
        sys.stdout.write((json.dumps(found, indent=2) if given.format == "json" else "\n".join(tags)) + "\n")
        return 0
    missing = sorted(set(getattr(given, "tags", ())) - set(tags))
    if missing:
        sys.stderr.write(f"{', '.join(missing)}: not in this image; it has {', '.join(tags)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
