"""Grammars that any form may need: sizes, durations and dates."""

import re
from datetime import date

from factory.form.kinds import RefusalError
from factory.form.problems import quote

_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(kB|KB|MB|GB|KiB|MiB|GiB)")
_UNITS = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_PERCENT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,2})?) ?%")
_DURATION = re.compile(r"([0-9]{1,7})(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}
_LONGEST_S = 7 * 24 * 3600


def size(text: str) -> int:
    """Read a size in bytes with its unit."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise RefusalError(f"{quote(text)} is not a size", "write a number and its unit: 500kB, 5MB, 64MiB, 2GB")
    size_bytes = int(float(match[1]) * _UNITS[match[2]])
    if size_bytes == 0:
        raise RefusalError(f"{quote(text)} is zero", "write a size above zero")
    return size_bytes


def share(text: str) -> float:
    """Read a percentage as a share: 0.2 of `20%`."""
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise RefusalError(f"{quote(text)} is not a percentage", "write a number and the sign: 20%")
    return float(match[1]) / 100


def duration(text: str) -> int:
    """Read seconds, or a number with s, m or h."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise RefusalError(f"{quote(text)} is not a duration", "write seconds (600), or 90s, 10m, 2h")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if not 0 < seconds <= _LONGEST_S:
        raise RefusalError(f"{quote(text)} is not between a second and a week", "write seconds (600), or 90s, 10m, 2h")
    return seconds


def day(text: str) -> date:
    """Read a date as YYYY-MM-DD."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        raise RefusalError(
            f"{quote(text)} is not a day of the calendar", "write a date of the form 2027-01-31"
        ) from None
    raise RefusalError(f"{quote(text)} is not a date", "write a date of the form 2027-01-31")
