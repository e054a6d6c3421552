"""Rules between the sections of a recipe."""

from collections.abc import Iterator
from datetime import date

from factory.errors import Span
from factory.recipe.document import Entry, Mapping, Node, Sequence
from factory.recipe.kinds import Place
from factory.recipe.problems import did_you_mean, quote
from factory.recipe.records import Values
from factory.recipe.sections.build import BUILD, FLOOR
from factory.recipe.sections.gate import AUDIT, RULE, WAIVE
from factory.recipe.sections.whole import ABI3, INTERPRETERS
from factory.recipe.targets import expand
from factory.tags import Abi3Floor, Interpreter


def check(values: Values, place: Place, *, rules: frozenset[str] | None, today: date) -> None:
    """Complain about fields that read well alone and contradict each other."""
    _floors_reach_an_interpreter(values, place.at(ABI3.name), today)
    _a_way_needs_a_floor(values, place.at(BUILD.name).at(FLOOR.name))
    if rules is not None:
        _waivers_name_rules(values, place.at(AUDIT.name).at(WAIVE.name), rules)


def _floors_reach_an_interpreter(values: Values, place: Place, today: date) -> None:
    floors, entry = values[ABI3], values.entry(ABI3)
    if not floors or entry is None or INTERPRETERS not in values:
        return
    listed = [wanted.interpreter for wanted in expand(values[INTERPRETERS], today)]
    for floor, span in zip(floors, _item_spans(entry.value), strict=False):
        if not any(floor.covers(interpreter) for interpreter in listed):
            place.refuse(span, *_uncovering(floor, listed))


def _uncovering(floor: Abi3Floor, listed: list[Interpreter]) -> tuple[str, str]:
    names = ", ".join(str(interpreter) for interpreter in listed)
    newest = max(listed)
    if newest.minor < floor.minor:
        message = f"the floor {floor} lies above every interpreter of the recipe ({names})"
        return message, f"lower the floor to {listed[0].python_tag}, or add {floor} to interpreters"
    message = f"no interpreter of the recipe can load a {floor} wheel: {names}"
    return message, "free-threaded builds need an abi3t floor, cp315t or newer; PyPy has no abi3"


def _a_way_needs_a_floor(values: Values, place: Place) -> None:
    entry, way = values.entry(BUILD), values[BUILD].floor
    if way.kind not in ("feature", "option", "interpreter") or entry is None or values.entry(ABI3):
        return
    span = next(_children(entry.value, FLOOR.name), entry).value.span
    place.refuse(
        span, "says how a floor reaches the build, but the recipe names no floor", "add a line such as abi3: cp39"
    )


def _waivers_name_rules(values: Values, place: Place, rules: frozenset[str]) -> None:
    audit = values.entry(AUDIT)
    waive = next(_children(audit.value, WAIVE.name), None) if audit else None
    if waive is None or AUDIT not in values:
        return
    for index, (waiver, span) in enumerate(zip(values[AUDIT].waive, _rule_spans(waive), strict=True)):
        if waiver.rule not in rules:
            hint = did_you_mean(waiver.rule, sorted(rules)) or "docs/reference/rules.md lists the rules"
            place.item(index).at(RULE.name).refuse(span, f"{quote(waiver.rule)} is no rule", hint)


def _rule_spans(waive: Entry) -> Iterator[Span]:
    items = waive.value.items if isinstance(waive.value, Sequence) else ()
    for item in items:
        yield from (entry.value.span for entry in _children(item, RULE.name))


def _children(node: Node, key: str) -> Iterator[Entry]:
    if isinstance(node, Mapping):
        yield from (entry for entry in node.entries if entry.key == key)


def _item_spans(node: Node) -> list[Span]:
    return [item.span for item in node.items] if isinstance(node, Sequence) else [node.span]
