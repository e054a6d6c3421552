"""What is shown of texts and lists that strangers wrote: never more than a stated number of characters and items."""

from collections.abc import Collection
from itertools import islice

MESSAGE_CHARACTERS = 2000
ITEM_CHARACTERS = 500
ITEMS = 20
_NAME_CHARACTERS = 120
_NAMES = 10


def cut(text: str, most: int = MESSAGE_CHARACTERS) -> str:
    """Return a text, or its beginning with how long the whole was; what was cut once is not cut again."""
    if len(text) <= most:
        return text
    note = f"… ({len(text)} characters)"
    return text[: max(0, most - len(note))] + note


def listed(names: Collection[str], *, most: int = _NAMES, by: str = ", ") -> str:
    """Write names in their order with commas between: the first few, each cut, and how many more there are."""
    shown = [cut(name, _NAME_CHARACTERS) for name in islice(names, most)]
    more = len(names) - len(shown)
    return by.join(shown) + (f", and {more} more" if more else "")


def few(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first texts, each cut, and as a last one how many more there are; few texts are left as they are."""
    if len(texts) <= ITEMS + 1 and all(len(text) <= ITEM_CHARACTERS for text in texts):
        return texts
    more = len(texts) - ITEMS
    first = tuple(cut(text, ITEM_CHARACTERS) for text in texts[: ITEMS + (more == 1)])
    return (*first, f"and {more} more") if more > 1 else first
