"""What an image holds: declared beside its pins, and probed before the first cell; the two must be equal."""

from dataclasses import dataclass
from typing import Literal

from packaging.version import Version

from factory.tags import Interpreter, PlatformTag


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """One image as it declares itself.

    `name` is how people and the command line call it (`lookalike-manylinux_2_31_x86_64`, `trial-bullseye`);
    `platform` is the policy its libc is exactly; `interpreters` are those it can build with (role `build`) or run
    (role `trial`); `rust` is the version of its Rust, None without one.
    """

    name: str
    family: str
    role: Literal["build", "trial"]
    platform: PlatformTag
    interpreters: tuple[Interpreter, ...]
    rust: Version | None = None
