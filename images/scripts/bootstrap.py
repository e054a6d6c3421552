"""Bootstrap packages of a suite, and take other versions of those that the mirror lists and does not have.

    bootstrap.py SUITE TARGET [--fallback SUITE:OTHER]… [--delay SUITE:DAYS]… -- OPTION…

A testing suite's index and its pool part ways: a listed file answers 404. Its source package's listed version is then
ruled out, the suite's fallbacks join the sources, and the packages are resolved again. OPTIONs are mmdebstrap's. Of the
environment, MIRROR is empty for mmdebstrap's own default, and DOWNLOADS a folder of packages that the bootstraps of a
run share; without it, nothing is shared. What was taken stands in the manifest by version and hash.
The index of a suite with a delay is believed for so many days after its date, although it has expired by then.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from downloads import shared

ROUNDS = 5
PREFERENCES = "withdrawn"
MISSING = re.compile(
    r"^E: Failed to fetch \S+/pool/[^/\s]+/[^/\s]+/(?P<source>[^/\s]+)/"
    r"(?P<package>[^_/\s]+)_(?P<version>[^_\s]+)_\w+\.deb\s+404\s",
    re.MULTILINE,
)
EXPIRED = re.compile(
    r"^E: Release file for \S{1,500}/dists/(?P<suite>[^/\s]{1,100})/\S{1,100} is expired", re.MULTILINE
)
BROKEN = re.compile(r"^E: Failed to fetch \S+/(?P<file>[^/\s]+\.deb)\s+(?P<reason>.+)$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Missing:
    """A file that an index lists and a mirror does not have, and the source package that it was built from."""

    source: str
    package: str
    version: str


def missing_in(said: str) -> frozenset[Missing]:
    """Read which files apt did not find."""
    return frozenset(Missing(**match.groupdict()) for match in MISSING.finditer(said))


def broken_in(said: str) -> list[str]:
    """Name the files that did not arrive whole, and what apt says of each; a hash that differs is said over lines."""
    return [f"{unquote(match['file'])}: {match['reason'].strip()}" for match in BROKEN.finditer(said)]


def expired_in(said: str) -> list[str]:
    """Name the suites whose index has expired."""
    return sorted({match["suite"] for match in EXPIRED.finditer(said)})


def patience(days: str) -> str:
    """Return the option by which apt believes an index for so many days after its date (apt.conf(5))."""
    return f'--aptopt=Acquire::Min-ValidTime "{int(days) * 24 * 3600}"'


def preferences(missing: Iterable[Missing], fallbacks: Iterable[str]) -> str:
    """Rule out the listed versions, and prefer the suite to its fallbacks everywhere else (apt_preferences(5)).

    A file's name lacks the version's epoch, and some of a source's packages require each other in one version.
    """
    ruled_out = sorted({(each.source, each.version) for each in missing})
    pins = [("*", f"release n={suite}", 100) for suite in fallbacks]
    pins += [
        (f"src:{source}", f"version {prefix}{version}", -1) for source, version in ruled_out for prefix in ("", "?*:")
    ]
    return "\n".join(f"Package: {package}\nPin: {pin}\nPin-Priority: {priority}\n" for package, pin, priority in pins)


def hooks(suite: str, fallbacks: Iterable[str]) -> list[str]:
    """Have mmdebstrap use the fallbacks and the preferences, and leave no trace of them."""
    others = "".join(f"\\n\\1 {other} main" for other in fallbacks)
    lists = '"$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*'
    lines = f"s/^\\(deb .*\\) {suite} main$/&{others}/; s/^Suites: .*/& {' '.join(fallbacks)}/"
    return [
        f'--setup-hook=for list in {lists}; do [ ! -f "$list" ] || sed --in-place \'{lines}\' "$list"; done',
        f"--setup-hook=copy-in {PREFERENCES} /etc/apt/preferences.d",
        f'--customize-hook=rm "$1/etc/apt/preferences.d/{PREFERENCES}"',
    ]


def bootstrap(suite: str, target: str, options: list[str], wanted: str) -> tuple[int, str]:
    """Run mmdebstrap in a folder of its own, with these preferences; return its code and what it said."""
    mirror = [os.environ["MIRROR"]] if os.environ.get("MIRROR") else []
    downloads = Path(os.environ["DOWNLOADS"]) if os.environ.get("DOWNLOADS") else None
    with tempfile.TemporaryDirectory(prefix="apart-", dir=".") as folder:
        Path(folder, PREFERENCES).write_text(wanted)
        command = [sys.executable, Path(__file__).with_name("unprivileged.py"), folder, "mmdebstrap"]
        with shared(Path(folder), downloads, suite, included(options)) as sharing:
            ended = subprocess.run(
                [*command, *options, *sharing, suite, target, *mirror], stderr=subprocess.PIPE, text=True, check=False
            )
        if ended.returncode == 0:
            Path(folder, target).rename(target)
    return ended.returncode, ended.stderr


def included(options: Iterable[str]) -> list[str]:
    """Return the packages that mmdebstrap's options name."""
    lists = (option.removeprefix("--include=") for option in options if option.startswith("--include="))
    return [package for names in lists for package in names.split(",")]


def sentence(suite: str, missing: Iterable[Missing]) -> str:
    """Name every file that is missing."""
    names = ", ".join(f"{each.package} {each.version}" for each in sorted(missing))
    return f"{suite} lists {names}, and the mirror has no such file"


def main() -> int:
    """Bootstrap until nothing more is missing, or nothing can take its place."""
    parser = argparse.ArgumentParser()
    parser.add_argument("suite")
    parser.add_argument("target")
    parser.add_argument("--fallback", action="append", default=[])
    parser.add_argument("--delay", action="append", default=[])
    end = sys.argv.index("--")
    given, options = parser.parse_args(sys.argv[1:end]), sys.argv[end + 1 :]
    pairs = (pair.split(":") for pair in given.fallback)
    fallbacks = [other for suite, other in pairs if suite == given.suite]
    delays = (pair.split(":") for pair in given.delay)
    options += [patience(days) for suite, days in delays if suite == given.suite]
    missing: frozenset[Missing] = frozenset()
    wanted, more = "", list[str]()
    for _ in range(ROUNDS):
        code, said = bootstrap(given.suite, given.target, [*options, *more], wanted)
        found = missing_in(said) - missing
        if code == 0 or not found or not fallbacks:
            break
        missing |= found
        wanted, more = preferences(missing, fallbacks), hooks(given.suite, fallbacks)
    sys.stderr.write(said)
    if missing and code == 0:
        sys.stderr.write(f"note: {sentence(given.suite, missing)}: taken from {' or '.join(fallbacks)}\n")
    elif gone := missing | found:
        tried = f"; nor was another version of it to be had from {' or '.join(fallbacks)}" if fallbacks else ""
        sys.stderr.write(f"fault: {sentence(given.suite, gone)}{tried}\n")
    elif code != 0:
        sys.stderr.writelines(f"fault: apt did not get {each}\n" for each in broken_in(said))
        sys.stderr.writelines(f"fault: the mirror's index of {each} has expired\n" for each in expired_in(said))
    return code


if __name__ == "__main__":
    sys.exit(main())
