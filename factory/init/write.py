"""A draft as the text of a recipe: fields in the order of the reference, and below them what was left out."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from factory.form.document import is_plain_text
from factory.form.records import walk
from factory.init.model import Draft, Entry, Left, Value
from factory.recipe.sections.whole import TOP
from factory.terminal import clean, plain

SCHEMA_FILE = "recipe.schema.json"
"""Where editors look for the recipe's schema, beside the recipe; `factory schema` prints it."""

_WIDTH = 100
_MOST_SHOWN = 300
_MOST_LEFT = 200
_ORDER = {name: place for place, (name, _) in enumerate(walk(TOP))}
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+<>=~^*-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The text, and for each of its lines the field on it; comments have none."""

    text: str
    fields: tuple[Entry | None, ...]

    def at(self, line: int) -> Entry | None:
        """Return the field on a line, counted from 1."""
        return self.fields[line - 1] if 0 < line <= len(self.fields) else None


def write(draft: Draft) -> Written:
    """Write a draft as text."""
    lines: list[tuple[str, Entry | None]] = [
        (f"# yaml-language-server: $schema={SCHEMA_FILE}", None),
        (f"# {comment(draft.title)}: filled in from what could be read; nothing was run.", None),
    ]
    lines += _level(sorted(draft.entries, key=_rank), 0)
    lines += [(text, None) for text in _left(draft.left)]
    return Written(text="".join(f"{text}\n" for text, _ in lines), fields=tuple(entry for _, entry in lines))


def comment(text: str) -> str:
    """Return a text as a comment of one line: without breaks and invisible characters, and not too long."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    shown = plain(" ".join(shown.split()))
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


def _rank(entry: Entry) -> tuple[int, ...]:
    """Place a field as the reference lists it; names below a field that takes any names keep their order."""
    names = (".".join(entry.field[:depth]) for depth in range(1, len(entry.field) + 1))
    return tuple(_ORDER[name] for name in names if name in _ORDER)


def _level(fields: Sequence[Entry], depth: int) -> Iterator[tuple[str, Entry | None]]:
    """Write the fields that share all keys above a depth, those of one section together."""
    margin, previous = "  " * depth, ""
    for key in dict.fromkeys(entry.field[depth] for entry in fields):
        same = [entry for entry in fields if entry.field[depth] == key]
        if len(same[0].field) > depth + 1:
            yield f"{margin}{_word(key)}:", None
            yield from _level(same, depth + 1)
        else:
            (entry,) = same
            why = "" if entry.why == previous else entry.why
            previous = entry.why
            yield from ((f"{margin}{text}", None) for text in _cautioned(entry.caution))
            yield from ((f"{margin}{text}", entry) for text in _field(key, entry.value, why))


def _cautioned(caution: str) -> Iterator[str]:
    yield from textwrap.wrap(comment(caution), _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _field(key: str, value: Value, why: str) -> Iterator[str]:
    head, remark = f"{_word(key)}:", f"  # {comment(why)}" if why else ""
    if isinstance(value, tuple):
        yield from _list(head, [_flow(item) for item in value], remark)
    else:
        yield f"{head} {_flow(value)}{remark}"


def _list(head: str, items: Sequence[str], remark: str) -> Iterator[str]:
    """Write a list on one line where that stays readable."""
    short = f"{head} [{', '.join(items)}]"
    if (len(short) <= _WIDTH and all(_PLAIN.fullmatch(item) for item in items)) or len(items) == 1:
        yield f"{short}{remark}"
    else:
        yield f"{head}{remark}"
        yield from (f"  - {item}" for item in items)


def _flow(value: Value) -> str:
    """Write a value so that it may be between brackets."""
    match value:
        case str() as text:
            return _word(text)
        case bool() as flag:
            return str(flag).lower()
        case int() as number:
            return str(number)
        case Mapping() as mapping:
            return f"{{{', '.join(f'{_word(name)}: {_flow(inner)}' for name, inner in mapping.items())}}}"
        case items:
            return f"[{', '.join(_flow(item) for item in items)}]"


def _word(text: str) -> str:
    """Write a text plain where every reader of YAML reads it as text, else quoted, invisible characters escaped."""
    if _PLAIN.fullmatch(text) and is_plain_text(text):
        return text
    if text.isprintable() and plain(text) == text:
        return f"'{text.replace(chr(39), chr(39) * 2)}'"
    return "".join(map(_escaped, json.dumps(text, ensure_ascii=False))).replace("##", r"#\x23")


def _escaped(character: str) -> str:
    return character if clean(character) == character else f"\\U{ord(character):08x}"


def _left(left: Sequence[Left]) -> Iterator[str]:
    if not left:
        return
    yield ""
    yield "# Not in this recipe, each with its reason:"
    for item in left[:_MOST_LEFT]:
        text = f"{comment(item.what)}: {comment(item.why)}"
        yield from textwrap.wrap(
            text,
            _WIDTH,
            initial_indent="# * ",
            subsequent_indent="#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    if len(left) > _MOST_LEFT:
        yield f"# * and {len(left) - _MOST_LEFT} more"
