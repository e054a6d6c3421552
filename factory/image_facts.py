"""What an image contains: declared beside its pins, and probed before the first cell; the two must be equal."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias, get_args

from packaging.version import Version

from factory.catalogue import PackageManager
from factory.codec import ABSENT
from factory.tags import Interpreter, PlatformTag
from factory.untrusted import UntrustedTextError, parse_version

Role: TypeAlias = Literal["build", "trial", "program"]
"""Wheels are built in an image, tried in it, or programs that link libpython are built and run in it."""

ROLES: tuple[Role, ...] = get_args(Role)

_RELEASE = re.compile(r"(?P<interpreter>[a-z0-9]{1,9}) (?P<version>[0-9a-z.+]{1,40})")


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """Which release of its version an interpreter is: `cp39 3.9.2`."""

    interpreter: Interpreter
    version: Version

    def __str__(self) -> str:
        return f"{self.interpreter} {self.version}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `cp39 3.9.2`.

        Raises:
            ValueError: the text is none, or the release is of another version of Python.
        """
        if (match := _RELEASE.fullmatch(text)) is None:
            raise ValueError(f"{text!r} is not a release such as 'cp39 3.9.2'")
        return cls.of(match["interpreter"], match["version"])

    @classmethod
    def of(cls, interpreter: str, version: str) -> Self:
        """Read an interpreter and its release.

        Raises:
            ValueError: one of them is none, or the release is of another version of Python.
        """
        try:
            release = cls(Interpreter.parse(interpreter), parse_version(version))
        except UntrustedTextError as error:
            raise ValueError(f"{version!r} is not a version") from error
        if release.version.release[:2] != (3, release.interpreter.minor):
            raise ValueError(f"{version} is no release of {interpreter}")
        return release


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """One image as it declares itself.

    `name` is how people and the command line call it (`lookalike-manylinux_2_31_x86_64`, `trial-bullseye`);
    `platform` is the policy its libc is exactly; `interpreters` are those it can build with (role `build`) or run (role
    `trial`, and role `program`, which has their libpython, too); `rust` and `c` are the versions of its Rust and its
    GCC, None without one. `packages` names the package manager of an image that packages can be added to, None where
    there is none. `bundled_rust` is the version of the factory's own Rust, where that can be brought to the image.
    `pinned_rust` is the release of the Rust project that is brought where nothing names another, None where no release
    can be: this machine does not name its server, or the image runs none.
    `releases` are the interpreters of which more than the version is known; the image has these or newer ones.
    `on_demand` are interpreters that it does not hold, and that are made and brought to it where a recipe lists them.
    `machines` are others for which a trial image's suite has the same: its userland for them is brought to the image.
    """

    name: str
    family: str
    role: Role
    platform: PlatformTag
    interpreters: tuple[Interpreter, ...]
    rust: Version | None = None
    c: Version | None = None
    packages: PackageManager | None = None
    bundled_rust: Version | None = None
    pinned_rust: Version | None = field(default=None, metadata={ABSENT: True})
    releases: tuple[Release, ...] = field(default=(), metadata={ABSENT: True})
    on_demand: tuple[Interpreter, ...] = field(default=(), metadata={ABSENT: True})
    machines: tuple[str, ...] = field(default=(), metadata={ABSENT: True})

    def release_of(self, interpreter: Interpreter) -> Version | None:
        """Return which release an interpreter is; None where that is not known."""
        return next((release.version for release in self.releases if release.interpreter == interpreter), None)

    def can_have(self, interpreter: Interpreter) -> bool:
        """Whether the image holds an interpreter, or it can be made and brought there."""
        return interpreter in self.interpreters or interpreter in self.on_demand

    def on(self, machine: str) -> Self | None:
        """Return what it is with its suite's userland for a machine; None where that cannot be brought to it.

        Interpreters that are made on demand are made for the image's own machine alone.
        """
        if machine == self.platform.arch:
            return self
        if machine not in self.machines:
            return None
        return replace(self, platform=replace(self.platform, arch=machine), on_demand=())
