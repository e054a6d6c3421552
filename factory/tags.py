"""The vocabulary of wheel tags (PEP 425, 600, 656, 803): interpreters, abi3 floors and platforms.

One spelling each: `cp313`, `cp313t`; floors `cp39`, `cp315t`; platforms as PEP 600 and 656 write them, with the three
legacy manylinux names read as their PEP 600 equivalents.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, Literal, Self, TypeAlias

from packaging.tags import Tag, parse_tag

_INTERPRETER = re.compile(r"(?P<implementation>cp|pp)3(?P<minor>0|[1-9][0-9]?)(?P<t>t?)")
_ANY_PYTHON = re.compile(r"(?P<python>py2\.py3|py3(?:[1-9][0-9]?)?)-none")
_VERSION = r"(?P<major>0|[1-9][0-9]{0,3})_(?P<minor>0|[1-9][0-9]{0,3})"
_MANYLINUX = re.compile(rf"manylinux_{_VERSION}_(?P<arch>[a-z0-9_]+)")
_MUSLLINUX = re.compile(rf"musllinux_{_VERSION}_(?P<arch>[a-z0-9_]+)")
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}  # PEP 600, "Legacy manylinux tags"
_LEGACY_TAG = re.compile(r"(?P<name>manylinux(?:1|2010|2014))_(?P<arch>[a-z0-9_]+)")
_PARTS = 3
_PROGRAM = "program"

FIRST_FREE_THREADED = 13  # PEP 703
FIRST_ABI3T = 15  # PEP 803

_WINDOWS = {"amd64": "win_amd64", "arm64": "win_arm64", "x86": "win32"}  # sysconfig.get_platform()

ARCHITECTURES = frozenset(
    {"x86_64", "i686", "aarch64", "armv7l", "ppc64", "ppc64le", "s390x", "riscv64", "loongarch64"}
)


@dataclass(frozen=True, slots=True, order=True)
class Interpreter:
    """A Python 3 interpreter that a wheel can be built for or tried on, such as `cp313` or `cp314t`."""

    minor: int
    free_threaded: bool = False
    implementation: Literal["cp", "pp"] = "cp"

    def __str__(self) -> str:
        return f"{self.implementation}3{self.minor}{'t' if self.free_threaded else ''}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `cp313`, `cp314t` or `pp311`.

        Raises:
            ValueError: the text is none of these.
        """
        match = _INTERPRETER.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an interpreter such as cp313 or cp314t")
        implementation: Literal["cp", "pp"] = "pp" if match["implementation"] == "pp" else "cp"
        if implementation == "pp" and match["t"]:
            raise ValueError(f"{text!r} is not an interpreter: PyPy has no free-threaded build")
        return cls(int(match["minor"]), bool(match["t"]), implementation)

    @property
    def version(self) -> str:
        """Major and minor version as text: `3.13`."""
        return f"3.{self.minor}"

    @property
    def marked_version(self) -> str:
        """The same with the mark of a free-threaded build, as PyO3 and names of programs have it: `3.13t`."""
        return f"{self.version}{'t' if self.free_threaded else ''}"

    @property
    def program(self) -> str:
        """The name of its program, as its authors install it: `python3.13`, `python3.13t`, `pypy3.11`."""
        return f"{'pypy' if self.implementation == 'pp' else 'python'}{self.marked_version}"

    @property
    def python_tag(self) -> str:
        """The python tag of its version-specific wheels (PEP 425)."""
        return f"{self.implementation}3{self.minor}"

    @property
    def abi_tag(self) -> str:
        """The abi tag of its version-specific wheels: `cp313`, `cp314t`; PyPy's names its ABI of 7.3."""
        if self.implementation == "pp":
            return f"pypy3{self.minor}_pp73"
        return f"{self.python_tag}{'t' if self.free_threaded else ''}"


@dataclass(frozen=True, slots=True, order=True)
class Abi3Floor:
    """The oldest version that a stable-ABI wheel runs on; `free_threaded` means abi3t (PEP 803)."""

    minor: int
    free_threaded: bool = False

    def __str__(self) -> str:
        return f"cp3{self.minor}{'t' if self.free_threaded else ''}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `cp39` or `cp315t`.

        Raises:
            ValueError: the text is neither.
        """
        match = _INTERPRETER.fullmatch(text)
        if match is None or match["implementation"] != "cp":
            raise ValueError(f"{text!r} is not an abi3 floor such as cp39 or cp315t")
        return cls(int(match["minor"]), bool(match["t"]))

    @property
    def python_tag(self) -> str:
        """The python tag of its wheels: `cp39`."""
        return f"cp3{self.minor}"

    @property
    def abi_tag(self) -> str:
        """The abi tag of its wheels: `abi3`, or PEP 803's compressed `abi3.abi3t`."""
        return "abi3.abi3t" if self.free_threaded else "abi3"

    def covers(self, interpreter: Interpreter) -> bool:
        """Whether a wheel with this floor runs on the interpreter.

        PEP 384: an abi3 wheel runs on its floor and everything newer with the same GIL.
        PEP 803: an abi3t wheel runs on both builds from its floor on.
        """
        if interpreter.implementation != "cp" or interpreter.minor < self.minor:
            return False
        return self.free_threaded or not interpreter.free_threaded


@dataclass(frozen=True, slots=True)
class AnyPython:
    """What a wheel without extension modules is for, such as one of programs: every Python 3, or from one on (PEP 425).

    `python_tag` is `py3`, `py2.py3`, or one with a version, such as `py310`.
    """

    python_tag: str = "py3"
    abi_tag: ClassVar[str] = "none"

    def __str__(self) -> str:
        return f"{self.python_tag}-{self.abi_tag}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes.

        Raises:
            ValueError: the text is something else.
        """
        if (tag := cls.named(text)) is None:
            raise ValueError(f"{text!r} is not a tag without an ABI such as py3-none")
        return tag

    @classmethod
    def named(cls, text: str) -> Self | None:
        """Read `py3-none`, `py2.py3-none` or `py310-none`; None for any other text."""
        match = _ANY_PYTHON.fullmatch(text)
        return None if match is None else cls(match["python"])

    def covers(self, interpreter: Interpreter) -> bool:
        """Whether a wheel with this tag runs on the interpreter."""
        return claims(parse_tag(f"{self}-any"), interpreter)


BuiltFor: TypeAlias = Interpreter | Abi3Floor | AnyPython


@dataclass(frozen=True, slots=True, order=True)
class PlatformTag:
    """A Linux platform tag: libc family with its version, and architecture (PEP 600, PEP 656)."""

    libc: Literal["glibc", "musl"]
    major: int
    minor: int
    arch: str

    def __str__(self) -> str:
        return f"{self.policy}_{self.arch}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `manylinux_2_28_x86_64`, `musllinux_1_2_aarch64`, or a legacy name such as `manylinux2014_x86_64`.

        Raises:
            ValueError: the text is none of these, or names an architecture that no policy knows.
        """
        libc: Literal["glibc", "musl"] = "glibc"
        if legacy := _LEGACY_TAG.fullmatch(text):
            (major, minor), arch = _LEGACY[legacy["name"]], legacy["arch"]
        elif match := _MANYLINUX.fullmatch(text):
            major, minor, arch = int(match["major"]), int(match["minor"]), match["arch"]
        elif match := _MUSLLINUX.fullmatch(text):
            libc, major, minor, arch = "musl", int(match["major"]), int(match["minor"]), match["arch"]
        else:
            raise ValueError(f"{text!r} is not a platform tag such as manylinux_2_28_x86_64 or musllinux_1_2_x86_64")
        if arch not in ARCHITECTURES:
            raise ValueError(f"{text!r} names an architecture that no policy knows")
        return cls(libc, major, minor, arch)

    @property
    def version(self) -> tuple[int, int]:
        """The libc's version: `(2, 28)`."""
        return self.major, self.minor

    @property
    def policy(self) -> str:
        """The tag without its architecture: `manylinux_2_28`."""
        return f"{'manylinux' if self.libc == 'glibc' else 'musllinux'}_{self.major}_{self.minor}"

    @property
    def aliases(self) -> frozenset[str]:
        """Every spelling of this tag that a wheel's file name may carry, legacy names included (PEP 600)."""
        legacy = {name for name, version in _LEGACY.items() if version == self.version}
        names = {self.policy} | (legacy if self.libc == "glibc" else set())
        return frozenset(f"{name}_{self.arch}" for name in names)

    def serves(self, ceiling: "Platform") -> bool:
        """Whether a wheel that needs this platform runs wherever `ceiling` is promised."""
        if not isinstance(ceiling, PlatformTag):
            return False
        return (self.libc, self.arch) == (ceiling.libc, ceiling.arch) and self.version <= ceiling.version


@dataclass(frozen=True, slots=True, order=True)
class WindowsTag:
    """A platform tag of Windows, which names a machine and promises nothing of versions: `win_amd64`."""

    arch: str

    def __str__(self) -> str:
        return _WINDOWS[self.arch]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `win_amd64`, `win_arm64` or `win32`.

        Raises:
            ValueError: the text is none of these.
        """
        for arch, name in _WINDOWS.items():
            if text == name:
                return cls(arch)
        raise ValueError(f"{text!r} is not a platform tag of Windows such as win_amd64")

    @property
    def aliases(self) -> frozenset[str]:
        """Every spelling of this tag: its own."""
        return frozenset({str(self)})

    def serves(self, ceiling: "Platform") -> bool:
        """Whether a wheel for this platform runs wherever `ceiling` is promised."""
        return self == ceiling


Platform: TypeAlias = PlatformTag | WindowsTag
"""What a wheel may be built for."""


def has_musl(platform: Platform) -> bool:
    """Whether a platform's libc is musl."""
    return isinstance(platform, PlatformTag) and platform.libc == "musl"


def platform_of(text: str) -> Platform:
    """Read a platform tag of Linux or Windows.

    Raises:
        ValueError: the text is neither.
    """
    return WindowsTag.parse(text) if text.startswith("win") else PlatformTag.parse(text)


@dataclass(frozen=True)
class WheelTag:
    """One wheel's compressed tag triple as its file name writes it: the id of a cell."""

    python: str
    abi: str
    platform: Platform

    def __str__(self) -> str:
        return f"{self.python}-{self.abi}-{self.platform}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes.

        Raises:
            ValueError: the text is not three parts, or its platform is unknown.
        """
        parts = text.split("-")
        if len(parts) != _PARTS:
            raise ValueError(f"{text!r} is not a tag such as cp39-abi3-manylinux_2_28_x86_64")
        return cls(parts[0], parts[1], platform_of(parts[2]))

    @cached_property
    def expanded(self) -> frozenset[Tag]:
        """The single tags to which the compressed triple expands (PEP 425), without platform aliases."""
        return _expanded(str(self))


@lru_cache(maxsize=10_000)
def _expanded(text: str) -> frozenset[Tag]:
    return parse_tag(text)


@dataclass(frozen=True)
class ProgramTag:
    """The id of a cell whose programs run on one interpreter, spelled like a wheel's: `cp311-program-linux_x86_64`.

    Its platform is PEP 425's `linux_<machine>`, which promises nothing beyond where it was built.
    """

    interpreter: Interpreter
    machine: str

    def __str__(self) -> str:
        return f"{self.interpreter}-{_PROGRAM}-linux_{self.machine}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes.

        Raises:
            ValueError: the text is something else.
        """
        match text.split("-"):
            case [interpreter, word, platform] if word == _PROGRAM and platform.startswith("linux_"):
                return cls(Interpreter.parse(interpreter), platform.removeprefix("linux_"))
            case _:
                raise ValueError(f"{text!r} is not a tag such as cp311-program-linux_x86_64")


def product_of(text: str) -> WheelTag | ProgramTag:
    """Read the id of a cell.

    Raises:
        ValueError: the text is none.
    """
    return ProgramTag.parse(text) if f"-{_PROGRAM}-" in text else WheelTag.parse(text)


def tag_for(built_for: BuiltFor, platform: Platform) -> WheelTag:
    """Return the tag of the wheel that a build makes for an interpreter, from a floor on, or for any Python."""
    return WheelTag(built_for.python_tag, built_for.abi_tag, platform)


def built_for(tags: Iterable[Tag]) -> BuiltFor | None:
    """Return what a wheel with these tags was built for, the inverse of `tag_for`; None where nothing has such tags."""
    pairs = {(tag.interpreter, tag.abi) for tag in tags}
    python = ".".join(sorted({python for python, _ in pairs}))
    return next((built for built in _with_python_tag(python) if _pairs(built) == pairs), None)


def _pairs(built: BuiltFor) -> set[tuple[str, str]]:
    return {(python, abi) for python in built.python_tag.split(".") for abi in built.abi_tag.split(".")}


def _with_python_tag(text: str) -> Iterator[BuiltFor]:
    """Yield all whose wheels have a python tag."""
    if (any_python := AnyPython.named(f"{text}-none")) is not None:
        yield any_python
    match = _INTERPRETER.fullmatch(text)
    if match is not None and match["implementation"] == "pp":
        yield Interpreter(int(match["minor"]), implementation="pp")
    elif match is not None:
        for free_threaded in (False, True):
            yield Interpreter(int(match["minor"]), free_threaded)
            yield Abi3Floor(int(match["minor"]), free_threaded)


def claims(tags: Iterable[Tag], interpreter: Interpreter) -> bool:
    """Whether tags promise a wheel to this interpreter, platform aside (PEP 425, PEP 803)."""
    return any(_claims(tag.interpreter, tag.abi, interpreter) for tag in tags)


@lru_cache(maxsize=10_000)
def _claims(python: str, abi: str, interpreter: Interpreter) -> bool:
    if abi == "none":
        generic = re.fullmatch(r"py3([0-9]*)", python)
        return int(generic[1] or 0) <= interpreter.minor if generic else python == interpreter.python_tag
    match = re.fullmatch(r"cp3([0-9]+)", python)
    if abi in ("abi3", "abi3t") and match is not None:
        if interpreter.implementation != "cp" or interpreter.free_threaded != (abi == "abi3t"):
            return False
        return int(match[1]) <= interpreter.minor
    return (python, abi) == (interpreter.python_tag, interpreter.abi_tag)
