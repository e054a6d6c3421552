"""File names of strangers' wheels and sdists, with their compressed tags."""

from math import prod

from packaging.tags import Tag, parse_tag
from packaging.utils import BuildTag, NormalizedName, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from factory.untrusted.limits import UntrustedTextError, refuse_longer, refusing

_CHARACTERS = 1024
_TAGS = 1 << 10
_PARTS_OF_A_TAG = 3


def parse_wheel_name(filename: str) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Read a wheel's file name (binary distribution format, "File name convention").

    Raises:
        UntrustedTextError: it is not valid, or its tags expand to more than 1024.
    """
    refuse_longer(filename, _CHARACTERS)
    with refusing("is not a wheel file name"):
        _refuse_products("-".join(filename.removesuffix(".whl").split("-")[-_PARTS_OF_A_TAG:]))
        return parse_wheel_filename(filename)


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
