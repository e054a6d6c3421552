"""What an ELF object says of itself to the dynamic loader, as frozen values."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["program", "library", "relocatable", "other"]

EM_386, EM_PPC64, EM_S390, EM_ARM, EM_X86_64, EM_AARCH64, EM_RISCV, EM_LOONGARCH = 3, 21, 22, 40, 62, 183, 243, 258

_ARCHITECTURES = {
    (EM_386, 32, "little"): "i686",
    (EM_X86_64, 64, "little"): "x86_64",
    (EM_AARCH64, 64, "little"): "aarch64",
    (EM_ARM, 32, "little"): "armv7l",
    (EM_PPC64, 64, "little"): "ppc64le",
    (EM_PPC64, 64, "big"): "ppc64",
    (EM_S390, 64, "big"): "s390x",
    (EM_RISCV, 64, "little"): "riscv64",
    (EM_LOONGARCH, 64, "little"): "loongarch64",
}
PROCESSORS = {
    EM_386: "x86",
    EM_PPC64: "ppc64",
    EM_S390: "s390",
    EM_ARM: "arm",
    EM_X86_64: "x86-64",
    EM_AARCH64: "aarch64",
    EM_RISCV: "riscv",
    EM_LOONGARCH: "loongarch",
}


class Symbol(NamedTuple):
    """An undefined dynamic symbol; `library` and `version` say where the linker found it, if it is versioned."""

    name: str
    version: str
    library: str
    weak: bool


class VersionNeed(NamedTuple):
    """A symbol version that a needed library must offer; the loader forgives a missing one if `weak` (VER_FLG_WEAK)."""

    library: str
    version: str
    weak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an object asks to be mapped, and what its file holds besides what is mapped.

    `stack` is what PT_GNU_STACK asks for, `page_bytes` the smallest alignment of a loaded segment (0 without any),
    `refused` why the loader maps nothing of it, `isa_needed` the bits of GNU_PROPERTY_X86_ISA_1_NEEDED. `sections` are
    the names of the sections, None where the section headers are absent or unreadable. `build_paths` are folders of
    the machine that built it, `libpythons` the texts in the file that are an interpreter's library, or a path to one.
    """

    stack: Literal["absent", "plain", "executable"] = "plain"
    writable_code: bool = False
    relro: bool = True
    page_bytes: int = 0
    refused: str = ""
    isa_needed: int = 0
    sections: frozenset[str] | None = frozenset()
    build_paths: tuple[str, ...] = ()
    libpythons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the dynamic segment asks of the loader besides libraries and symbols."""

    bind_now: bool = False
    static_tls: bool = False
    text_relocations: bool = False
    relative_relocations: bool = False
    filters: tuple[str, ...] = ()
    auditors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedObject:
    """One ELF object. `rpath` and `runpath` are split at colons; `interpreter` is PT_INTERP's path.

    `exports` are the defined symbols that other objects can bind to. Names that are not UTF-8 carry backslash escapes.
    """

    kind: Kind
    machine: int
    elf_class: Literal[32, 64]
    byte_order: Literal["little", "big"]
    interpreter: str | None = None
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    version_needs: tuple[VersionNeed, ...] = ()
    version_definitions: tuple[str, ...] = ()
    undefined: tuple[Symbol, ...] = ()
    exports: frozenset[str] = frozenset()
    layout: Layout = Layout()
    traits: Traits = Traits()

    @property
    def architecture(self) -> str | None:
        """The architecture as platform tags write it; None where no tag has it (a GPU's code, a big-endian ARM)."""
        return _ARCHITECTURES.get((self.machine, self.elf_class, self.byte_order))

    @property
    def needs_a_loader(self) -> bool:
        """Whether a dynamic loader loads it: a static program has no interpreter and no needs."""
        return self.for_a_processor and not (self.kind == "program" and not self.interpreter and not self.needed)

    @property
    def for_a_processor(self) -> bool:
        """Whether the loader of some processor could load it; in a wheel, a GPU's or a kernel's code is data."""
        return self.machine in PROCESSORS

    @property
    def machine_name(self) -> str:
        """Machine, class and byte order for people."""
        name = self.architecture or f"{PROCESSORS.get(self.machine, f'machine {self.machine}')}"
        return name if self.architecture else f"{self.elf_class}-bit {self.byte_order}-endian {name}"
