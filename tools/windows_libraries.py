"""Make the list of the libraries that every Windows has: `python -m tools.windows_libraries`, where delvewheel is.

`uv run --with delvewheel==1.13.2 python -m tools.windows_libraries` is enough. Its authors read the names on the
installation discs of 64-bit Windows 7, 8, 8.1, 10 and 11.
"""

from pathlib import Path

from delvewheel import _dll_list  # type: ignore[import-not-found]  # it is in no environment of ours

_LIST = Path(__file__).parents[1] / "factory" / "audit" / "windows_libraries.txt"
_SINCE_10 = ("combase.dll", "ucrtbase.dll")  # all that Python 3.9 and newer is installed on has these


def main() -> None:
    """Write the list."""
    names = sorted({*_dll_list.ignore_names_x64, *_SINCE_10})
    _LIST.write_text("".join(f"{name}\n" for name in names), encoding="ascii")


if __name__ == "__main__":
    main()
