"""The text by which a wheel says which variant of a release it is (PEP 825, a draft)."""

from collections.abc import Iterator
from typing import Final

from factory.untrusted import UntrustedTextError, parse_json
from factory.wheel.wheel import Variant

VARIANT: Final = "variant.json"
_MOST_PROPERTIES = 1 << 10


def read_variant(content: bytes | None) -> tuple[Variant | None, str]:
    """Read `variant.json`, or say why it cannot be read; neither where the wheel has none.

    Its `variants` has one label, which maps namespaces to features, and those to lists of values.
    """
    if content is None:
        return None, ""
    try:
        value = parse_json(content)
    except UntrustedTextError as error:
        return None, f"it {error}"
    match value:
        case {"variants": {**variants}} if len(variants) == 1:
            ((label, namespaces),) = variants.items()
        case _:
            return None, "it does not have exactly one label in `variants`"
    try:
        properties = frozenset(_properties(namespaces))
    except ValueError as error:
        return None, f"{error}"
    if len(properties) > _MOST_PROPERTIES:
        return None, f"it has {len(properties)} properties; at most {_MOST_PROPERTIES} are read"
    return Variant(label=str(label), properties=properties), ""


def _properties(namespaces: object) -> Iterator[str]:
    """Yield `namespace :: feature :: value`.

    Raises:
        ValueError: a level is of another kind.
    """
    for namespace, features in _mapping(namespaces):
        for feature, values in _mapping(features):
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise ValueError(f"its feature {feature[:50]!a} is not a list of texts")
            yield from (f"{namespace} :: {feature} :: {value}" for value in values)


def _mapping(value: object) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        raise ValueError("its label does not map namespaces to features")  # noqa: TRY004 -- a text's fault, not a caller's
    yield from value.items()
