"""What all readers of compiled objects share: their one error, and what the objects of one wheel may hold in memory."""

from dataclasses import dataclass

KEPT_BYTES = 3 << 26
ENTRIES = 1 << 23

# Weights in entries: later work on each of these costs as much as on so many symbols.
OBJECT_ENTRIES = 512
NEEDED_ENTRIES = 256
FOLDER_ENTRIES = 64
VERSION_ENTRIES = 32

# What Python needs besides the characters: of a string that is found by its offset, and of a place in a table.
STRING_BYTES = 112
PLACE_BYTES = 96


class ObjectError(ValueError):
    """Bytes that start like an object but cannot be read as one: the audit makes a finding of it."""


@dataclass(slots=True)
class Budget:
    """What is left for objects that are not read yet: bytes in memory, and entries of tables.

    Honest wheels come nowhere near: Qt's hold 500 000 symbols, and a symbol of 60 characters takes 270 bytes.
    """

    bytes_left: int = KEPT_BYTES
    entries_left: int = ENTRIES

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be read."""
        return self.bytes_left < 0 or self.entries_left < 0

    def take(self, entries: int = 0, size_bytes: int = 0) -> None:
        """Take from what is left.

        Raises:
            ObjectError: there is not enough left.
        """
        self.entries_left -= entries
        self.bytes_left -= size_bytes
        if self.is_spent:
            raise ObjectError("the wheel's objects have more names and table entries in all than are read")
