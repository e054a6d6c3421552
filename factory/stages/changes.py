"""What changed between two key documents of a stage, in words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

from factory.codec import JSON
from factory.excerpt import cut, listed
from factory.keys import canonical
from factory.untrusted import UntrustedTextError, parse_wheel_name

FileNameOf: TypeAlias = Callable[[str], str | None]
"""Returns the name of a file by its digest as documents spell it; None where nothing here names it."""

_ABSENT = "(absent)"
_MOST = 100  # characters of a value
_AROUND = 20  # characters before the first difference of two long words
_WORDS = {
    "source": "the source",
    "image": "the image",
    "tools": "the factory's own tools",
    "gate": "the gate's rules",
    "wheel": "the wheel",
    "emulator": "the emulator",
    "witness": "the program that records imports",
    "indexes": "the package indexes",
    "expectation": "what is expected of the wheel",
    "folder": "what cargo reads: manifests and locks",
    "configuration": "the user's cargo configuration",
    "today": "the day, which is compared with the last day of a waiver",
    "holds": "which files of the source the tests see",
}


def changes(old: Mapping[str, JSON], new: Mapping[str, JSON], file_name: FileNameOf) -> tuple[str, ...]:
    """Say what differs between two documents of the same stage, a clause each; nothing where they are the same."""
    return tuple(_changes(old, new, file_name))


def _changes(old: Mapping[str, JSON], new: Mapping[str, JSON], file_name: FileNameOf) -> Iterator[str]:
    if old.get("version") != new.get("version"):
        risen = f"from version {_text(old.get('version'))} to {_text(new.get('version'))}"
        yield f"the factory's stage {new.get('stage')} changed {risen}"
    if old.get("factory") != new.get("factory"):
        yield "the factory's format of keys changed"
    before_inputs, after_inputs = _table(old.get("inputs")), _table(new.get("inputs"))
    for name in sorted({*before_inputs, *after_inputs}):
        before, after = before_inputs.get(name, _ABSENT), after_inputs.get(name, _ABSENT)
        if canonical(before) == canonical(after):
            continue
        match name:
            case "project":
                pass  # Whether an earlier build left something that this one began with is no reason to build.
            case "commands":
                yield from _commands(_tables(before), _tables(after))
            case "requirements" | "wheels" if _are_digests(before) and _are_digests(after):
                yield from _files(_list(before), _list(after), file_name)
            case "requirements" | "constraints":
                yield from _members(name.removesuffix("s"), _list(before), _list(after))
            case "crates":
                yield from _locks(before, after)
            case _:
                yield from _fields(_WORDS.get(name, name), before, after)


def _fields(words: str, before: JSON, after: JSON) -> Iterator[str]:
    """Compare tables field by field, and other values as they are."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
            if canonical(old) != canonical(new):
                yield from _fields(f"{words}: {name}", old, new)
    else:
        yield f"{words}: {_text(before)} → {_text(after)}"


def _commands(before: Sequence[Mapping[str, JSON]], after: Sequence[Mapping[str, JSON]]) -> Iterator[str]:
    """Compare commands one by one; a variable that changed in several is named once."""
    told = dict[str, None]()
    for number, (old, new) in enumerate(zip_longest(before, after), 1):
        if old is None:
            told[f"a command added: {_line(new)}"] = None
        elif new is None:
            told[f"a command removed: {_line(old)}"] = None
        else:
            told.update(dict.fromkeys(_command(f"command {number}", old, new)))
    yield from told


def _command(words: str, old: Mapping[str, JSON], new: Mapping[str, JSON]) -> Iterator[str]:
    before, after = _list(old.get("argv")), _list(new.get("argv"))
    if before != after:
        differing = [pair for pair in zip_longest(before, after) if pair[0] != pair[1]]
        yield f"{words}: {'; '.join(_pair(left, right) for left, right in differing)}"
    if old.get("cwd") != new.get("cwd"):
        yield f"{words}: its folder {_text(old.get('cwd'))} → {_text(new.get('cwd'))}"
    yield from _fields("variable", _table(old.get("env")), _table(new.get("env")))
    secret, secrets = _table(old.get("passed")), _table(new.get("passed"))
    for name in sorted({*secret, *secrets}):
        if secret.get(name) != secrets.get(name):
            yield f"variable {name}, which the recipe passes: another value"


def _pair(left: str | None, right: str | None) -> str:
    """Write two words of commands; of long ones, such as programs, what is around the first difference."""
    if left is None or right is None or max(len(left), len(right)) <= _MOST:
        return " → ".join(_ABSENT if word is None else _text(word) for word in (left, right))
    same = next((place for place, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(0, same - _AROUND)
    shown = (" ".join(word[begin : begin + _MOST].split()) for word in (left, right))
    return " → ".join(f"…{text}…" for text in shown)


def _files(before: Sequence[str], after: Sequence[str], file_name: FileNameOf) -> Iterator[str]:
    """Compare wheels by project and version, as far as their names are known."""
    old, new = (dict(_release(digest, file_name) for digest in digests) for digests in (before, after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"requirement {name} {old.get(name, _ABSENT)} → {new.get(name, _ABSENT)}"
    if old == new:
        yield "requirements: other files of the same releases"


def _release(digest: str, file_name: FileNameOf) -> tuple[str, str]:
    name = file_name(digest)
    try:
        project, version, *_ = parse_wheel_name(name or "")
    except UntrustedTextError:
        return name or _short(digest), "(version unknown)"
    return project, str(version)


def _members(words: str, before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    if gone := [member for member in before if member not in after]:
        yield f"{words} gone: {listed(gone)}"
    if come := [member for member in after if member not in before]:
        yield f"{words} new: {listed(come)}"


def _locks(before: JSON, after: JSON) -> Iterator[str]:
    old, new = (_lock_digests(value) for value in (before, after))
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            yield f"crates: {path} {_short(old.get(path, _ABSENT))} → {_short(new.get(path, _ABSENT))}"


def _lock_digests(value: JSON) -> Mapping[str, str]:
    locks = _tables(_table(value).get("locks"))
    return {str(lock.get("path")): str(_table(lock.get("file")).get("digest")) for lock in locks}


def _are_digests(value: JSON) -> bool:
    return all(member.startswith("sha256:") for member in _list(value))


def _line(command: Mapping[str, JSON]) -> str:
    return cut(" ".join(_list(command.get("argv"))), _MOST)


def _text(value: JSON) -> str:
    """Write a value on one short line."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else canonical(value).decode(errors="replace")
    return cut(_short(text), _MOST)


def _short(text: str) -> str:
    return text[: len("sha256:") + 12] if text.startswith("sha256:") else text


def _table(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}


def _tables(value: JSON) -> Sequence[Mapping[str, JSON]]:
    return [_table(member) for member in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _list(value: JSON) -> Sequence[str]:
    return [str(member) for member in value] if isinstance(value, Sequence) and not isinstance(value, str) else []
