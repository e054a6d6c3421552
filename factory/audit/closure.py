"""Which files of the wheel the dynamic loader finds for each needed library (man 8 ld.so)."""

import posixpath
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from factory.wheel import Wheel

_DATA_FOLDERS = ("platlib", "purelib")
_LOADS = 1 << 14  # no real wheel comes near; past it no further chain of RPATHs is followed
_FOLDERS = 64  # no real object has as many; what lies behind them counts as not found
_LOOKUPS = 1 << 22  # the same for names looked up in folders, over all objects
_PATH_BYTES = 4096  # PATH_MAX: the loader opens nothing longer
_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Links:
    """What answers each needed name of each object.

    `inside[path]` maps names to members of the wheel, `outside[path]` are names that no member answers. `strays[path]`
    are names inside that no search path leads to.
    """

    inside: dict[str, dict[str, str]] = field(default_factory=dict)
    outside: dict[str, tuple[str, ...]] = field(default_factory=dict)
    strays: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def users(self) -> Mapping[str, Sequence[str]]:
        """Return which members need each of them."""
        users: dict[str, list[str]] = {path: [] for path in self.inside}
        for user, members in self.inside.items():
            for member in members.values():
                users[member].append(user)
        return users

    def ways_to(self, ends: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Find every other member whose loading loads one of `ends` too, with its next step there and the end."""
        users = self.users()
        ways = {end: (end, end) for end in sorted(ends)}
        queue = deque(ways)
        while queue:
            member = queue.popleft()
            for user in users.get(member, ()):
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
    """Resolve every DT_NEEDED of every object within the wheel, as glibc's dl-load.c does.

    Each object that no other needs is loaded once, its needs breadth-first. A name is found by the object's own
    RUNPATH, or, without one, by its RPATH and those of the objects that led to it. Last, a name counts as found that
    any other object of the wheel finds: it may have been loaded before.
    """
    world = _World(wheel)
    for root in world.roots():
        world.load(root)
    for path in wheel.objects:
        if path not in world.links.inside:
            world.load(path)
    return world.finished()


class _World:
    """The wheel as it lies in site-packages, and what has been found so far."""

    def __init__(self, wheel: Wheel) -> None:
        self.wheel = wheel
        self.links = Links()
        self._places = _places(wheel)
        self._by_name = _by_name(wheel)
        self._own: dict[str, dict[str, str]] = {}
        self._seen: set[tuple[str, tuple[str, ...]]] = set()
        self._lookups = 0

    def roots(self) -> list[str]:
        """Objects that no other one's needs could mean: modules and programs, mostly."""
        meant = {name.rpartition("/")[2] for shared in self.wheel.objects.values() for name in shared.needed}
        return [
            path
            for path, shared in self.wheel.objects.items()
            if posixpath.basename(path) not in meant and shared.soname not in meant
        ]

    def load(self, root: str) -> None:
        """Load one object with all it needs; each comes with those that led to it and pass an RPATH on."""
        queue: deque[tuple[str, tuple[str, ...]]] = deque([(root, ())])
        while queue:
            path, elders = queue.popleft()
            if (path, elders) in self._seen:
                continue
            self._seen.add((path, elders))
            members = self._find(path, elders)
            self.links.inside.setdefault(path, {}).update(members)
            passes_on = len(self._seen) <= _LOADS and path not in elders and self._passes_on(path)
            heirs = (path, *elders)[:_FOLDERS] if passes_on else elders
            queue.extend((member, heirs) for member in members.values())

    def _passes_on(self, path: str) -> bool:
        shared = self.wheel.objects[path]
        return bool(shared.rpath) and not shared.runpath

    def _find(self, path: str, elders: tuple[str, ...]) -> dict[str, str]:
        shared = self.wheel.objects[path]
        members = dict(self._own_finds(path))
        if not shared.runpath:
            for elder in elders:
                members = self._search(elder, shared.needed) | members
        return members

    def _own_finds(self, path: str) -> dict[str, str]:
        if path not in self._own:
            shared = self.wheel.objects[path]
            self._own[path] = self._search(path, shared.needed) | self._direct(path, shared.needed)
        return self._own[path]

    def _search(self, path: str, names: Collection[str]) -> dict[str, str]:
        """Look for names in an object's own folders, the first folder first."""
        shared, members = self.wheel.objects[path], dict[str, str]()
        for entry in (shared.runpath or shared.rpath)[:_FOLDERS]:
            places = self._places_of(path, entry, names)
            for name in names:
                if name in members:
                    continue
                answers = [place[name] for place in places if name in place]
                # Only where every form of the folder has the name is it found on all systems.
                if answers and len(answers) == len(places):
                    members[name] = answers[0]
        return members

    def _places_of(self, path: str, entry: str, names: Collection[str]) -> list[Mapping[str, str]]:
        """Return the folders that an entry leads to: `$LIB` and `$PLATFORM` are not the same on all systems."""
        forms = expansions(entry, self.wheel.objects[path].architecture)
        self._lookups += len(forms) * (len(names) + len(entry) // 16 + 1)
        if self._lookups > _LOOKUPS:
            return []
        folders = [search_folder(path, form) for form in forms]
        return [self._places.get(folder, {}) if folder is not None else {} for folder in folders]

    def _direct(self, path: str, names: Iterable[str]) -> dict[str, str]:
        """Take names with a slash as paths; only `$ORIGIN` keeps one inside the wheel."""
        members = {}
        for name in names:
            folder, slash, base = name.rpartition("/")
            place = search_folder(path, folder) if slash else None
            if place is not None and base in self._places.get(place, {}):
                members[name] = self._places[place][base]
        return members

    def finished(self) -> Links:
        """Decide about names that no object finds itself: another finds them, they are out of reach, or outside."""
        links = self.links
        loaded = {name: member for names in links.inside.values() for name, member in sorted(names.items())}
        for path, shared in self.wheel.objects.items():
            inside, strays = links.inside[path], dict[str, str]()
            missing = [name for name in shared.needed if name not in inside]
            before = {name: loaded[name] for name in missing if name in loaded}
            for name in missing:
                if name not in before and name in self._by_name:
                    strays[name] = self._by_name[name]
            links.inside[path] = inside | before | strays
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


def expansions(entry: str, architecture: str | None) -> tuple[str, ...]:
    """Every form an entry takes: distributions differ in `$LIB`, processors in `$PLATFORM` (man 8 ld.so)."""
    if len(entry) > _PATH_BYTES or entry.count("$") > _TOKENS:
        return (entry,)
    libs = ("lib64", "lib", f"lib/{architecture}-linux-gnu")
    platforms = (architecture or "", "haswell", "xeon_phi")
    forms = [entry]
    for token, values in (("LIB", libs), ("PLATFORM", platforms)):
        for spelling in (f"${{{token}}}", f"${token}"):
            forms = [f.replace(spelling, value) for f in forms for value in (values if spelling in f else ("",))]
    return tuple(dict.fromkeys(forms))


def search_folder(path: str, entry: str) -> str | None:
    """Resolve an entry that is relative to its object, below site-packages; None for all others."""
    if len(entry) > 2 * _PATH_BYTES:
        return None
    for token in ("$ORIGIN", "${ORIGIN}"):
        if entry == token or entry.startswith(token + "/"):
            origin = posixpath.dirname(installed_path(path))
            folder = posixpath.normpath(posixpath.join(origin, entry[len(token) :].lstrip("/")))
            return "" if folder == "." else folder
    return None
