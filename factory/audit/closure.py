"""Which files of the wheel the dynamic loader finds for each needed library (man 8 ld.so)."""

import posixpath
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from factory.elf.model import SharedObject
from factory.wheel import Wheel

_DATA_FOLDERS = ("platlib", "purelib")
_FOLDERS = 64  # no real object has as many; what lies behind them counts as not found


@dataclass(frozen=True, slots=True)
class Links:
    """What answers each needed name of each object.

    `inside[path]` maps names to members of the wheel, `outside[path]` are names that no member answers. `strays[path]`
    are names inside that no search path leads to.
    """

    inside: dict[str, dict[str, str]] = field(default_factory=dict)
    outside: dict[str, tuple[str, ...]] = field(default_factory=dict)
    strays: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def ways_to(self, ends: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Find every other member whose loading loads one of `ends` too, with its next step there and the end."""
        users: defaultdict[str, list[str]] = defaultdict(list)
        for user, members in self.inside.items():
            for member in members.values():
                users[member].append(user)
        ways = {end: (end, end) for end in sorted(ends)}
        queue = deque(ways)
        while queue:
            member = queue.popleft()
            for user in users[member]:
                if user not in ways:
                    ways[user] = (member, ways[member][1])
                    queue.append(user)
        return {path: way for path, way in ways.items() if path not in way}


def installed_path(member: str) -> str:
    """Return where a member lands below site-packages: the .data folders for libraries are merged into it."""
    parts = member.split("/", 2)
    if len(parts) == 3 and parts[0].endswith(".data") and parts[1] in _DATA_FOLDERS:  # noqa: PLR2004 -- data/kind/rest
        return parts[2]
    return member


def link(wheel: Wheel) -> Links:
    """Resolve every DT_NEEDED of every object within the wheel.

    A name is found by the object's own RUNPATH or RPATH, by an RPATH it can inherit, or because another object finds it
    and may have been loaded before. A RUNPATH is not inherited.
    """
    places = _places(wheel)
    inherited = _search(places, [folder for path, each in wheel.objects.items() for folder in _rpath(path, each)])
    found = {path: _own(path, shared, places, inherited) for path, shared in wheel.objects.items()}
    loaded = {name: member for names in found.values() for name, member in names.items()}
    by_name = _by_name(wheel)
    links = Links()
    for path, shared in wheel.objects.items():
        known = found[path]
        before = {name: loaded[name] for name in shared.needed if name not in known and name in loaded}
        strays = {name: by_name[name] for name in shared.needed if name not in known | before and name in by_name}
        links.inside[path] = known | before | strays
        links.outside[path] = tuple(name for name in shared.needed if name not in links.inside[path])
        links.strays[path] = tuple(strays)
    return links


_Places = Mapping[str, Mapping[str, str]]


def _places(wheel: Wheel) -> _Places:
    """Folder, then file name, to member."""
    places: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path in wheel.objects:
        folder, base = posixpath.split(installed_path(path))
        places[folder].setdefault(base, path)
    return places


def _by_name(wheel: Wheel) -> dict[str, str]:
    names: dict[str, str] = {}
    for path, shared in wheel.objects.items():
        names.setdefault(posixpath.basename(path), path)
        if shared.soname is not None:
            names.setdefault(shared.soname, path)
    return names


def _search(places: _Places, folders: Iterable[str]) -> dict[str, str]:
    """Find files by name in folders, the first folder first."""
    found: dict[str, str] = {}
    for folder in dict.fromkeys(folders):
        for name, member in places.get(folder, {}).items():
            found.setdefault(name, member)
    return found


def _own(path: str, shared: SharedObject, places: _Places, inherited: Mapping[str, str]) -> dict[str, str]:
    names = shared.needed
    found: dict[str, str] = {}
    for folder in _folders(path, shared.runpath or shared.rpath):
        held = places.get(folder, {})
        found |= {name: held[name] for name in names if name in held and name not in found}
    if not shared.runpath:
        found |= {name: inherited[name] for name in names if name in inherited and name not in found}
    return found


def _rpath(path: str, shared: SharedObject) -> Iterator[str]:
    return iter(()) if shared.runpath else _folders(path, shared.rpath)


def _folders(path: str, entries: tuple[str, ...]) -> Iterator[str]:
    """Resolve those entries that are relative to the object; others lead out of the wheel."""
    origin = posixpath.dirname(installed_path(path))
    for entry in islice(entries, _FOLDERS):
        for token in ("$ORIGIN", "${ORIGIN}"):
            if entry == token or entry.startswith(token + "/"):
                folder = posixpath.normpath(posixpath.join(origin, entry[len(token) :].lstrip("/")))
                yield "" if folder == "." else folder
