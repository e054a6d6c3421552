"""Kinds that several sections use."""

from factory.form.kinds import Kind, ListOf, Text
from factory.form.texts import day, duration, share, size
from factory.recipe import texts

SCRIPT_LIMIT = 100_000

LINE = Text(name="text", parse=texts.line)
WORD = Text(name="a word", parse=texts.word)
DATE = Text(name="a date", parse=day, pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}", date=True)
DURATION = Text(name="a duration", parse=duration, pattern="[0-9]{1,7}(s|m|h)?", number=True)
SIZE = Text(name="a size", parse=size, pattern="[0-9]{1,9}([.][0-9]{1,3})? ?(kB|KB|MB|GB|KiB|MiB|GiB)")
SHARE = Text(name="a percentage", parse=share, pattern="[0-9]{1,4}([.][0-9]{1,2})? ?%")
SELECTOR = Text(name="a selector", parse=texts.selector)
IN_SOURCE = Text(name="a path in the source", parse=texts.folder_in_source)
REQUIREMENTS = ListOf(item=Text(name="a requirement", parse=texts.requirement), name="a list of requirements")


def distinct(item: Kind[str], name: str) -> ListOf[str]:
    """Describe a list of distinct items."""
    return ListOf(item=item, name=name, unique=True)
