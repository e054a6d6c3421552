"""The extension modules that a wheel holds."""

import re
from dataclasses import dataclass

from factory.audit.closure import installed_path
from factory.wheel import Wheel

# What interpreters look for: .cpython-313t-x86_64-linux-gnu.so, .pypy311-pp73-x86_64-linux-gnu.so, .abi3.so, .so
_MODULE = re.compile(
    r"(?P<name>[^/.]+)(?:\.(?P<tag>cpython-[0-9]+[a-z]*|pypy3[0-9]+-pp[0-9]+|abi3t?)(?:-(?P<system>[^/.]+))?)?\.so"
)

# On Windows: .cp313-win_amd64.pyd, .pypy311-pp73-win_amd64.pyd, .pyd; the others are here because builds leave them.
_WINDOWS_MODULE = re.compile(
    r"(?P<name>[^/.]+)(?:\.(?P<tag>cp3[0-9]+t?|pypy3[0-9]+-pp[0-9]+|abi3t?)(?:-(?P<system>[^/.]+))?)?\.pyd"
)


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A member that an interpreter could import: its dotted name, and the tag and the system in its suffix.

    Both are empty for a plain one.
    """

    path: str
    name: str
    tag: str
    system: str

    @property
    def hooks(self) -> tuple[str, str]:
        """The init functions an interpreter looks for (PEP 489, PEP 793); names that are not ASCII as punycode."""
        last = self.name.rpartition(".")[2]
        if last.isascii():
            return f"PyInit_{last}", f"PyModExport_{last}"
        encoded = last.encode("punycode").decode().replace("-", "_")
        return f"PyInitU_{encoded}", f"PyModExportU_{encoded}"

    @property
    def is_stable(self) -> bool:
        """Whether interpreters of several versions look for its suffix, which says that it keeps to the stable ABI."""
        return self.tag in ("abi3", "abi3t") and not self.is_unsought

    @property
    def is_unsought(self) -> bool:
        """Whether it has Linux's suffix for the stable ABI on Windows, whose interpreters do not look for it.

        From CPython's `Python/dynload_win.c`.
        """
        return self.tag == "abi3" and self.path.endswith(".pyd")

    @property
    def is_nameable(self) -> bool:
        """Whether an import statement could name it."""
        return all(part.isidentifier() for part in self.name.split("."))

    def is_importable(self, wheel: Wheel) -> bool:
        """Whether the object has one of the init functions; a library for ctypes or cffi has none."""
        return not wheel.binary(self.path).exports.isdisjoint(self.hooks)


def module_files(wheel: Wheel) -> tuple[ModuleFile, ...]:
    """Every compiled member with a suffix that an interpreter imports."""
    modules = []
    for path in (*wheel.objects, *wheel.pe_files):
        folder, _, base = installed_path(path).rpartition("/")
        match = _MODULE.fullmatch(base) if path in wheel.objects else _WINDOWS_MODULE.fullmatch(base)
        if match is not None:
            name = ".".join([*folder.split("/"), match["name"]] if folder else [match["name"]])
            modules.append(ModuleFile(path, name.removesuffix(".__init__"), match["tag"] or "", match["system"] or ""))
    return tuple(modules)
