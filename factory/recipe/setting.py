"""`--set KEY=VALUE`: fields given on the command line, grafted into a recipe's tree before it is read."""

from collections.abc import Sequence
from dataclasses import replace

from factory.form.document import Entry, Mapping, Scalar, compose
from factory.form.lines import Source
from factory.form.problems import Problems, quote

_NAME = "--set"
_HINT = "write KEY=VALUE, for example build.timeout=60 or interpreters=[cp313]"


def apply_settings(root: Mapping, settings: Sequence[str], problems: Problems) -> Mapping:
    """Return the tree with each setting in its place; of two for one key, the later wins.

    Places in `--set` count each argument as a line.
    """
    lines = tuple(line for setting in settings for line in setting.split("\n"))
    number = 0
    for setting in settings:
        root = _apply(root, setting, lines, number, problems)
        number += setting.count("\n") + 1
    return root


def _apply(root: Mapping, setting: str, lines: tuple[str, ...], number: int, problems: Problems) -> Mapping:
    key, equals, value = setting.partition("=")
    place = Source(file=_NAME, text=value, lines=lines, first_line=number, first_column=len(key) + 1)
    key_span = replace(place.span(0, -len(key) - 1), length=max(1, len(key)))
    if not equals or not all(key.split(".")):
        problems.add(f"{quote(setting)} is not KEY=VALUE", key_span, hint=_HINT)
        return root
    before = len(problems)
    node = compose(place, problems)
    if node is None:
        if len(problems) > before:
            return root
        node = Scalar(text="", meaning="null", span=key_span)
    return _graft(root, key.split("."), Entry(key=key, key_span=key_span, value=node), problems)


def _graft(tree: Mapping, path: list[str], setting: Entry, problems: Problems) -> Mapping:
    """Return a mapping that has the setting's value at the path."""
    key, rest = path[0], path[1:]
    old = next((entry for entry in tree.entries if entry.key == key), None)
    value = setting.value if not rest else _graft(_below(old, setting, problems), rest, setting, problems)
    span = old.key_span if old and rest else setting.key_span
    new = Entry(key=key, key_span=span, value=value)
    entries = tuple(new if entry is old else entry for entry in tree.entries)
    return replace(tree, entries=entries if old else (*entries, new))


def _below(old: Entry | None, setting: Entry, problems: Problems) -> Mapping:
    """Return the mapping below a key, an empty one where it is absent."""
    if old is None:
        return Mapping(entries=(), span=setting.key_span)
    if isinstance(old.value, Mapping):
        return old.value
    message = f"{quote(setting.key)} leads into {old.key}, which is not a mapping in the recipe"
    problems.add(message, setting.key_span, hint=f"set {old.key} as a whole")
    return Mapping(entries=(), span=setting.key_span)
