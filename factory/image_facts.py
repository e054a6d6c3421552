"""What an image contains: declared beside its pins, and probed before the first cell; the two must be equal."""

from dataclasses import dataclass
from typing import Literal

from packaging.version import Version

from factory.catalogue import PackageManager
from factory.tags import Interpreter, PlatformTag


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """One image as it declares itself.

    `name` is how people and the command line call it (`lookalike-manylinux_2_31_x86_64`, `trial-bullseye`);
    `platform` is the policy its libc is exactly; `interpreters` are those it can build with (role `build`) or run
    (role `trial`); `rust` and `c` are the versions of its Rust and its GCC, None without one. `packages` names the
    package manager of a build image, None where there is none. `bundled_rust` is the version of the factory's own Rust,
    where that can be brought to the image.
    """

    name: str
    family: str
    role: Literal["build", "trial"]
    platform: PlatformTag
    interpreters: tuple[Interpreter, ...]
    rust: Version | None = None
    c: Version | None = None
    packages: PackageManager | None = None
    bundled_rust: Version | None = None
