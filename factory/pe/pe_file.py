"""What a PE file says of itself to Windows' loader, as frozen values."""

from dataclasses import dataclass
from typing import NamedTuple

_PLATFORMS = {0x014C: "win32", 0x8664: "win_amd64", 0xAA64: "win_arm64"}


class Import(NamedTuple):
    """A symbol that is asked of a library by its name; `weak` never: Windows' loader has no such symbols."""

    name: str
    library: str
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeFile:
    """One PE file. `needed` are the libraries that are loaded with it, as they are spelled; not those loaded later.

    `exports` are the names that others can ask of it, `undefined` the names that it asks of others, `sections` the
    names of its sections. Names that are not UTF-8 carry backslash escapes.
    """

    machine: int
    is_library: bool
    needed: tuple[str, ...] = ()
    undefined: tuple[Import, ...] = ()
    exports: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()

    @property
    def platform(self) -> str | None:
        """The platform tag of its machine; None where no tag has it."""
        return _PLATFORMS.get(self.machine)

    @property
    def machine_name(self) -> str:
        """Its machine for people."""
        return self.platform or f"machine {self.machine:#x}"
