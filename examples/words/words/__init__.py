"""Words of a text."""

try:
    from words._fast import count
except ImportError:

    def count(text: str) -> int:
        """Count the words of a text."""
        return len(text.split())


__all__ = ["count", "in_words"]


def in_words(text: str) -> str:
    """Say how many words a text has; needs the extra `plurals`."""
    import inflect

    return f"{count(text)} {inflect.engine().plural('word', count(text))}"
