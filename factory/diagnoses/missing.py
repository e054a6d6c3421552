"""What a build looks for on the system, and in which paths packages of Debian hold such things."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["header", "library", "pkg-config", "cmake", "program", "perl"]

_PLACES: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        "header": ("usr/include/{0}", "usr/include/{arch}-linux-gnu/{0}"),
        "library": ("usr/lib/{arch}-linux-gnu/lib{0}.so", "usr/lib/lib{0}.so"),
        "pkg-config": (
            "usr/lib/{arch}-linux-gnu/pkgconfig/{0}.pc",
            "usr/lib/pkgconfig/{0}.pc",
            "usr/share/pkgconfig/{0}.pc",
        ),
        "cmake": (
            "usr/lib/{arch}-linux-gnu/cmake/{0}/{0}Config.cmake",
            "usr/lib/{arch}-linux-gnu/cmake/{1}/{1}-config.cmake",
            "usr/lib/cmake/{0}/{0}Config.cmake",
            "usr/lib/cmake/{1}/{1}-config.cmake",
            "usr/lib/{arch}-linux-gnu/pkgconfig/{0}.pc",
            "usr/lib/{arch}-linux-gnu/pkgconfig/{1}.pc",
            "usr/lib/{arch}-linux-gnu/pkgconfig/lib{1}.pc",
        ),
        "program": ("usr/bin/{0}",),
        "perl": ("usr/share/perl5/{0}.pm",),
    }
)
"""`{0}` is the name as it was asked for, `{1}` the same in small letters (Debian Policy, 9.1; CMake's find_package)."""

_ANYWHERE: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        "header": ("usr/include/*/{0}",),
        "cmake": tuple(
            f"usr/{root}/*/{base}" for root in ("lib", "share") for base in ("{0}Config.cmake", "{1}-config.cmake")
        ),
        "perl": ("usr/*/{0}.pm",),
    }
)
"""`*` is any folders, also none."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing by its kind, and its name as a build asks for it.

    Of a header that is its path below a folder of headers, of a library what follows `-l`, of a Perl module its path
    without `.pm`. `cmake` is for find_package, which looks for a package's configuration, or for headers and libraries.
    """

    kind: Kind
    name: str

    def paths(self, arch: str) -> tuple[str, ...]:
        """Return the paths at which Debian's packages for an architecture (`x86_64`) hold such a thing."""
        return tuple(place.format(self.name, self.name.lower(), arch=arch) for place in _PLACES[self.kind])

    @property
    def any_folder(self) -> tuple[str, ...]:
        """Paths in any folder: of headers to which only `pkg-config` or a `-I` leads, of what lies below a version."""
        return tuple(place.format(self.name, self.name.lower()) for place in _ANYWHERE.get(self.kind, ()))

    @property
    def words(self) -> str:
        """Its name as people write it."""
        return {
            "library": f"lib{self.name}.so",
            "pkg-config": f"{self.name}.pc",
            "cmake": f"{self.name}, for CMake's find_package",
            "perl": f"{self.name}.pm",
        }.get(self.kind, self.name)
