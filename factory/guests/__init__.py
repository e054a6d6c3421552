"""Programs that run inside containers: files that are handed over, never imported by the factory itself.

Some are in keys by their bytes, as `tests/unit/guests/test_unchanged.py` says; an edit there costs every user a build.
"""

from functools import cache
from importlib.resources import files


@cache
def program(name: str) -> str:
    """Return the text of a program by its file's name."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
