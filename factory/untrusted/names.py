"""File names of strangers' wheels and sdists, with their compressed tags."""

import re
from math import prod

from packaging.tags import Tag, parse_tag
from packaging.utils import BuildTag, NormalizedName, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from factory.untrusted.limits import UntrustedTextError, refuse_longer, refusing

_CHARACTERS = 1024
_TAGS = 1 << 10
_PARTS_OF_A_TAG = 3
_LABEL = re.compile(r"[0-9a-z._]{1,100}")
_PARTS, _PARTS_WITH_BUILD = 6, 7


def parse_wheel_name(filename: str) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Read a wheel's file name (binary distribution format, "File name convention").

    Raises:
        UntrustedTextError: it is not valid, or its tags expand to more than 1024.
    """
    refuse_longer(filename, _CHARACTERS)
    with refusing("is not a wheel file name"):
        _refuse_products("-".join(filename.removesuffix(".whl").split("-")[-_PARTS_OF_A_TAG:]))
        return parse_wheel_filename(filename)


def split_variant(filename: str) -> tuple[str, str]:
    """Split the label of a variant from a wheel's file name: the name without it, and the label, or "" without one.

    The draft of PEP 825 puts it behind the platform tag. A build number begins with a digit and a python tag does not,
    which tells a name with a label from one with a build number.
    """
    parts = filename.removesuffix(".whl").split("-")
    has_build = len(parts) > 2 and parts[2][:1].isdigit()  # noqa: PLR2004 -- behind name and version
    if len(parts) != (_PARTS_WITH_BUILD if has_build else _PARTS) or not _LABEL.fullmatch(parts[-1]):
        return filename, ""
    return f"{'-'.join(parts[:-1])}.whl", parts[-1]


def parse_sdist_name(filename: str) -> tuple[NormalizedName, Version]:
    """Read an sdist's file name (PEP 625).

    Raises:
        UntrustedTextError: it is not valid.
    """
    refuse_longer(filename, _CHARACTERS)
    with refusing("is not an sdist file name"):
        return parse_sdist_filename(filename)


def compressed_tags(text: str) -> frozenset[Tag]:
    """Expand a compressed tag set (PEP 425).

    Raises:
        UntrustedTextError: it is not valid, or expands to more than 1024 tags.
    """
    refuse_longer(text, _CHARACTERS)
    _refuse_products(text)
    with refusing("is not a tag"):
        return parse_tag(text)


def count_tags(text: str) -> int:
    """Count the tags that a compressed set expands to (PEP 425); what follows its third part does not count."""
    return prod(part.count(".") + 1 for part in text.split("-", _PARTS_OF_A_TAG)[:_PARTS_OF_A_TAG])


def _refuse_products(text: str) -> None:
    parts = text.split("-")
    if len(parts) != _PARTS_OF_A_TAG or not all(parts):
        raise UntrustedTextError("does not end in python-abi-platform")
    expanded = count_tags(text)
    if expanded > _TAGS:
        raise UntrustedTextError(f"expands to {expanded} tags; at most {_TAGS} are read")
