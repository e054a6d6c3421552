"""Text of wheels, packages and recipes made fit to print: it cannot steer a terminal, nor forge lines."""

from factory.pipeline.control import clean


def plain(text: str) -> str:
    """Return what may be printed of a text, in one line; line breaks in a name become spaces."""
    printable = text.encode(errors="replace").decode()  # a file name that is no UTF-8 holds surrogates
    return " ".join(clean(printable).splitlines())
