"""Whether an index can show a description: reStructuredText is rendered as the index does it."""

import io

_TEXT_CHARACTERS = 1 << 19  # longer ones take docutils minutes, and no index shows them whole
_TEXT_LINES = 20_000  # of a hundred microseconds each
_WORD_CHARACTERS = 4000  # docutils looks for references in quadratic time
# What docutils is known to raise beside its own SystemMessage, on nested and broken texts.
_BROKEN = (RecursionError, ValueError, LookupError, AttributeError, TypeError, AssertionError)


def rst_problem(text: str) -> str:
    """Say why a text does not render, in one line; empty when it does."""
    from readme_renderer.rst import render  # noqa: PLC0415 -- a fifth of a second, for the few that write rst

    if len(text) > _TEXT_CHARACTERS:
        return f"it has {len(text)} characters; {_TEXT_CHARACTERS} are rendered at most"
    if (lines := len(text.splitlines())) > _TEXT_LINES:
        return f"it has {lines} lines; {_TEXT_LINES} are rendered at most"
    if (longest := max(map(len, text.split()), default=0)) > _WORD_CHARACTERS:
        return f"it has a word of {longest} characters; {_WORD_CHARACTERS} are rendered at most"
    said = io.StringIO()
    try:
        rendered = render(text, stream=said)
    except _BROKEN as error:
        return f"docutils gives up with {type(error).__name__}"
    if rendered is not None:
        return ""
    return " ".join((said.getvalue().splitlines() or ["it cannot be parsed"])[0].split())
