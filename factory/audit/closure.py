"""Which files of the wheel the dynamic loader would find for each needed library (man 8 ld.so)."""

import posixpath
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from factory.elf.model import SharedObject
from factory.wheel import Wheel

_DATA_FOLDERS = ("platlib", "purelib")


@dataclass(frozen=True, slots=True)
class Links:
    """The wheel's objects by the place they are installed to, and what each needs from outside the wheel.

    `inside[path]` maps needed names to the member that answers, `outside[path]` are names that no member answers.
    """

    inside: dict[str, dict[str, str]] = field(default_factory=dict)
    outside: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def ways_to(self, ends: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Find every other member whose loading loads one of `ends` too, with its next step there and the end."""
        users: dict[str, list[str]] = {}
        for user, members in self.inside.items():
            for member in members.values():
                users.setdefault(member, []).append(user)
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
    """Where a member lands below site-packages: the wheel's .data folders for libraries are merged into it."""
    parts = member.split("/", 2)
    if len(parts) == 3 and parts[0].endswith(".data") and parts[1] in _DATA_FOLDERS:  # noqa: PLR2004 -- data/kind/rest
        return parts[2]
    return member


def link(wheel: Wheel) -> Links:
    """Resolve every DT_NEEDED of every object within the wheel.

    A name counts as answered when the object's own search path holds it, or when the wheel has such a file or soname
    elsewhere: something else may have loaded it before. What cannot be found at all is left outside.
    """
    by_place = {installed_path(path): path for path in wheel.objects}
    by_name: dict[str, str] = {}
    for path, shared in wheel.objects.items():
        by_name.setdefault(posixpath.basename(path), path)
        if shared.soname:
            by_name.setdefault(shared.soname, path)
    links = Links()
    for path, shared in wheel.objects.items():
        found = {name: member for name in shared.needed if (member := _find(name, path, shared, by_place, by_name))}
        links.inside[path] = found
        links.outside[path] = tuple(name for name in shared.needed if name not in found)
    return links


def _find(name: str, path: str, shared: SharedObject, by_place: dict[str, str], by_name: dict[str, str]) -> str | None:
    for folder in search_path(path, shared):
        if (member := by_place.get(posixpath.normpath(posixpath.join(folder, name)))) is not None:
            return member
    return by_name.get(posixpath.basename(name))


def search_path(path: str, shared: SharedObject) -> Iterator[str]:
    """Folders of the object's own RUNPATH, else RPATH, that lie relative to it; others are outside the wheel."""
    origin = posixpath.dirname(installed_path(path))
    for entry in shared.runpath or shared.rpath:
        for token in ("$ORIGIN", "${ORIGIN}"):
            if entry == token or entry.startswith(token + "/"):
                yield posixpath.normpath(posixpath.join(origin, entry[len(token) :].lstrip("/")))
