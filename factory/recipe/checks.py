"""Rules between the sections of a recipe."""

from collections.abc import Iterator
from datetime import date

from factory.errors import Span
from factory.form.document import Entry, Mapping, Node, Scalar, Sequence
from factory.form.kinds import Place, RefusalError
from factory.form.problems import did_you_mean, quote
from factory.form.records import Values
from factory.recipe.targets import expand, platform_name
from factory.tags import Abi3Floor, Interpreter


def check(values: Values, place: Place, *, rules: frozenset[str] | None, today: date) -> None:
    """Refuse fields that can be read by themselves but contradict each other."""
    _floors_reach_an_interpreter(values, place.at("abi3"), today)
    _a_way_needs_a_floor(values, place.at("build").at("floor"))
    _tags_have_no_floor(values, place.at("wheel"))
    _images_serve_platforms(values, place.at("images"))
    _programs_run_on_listed(values, place.at("programs").at("interpreters"), today)
    if rules is not None:
        _waivers_name_rules(values, place, rules)


def _images_serve_platforms(values: Values, place: Place) -> None:
    entry = values.entry("images")
    if entry is None or not isinstance(entry.value, Mapping) or "images" not in values or "platforms" not in values:
        return
    platforms = {str(platform) for platform in values["platforms"]}
    seen: set[str] = set()
    for image in entry.value.entries:
        try:
            name = platform_name(image.key)
        except RefusalError:
            continue  # the key itself was refused already
        if name not in platforms:
            hint = f"the recipe's platforms are {', '.join(sorted(platforms))}"
            place.refuse(image.key_span, f"{quote(image.key)} is not one of the recipe's platforms", hint)
        if name in seen:
            place.refuse(
                image.key_span, f"{quote(image.key)} names the same platform as another key", "keep one of the two"
            )
        seen.add(name)


def _floors_reach_an_interpreter(values: Values, place: Place, today: date) -> None:
    floors, entry = values["abi3"], values.entry("abi3")
    if not floors or entry is None or "interpreters" not in values:
        return
    listed = [wanted.interpreter for wanted in expand(values["interpreters"], today)]
    # A refused item is not among the floors, so the floors after it may be shown at the place of a neighbour.
    for floor, span in zip(floors, _item_spans(entry.value), strict=False):
        # Nothing is listed where each interpreter was refused already.
        if listed and not any(floor.covers(interpreter) for interpreter in listed):
            place.refuse(span, *_uncovering(floor, listed))


def _uncovering(floor: Abi3Floor, listed: list[Interpreter]) -> tuple[str, str]:
    names = ", ".join(str(interpreter) for interpreter in listed)
    newest = max(listed)
    if newest.minor < floor.minor:
        message = f"the floor {floor} is above every interpreter of the recipe ({names})"
        return message, f"lower the floor to {listed[0].python_tag}, or add {floor} to interpreters"
    message = f"no interpreter of the recipe can load a {floor} wheel: {names}"
    return message, f"add {floor} to interpreters, or remove the floor: free-threaded builds need cp315t or newer"


def _programs_run_on_listed(values: Values, place: Place, today: date) -> None:
    entry, programs = values.entry("programs"), values["programs"]
    if entry is None or programs is None or programs.interpreters is None or "interpreters" not in values:
        return
    listed = [wanted.interpreter for wanted in expand(values["interpreters"], today)]
    (item,) = _children(entry.value, "interpreters")
    for interpreter, span in zip(programs.interpreters, _item_spans(item.value), strict=True):
        if listed and interpreter not in listed:
            names = ", ".join(map(str, listed))
            message = f"{interpreter} is not one of the recipe's interpreters ({names})"
            place.refuse(span, message, f"add {interpreter} to interpreters, or remove it here")


def _a_way_needs_a_floor(values: Values, place: Place) -> None:
    entry, way = values.entry("build"), values["build"].floor
    has_tags = values.entry("abi3") or values.entry("wheel")
    if way.kind not in ("feature", "option", "interpreter") or entry is None or has_tags:
        return
    span = next(_children(entry.value, "floor"), entry).value.span
    place.refuse(
        span, "says how a floor reaches the build, but the recipe names no floor", "add a line such as abi3: cp39"
    )


def _tags_have_no_floor(values: Values, place: Place) -> None:
    """Refuse `wheel` beside a floor, or beside the way of one."""
    entry = values.entry("wheel")
    if entry is None:
        return
    fields = ["abi3"] if values.entry("abi3") else []
    fields += ["build.floor"] if values["build"].floor.kind != "default" else []
    if fields:
        names = " and ".join(fields)
        message = f"says that the wheels have no abi3 floor, but {names} {'name' if fields[1:] else 'names'} one"
        place.refuse(entry.value.span, message, f"keep either wheel or {names}")


def _waivers_name_rules(values: Values, place: Place, rules: frozenset[str]) -> None:
    for where, rule, span in _waived(values, place):
        if rule not in rules:
            hint = did_you_mean(rule, sorted(rules)) or "`factory explain` lists the rules"
            where.refuse(span, f"{quote(rule)} is not a rule", hint)


def _waived(values: Values, place: Place) -> Iterator[tuple[Place, str, Span]]:
    """Yield every rule that is waived, for all cells or by an override for some, with its place."""
    if "audit" in values and (audit := values.entry("audit")):
        yield from _rules_of(audit.value, place.at("audit"))
    if "overrides" in values and (overrides := values.entry("overrides")):
        for index, item in enumerate(_items(overrides.value)):
            for entry in _children(item, "audit"):
                yield from _rules_of(entry.value, place.at("overrides").item(index).at("audit"))


def _rules_of(audit: Node, place: Place) -> Iterator[tuple[Place, str, Span]]:
    for waive in _children(audit, "waive"):
        for index, item in enumerate(_items(waive.value)):
            for entry in _children(item, "rule"):
                if isinstance(entry.value, Scalar):
                    yield place.at("waive").item(index).at("rule"), entry.value.text, entry.value.span


def _children(node: Node, key: str) -> Iterator[Entry]:
    if isinstance(node, Mapping):
        yield from (entry for entry in node.entries if entry.key == key)


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else ()


def _item_spans(node: Node) -> list[Span]:
    return [item.span for item in _items(node)] or [node.span]
