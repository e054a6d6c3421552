"""Files that are made from the code and kept beside it, so that their diff is read.

`python -m tools.generated` rewrites them all. In Markdown only what stands between the two marks is made.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

import abi3info  # type: ignore[import-untyped]  # it has no types
import click

from factory.audit import RULES
from factory.cli import main as factory
from factory.errors import FactoryError
from factory.events.model import Event
from factory.report.documents import (
    AuditDocument,
    CompareDocument,
    CoverageDocument,
    ImagesDocument,
    PlanDocument,
    RunDocument,
)
from factory.steps import STEP_NAMES
from tools import layers, messages, recipe_table, shown_fields
from tools.json_schema import Node, schema_of, schema_of_line

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
BEGIN = "<!-- From here on made by `python -m tools.generated`. -->\n"
END = "<!-- To here. -->\n"
_SCHEMAS = ROOT / "factory" / "schemas"
_WIDTH = 80


def _schema(kind: type) -> Callable[[str], str]:
    """Take the title from the docstring, its first sentence."""
    return lambda _: _json(schema_of(kind, (kind.__doc__ or "").partition(".")[0]))


def _line_schema(_: str) -> str:
    return _json(schema_of_line(get_args(Event), "One line of a run's events.jsonl"))


def _json(schema: Mapping[str, object]) -> str:
    return json.dumps(schema, indent=2) + "\n"


def _inside(made: Callable[[], str]) -> Callable[[str], str]:
    """Keep a document's own words, and make what stands between its marks."""

    def render(words: str) -> str:
        before, _, rest = words.partition(BEGIN)
        _, _, after = rest.partition(END)
        return f"{before}{BEGIN}\n{made()}\n{END}{after}"

    return render


def commands() -> Sequence[tuple[str, click.Command]]:
    """Return every command by what is typed for it, the program itself first."""
    return tuple(_commands(factory, "factory"))


def _commands(command: click.Command, typed: str) -> Iterator[tuple[str, click.Command]]:
    yield typed, command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _commands(inner, f"{typed} {name}")


def help_of(typed: str, command: click.Command) -> str:
    """Return what --help says on a terminal of 80 columns."""
    context = click.Context(
        command,
        info_name=typed,
        terminal_width=_WIDTH,
        help_option_names=list(factory.context_settings["help_option_names"]),
    )
    return command.get_help(context)


def _command_line() -> str:
    return "\n".join(f"## {typed}\n\n```text\n{help_of(typed, command)}\n```\n" for typed, command in commands())


def _exit_codes() -> str:
    meanings: dict[int, list[str]] = {
        0: ["Everything that was owed passed; for other commands: nothing is wrong."],
        1: [
            "Something failed or was refused: a wheel, an audit, a check of `doctor`, a plan that lacks an image.",
            "Whoever read the output closed it before its end, as `| head` does.",
        ],
    }
    for kind in _kinds(FactoryError):
        meanings.setdefault(kind.exit_code, []).append((kind.__doc__ or "").strip().partition("\n")[0])
    return _table(("code", "means"), ((str(code), "<br>".join(words)) for code, words in sorted(meanings.items())))


def _kinds(kind: type[FactoryError]) -> Iterator[type[FactoryError]]:
    for inner in kind.__subclasses__():
        if inner.__module__ == FactoryError.__module__:
            yield inner
            yield from _kinds(inner)


def _steps() -> str:
    return _table(("step", "what happens"), ((f"`{name}`", text) for name, text in STEP_NAMES.items()))


def _rules() -> str:
    rows = ((f"[{rule.id}](#{rule.id})", str(rule.severity), rule.summary) for rule in RULES.values())
    parts = [_table(("rule", "severity", ""), rows)]
    for rule in RULES.values():
        parts.append(f"## {rule.id}\n\n*{rule.severity.capitalize()}*: {rule.summary}.\n")
        parts.append(f"**Why.** {rule.why}\n\n**Fix.** {rule.mend}\n\n**Source.** {rule.source}.\n")
    return "\n".join(parts)


def _stable_abi(_: str) -> str:
    """Write what every Linux build has: abi3info's other conditions (Windows, stack checks, debug) hold on none."""
    entries = (*abi3info.FUNCTIONS.values(), *abi3info.DATAS.values())
    kept = [entry for entry in entries if entry.ifdef is None or entry.ifdef.name in _ON_LINUX]
    return "".join(sorted(f"{entry.symbol.linux} {entry.added.minor}\n" for entry in kept))


def _stable_abi_of_windows(_: str) -> str:
    """Write what every Windows build has, and no other."""
    entries = (*abi3info.FUNCTIONS.values(), *abi3info.DATAS.values())
    kept = [entry for entry in entries if entry.ifdef is not None and entry.ifdef.name == "MS_WINDOWS"]
    return "".join(sorted(f"{entry.symbol.linux} {entry.added.minor}\n" for entry in kept))


_ON_LINUX = frozenset({"HAVE_FORK", "PY_HAVE_THREAD_NATIVE_ID"})


def _events() -> str:
    schema = schema_of_line(get_args(Event), "")
    parts = (_record(kind.__name__, kind, schema) for kind in get_args(Event))
    return "\n".join(parts).replace("](#", "](json.md#")


def _json_fields() -> str:
    schemas = [schema_of(kind, "") for kind in _DOCUMENTS]
    parts = [_record(f"factory {typed}", kind, schema) for (typed, kind), schema in zip(_TYPED, schemas, strict=True)]
    inner = {name: record for schema in schemas for name, record in _records(schema).items()}
    parts += [_section(name, record) for name, record in sorted(inner.items())]
    return "\n".join(parts)


def _records(schema: Node) -> Mapping[str, Node]:
    return cast("Mapping[str, Node]", schema["$defs"])


def _record(title: str, kind: type, schema: Node) -> str:
    """Show a document, or an event, by the record that it is."""
    return _section(title, _records(schema).get(kind.__name__, schema))


def _section(title: str, record: Node) -> str:
    properties = cast("Mapping[str, Node]", record["properties"])
    rows = ((f"`{name}`", _type(field), str(field["description"])) for name, field in properties.items())
    return f"### {title}\n\n{record['description']}\n\n{_table(('field', 'type', ''), rows)}"


def _type(node: Node) -> str:
    """Say in a few words what a schema admits."""
    match node:
        case {"$ref": str(target)}:
            name = target.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": [*members]}:
            return " or ".join(_type(cast("Node", member)) for member in members)
        case {"enum": [*values]}:
            return ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array", "items": items}:
            return f"list of {_type(cast('Node', items))}"
        case {"type": "object", "additionalProperties": values}:
            return f"mapping to {_type(cast('Node', values))}"
        case _:
            return str(node["type"])


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n".replace("  ", " ") for line in lines)


_TYPED: Sequence[tuple[str, type]] = (
    ("plan --json", PlanDocument),
    ("build --json", RunDocument),
    ("audit --json", AuditDocument),
    ("compare --json", CompareDocument),
    ("coverage --json", CoverageDocument),
    ("image list --json", ImagesDocument),
)
_DOCUMENTS = tuple(kind for _, kind in _TYPED)

GENERATED: Mapping[Path, Callable[[str], str]] = {
    _SCHEMAS / "plan-1.json": _schema(PlanDocument),
    _SCHEMAS / "run-1.json": _schema(RunDocument),
    _SCHEMAS / "audit-1.json": _schema(AuditDocument),
    _SCHEMAS / "compare-1.json": _schema(CompareDocument),
    _SCHEMAS / "coverage-1.json": _schema(CoverageDocument),
    _SCHEMAS / "images-1.json": _schema(ImagesDocument),
    _SCHEMAS / "event-1.json": _line_schema,
    ROOT / "factory" / "audit" / "stable_abi.txt": _stable_abi,
    ROOT / "factory" / "audit" / "stable_abi_windows.txt": _stable_abi_of_windows,
    REFERENCE / "cli.md": _inside(_command_line),
    REFERENCE / "exit-codes.md": _inside(_exit_codes),
    REFERENCE / "rules.md": _inside(_rules),
    REFERENCE / "events.md": _inside(_events),
    REFERENCE / "json.md": _inside(_json_fields),
    REFERENCE / "steps.md": _inside(_steps),
    ROOT / "docs" / "explanation" / "architecture.md": _inside(layers.rendered),
}


def main() -> None:
    """Rewrite every file that is compared."""
    messages.rewrite()
    recipe_table.REFERENCE.write_text(recipe_table.rendered(), encoding="utf-8")
    shown_fields.README.write_text(shown_fields.rendered(), encoding="utf-8")
    for path, make in GENERATED.items():
        words = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(make(words), encoding="utf-8")


if __name__ == "__main__":
    main()
