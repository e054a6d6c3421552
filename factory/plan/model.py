"""The plan as frozen values: cells, trials, skips, and the reason for each."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from packaging.utils import NormalizedName
from packaging.version import Version

from factory.catalogue import PackageManager
from factory.codec import ABSENT, INLINED, WRITTEN_AS
from factory.machines import USUAL_MACHINE
from factory.tags import Abi3Floor, Interpreter, Platform, PlatformTag, ProgramTag, WheelTag, WindowsTag, has_musl

RustOrigin = Literal["image", "bundle", "release"]
Compiler = Literal["image", "zig", "mingw"]

Product: TypeAlias = WheelTag | ProgramTag
"""What a cell makes: a wheel by its tag, or programs that ran on an interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One try of a cell's wheel; `image` is the trial image's name, None where no image has the interpreter.

    `on_demand` says that the image does not hold the interpreter, which is made and brought there; `where_built` that
    it is the image that builds the wheel, because no plain one has the interpreter.
    """

    interpreter: Interpreter
    image: str | None
    on_demand: bool = False
    where_built: bool = field(default=False, metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What a build image gets before its cells use it: the recipe's own commands, then packages of its distribution.

    `manager` is the image's; `packages` are sorted; `before_all` are shell lines.
    """

    manager: PackageManager | None
    packages: tuple[str, ...]
    before_all: tuple[str, ...]

    def __str__(self) -> str:
        """Say in one line what an image gets."""
        commands = ["before-all"] if self.before_all else []
        return ", ".join([*commands, *(f"{self.manager} {name}" for name in self.packages)])


@dataclass(frozen=True, slots=True, kw_only=True)
class RustRelease:
    """A release of the Rust project that is brought to an image.

    `name` is `1.89.0`, or `1.89` or `stable` for the newest of several. What that is has to meet `wanted`, a version
    specifier, which is empty where any will do. `or_bundle` says that the factory's bundle compiles instead where the
    server does not answer: nothing names the release, and the bundle fits, too.
    """

    name: str
    wanted: str = ""
    or_bundle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """What makes a cell's product: an interpreter in an image, named `image`; None where it has to do without one.

    `preparation` is what the image gets before, and `rust` whether it compiles with the image's Rust, the factory's
    bundle, or `rust_release`; None where there is no Rust to compile. `compiler` is what compiles C
    and C++ and links: the image's own, or zig or mingw-w64 for the cell's platform. `on_demand` says that the image
    does not hold the interpreter: it is made and brought there.
    """

    interpreter: Interpreter | None
    image: str
    preparation: Preparation | None = None
    rust: RustOrigin | None = None
    compiler: Compiler = "image"
    on_demand: bool = False
    rust_release: RustRelease | None = None

    @property
    def packages(self) -> tuple[str, ...]:
        """The system packages that the image gets."""
        return () if self.preparation is None else self.preparation.packages


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One wheel that is owed, or the programs of one interpreter.

    `platform` is what a wheel must run on, a ceiling, or the libc that programs run on. `builder` is None when no image
    here can build it (`unbuildable`: still owed); in JSON its fields stand beside the others, and are null then.
    `floor` is the abi3 floor it must keep, None for a version-specific wheel.
    `loader` names the trial image with the oldest libc, whose own loader must resolve every object of the wheel.
    `untried` are claimed and unlisted interpreters the factory knows of. `machine` is that of the containers that build
    and try it.
    """

    recipe: NormalizedName
    product: Product = field(metadata={WRITTEN_AS: "tag"})
    floor: Abi3Floor | None
    platform: Platform
    builder: Builder | None = field(metadata={INLINED: Builder})
    trials: tuple[Trial, ...]
    loader: str | None = None
    untried: tuple[Interpreter, ...] = ()
    machine: str = field(default=USUAL_MACHINE, metadata={ABSENT: True})

    @property
    def id(self) -> str:
        """The tag its wheel will carry, or that of its programs."""
        return str(self.product)

    @property
    def by_zig(self) -> bool:
        """Whether zig compiles it."""
        return self.builder is not None and self.builder.compiler == "zig"

    @property
    def emulated(self) -> str | None:
        """The machine that is emulated inside the containers that load and try its wheel; None for their own.

        Windows is emulated nowhere.
        """
        is_of_linux = isinstance(self.platform, PlatformTag)
        return self.platform.arch if is_of_linux and self.platform.arch != self.machine else None

    @property
    def zigs_platform(self) -> PlatformTag | None:
        """The platform that zig compiles for; None where another compiler does."""
        return self.platform if self.by_zig and isinstance(self.platform, PlatformTag) else None

    @property
    def mingws_platform(self) -> WindowsTag | None:
        """The platform that mingw-w64 compiles for; None where another compiler does."""
        return self.platform if isinstance(self.platform, WindowsTag) else None

    @property
    def is_foreign(self) -> bool:
        """Whether it is for another machine or libc than the interpreter's that builds it."""
        return self.platform.arch != self.machine or (self.by_zig and has_musl(self.platform))

    @property
    def is_repaired(self) -> bool:
        """Whether auditwheel repairs its wheel: it knows Linux alone."""
        return isinstance(self.platform, PlatformTag)

    @property
    def untried_reason(self) -> str:
        """Why nothing here tries its wheel, whichever images there are; empty where that depends on them."""
        return "" if self.mingws_platform is None else "there is no Windows here"

    @property
    def wheel_tag(self) -> WheelTag:
        """The tag of its wheel.

        Raises:
            TypeError: it makes no wheel.
        """
        if not isinstance(self.product, WheelTag):
            raise TypeError(f"{self.product} is not a wheel's tag")
        return self.product

    @property
    def makes_wheel(self) -> bool:
        """Whether it makes a wheel: programs only run."""
        return isinstance(self.product, WheelTag)

    @property
    def address(self) -> str:
        """`<recipe>/<id>`, unique among recipes."""
        return f"{self.recipe}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Something left out, and why: `subject` is a cell's id or an interpreter's name."""

    subject: str
    reason: str
    kind: Literal["recipe", "requires-python", "pyo3", "floor", "selection", "image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The image that builds for a platform, its family, and why it was chosen where no family was named."""

    platform: Platform
    image: str
    family: str
    why: str

    def __str__(self) -> str:
        """Say so in one line."""
        return f"{self.image} builds for {self.platform}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything owed for one recipe; `file` is the recipe's path, as the user named it.

    `distribution` is the project's own name, which its wheels carry; the recipe may have another.

    `notes` are sentences for people: where the floor was read, what it may break. `chosen` says which image builds for
    each platform, and why; empty where families were named. `machine` is the engine's own: containers for others are
    emulated.
    """

    recipe: NormalizedName
    file: Path
    distribution: NormalizedName
    version: Version | None
    floor_source: str
    cells: tuple[Cell, ...]
    skips: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    chosen: tuple[Chosen, ...] = field(default=(), metadata={ABSENT: True})
    machine: str = field(default=USUAL_MACHINE, metadata={ABSENT: True})
