"""The interpreters that no image holds and that are brought to images on demand, as their data file declares them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from packaging.version import Version

from factory.errors import ImageError
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.rust import rust_spec
from factory.images.spec import data_folder, days_of, read_data
from factory.machines import CONTAINER_MACHINES, MACHINES
from factory.tables import Table
from factory.tags import Interpreter, PlatformTag

INTERPRETERS_FOLDER: Final = "interpreters"
PINNED_RUST: Final = Version("1.95.0")
"""The release of the Rust project that compiles where neither a recipe nor a project names one."""

_DATA: Final = "interpreters.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandSpec:
    """Where each interpreter comes from; all run wherever `platform` is promised, and the same for other machines.

    `packed` names the suite whose own binaries are moved. `compiled` names the suites whose source is compiled (the
    first that has it) on `suite` with `packages`. `fallbacks` and `delays` mean what they mean for an image.
    """

    folder: Path
    platform: PlatformTag
    packed: Mapping[Interpreter, str]
    compiled: Mapping[Interpreter, tuple[str, ...]]
    suite: str
    packages: tuple[str, ...]
    fallbacks: Mapping[str, tuple[str, ...]]
    delays: Mapping[str, int]

    def on(self, machine: str) -> Self:
        """Return where those for a machine come from: they are made alike."""
        return replace(self, platform=replace(self.platform, arch=machine))

    def lacking(self, image: ImageFacts) -> tuple[Interpreter, ...]:
        """Return the interpreters that an image does not hold and can have.

        One that was packed brings a newer glibc, on which a trial would prove nothing of the image's. None has a shared
        libpython, for which programs come to their images.
        """
        machine = image.platform.arch
        if image.role == "program" or machine not in CONTAINER_MACHINES:
            return ()
        if not self.on(machine).platform.serves(image.platform):
            return ()
        offered = (*self.compiled, *(self.packed if image.role == "build" else ()))
        return tuple(interpreter for interpreter in sorted(offered) if interpreter not in image.interpreters)


def on_demand_spec(folder: Path | None = None) -> OnDemandSpec:
    """Read the data file.

    Raises:
        ImageError: the file is invalid.
    """
    path = (folder or data_folder()) / INTERPRETERS_FOLDER / _DATA
    try:
        return _spec(path, read_data(path))
    except ValueError as error:
        raise ImageError(f"{path}: {error}", hint="images/README.md names every key") from error


def offered(facts: ImageFacts, host: Host) -> ImageFacts:
    """Add to an image's facts the pinned release of Rust, where this machine names the server that has it.

    rustc and cargo of the Rust project need glibc 2.17 on most machines, and are there for those that are known here.
    """
    runs = facts.role != "trial" and facts.platform.libc == "glibc" and facts.platform.arch in MACHINES
    return replace(facts, pinned_rust=PINNED_RUST) if host.rust_server is not None and runs else facts


def brought(facts: ImageFacts) -> ImageFacts:
    """Add to an image's facts what can be brought to it: the factory's own Rust, and interpreters."""
    (answer,) = all_brought([facts])
    return answer


def all_brought(images: Iterable[ImageFacts]) -> tuple[ImageFacts, ...]:
    """Do so for several images; the data files are read once."""
    rust, interpreters = rust_spec(), on_demand_spec()
    return tuple(
        replace(
            facts,
            on_demand=interpreters.lacking(facts),
            bundled_rust=rust.version if rust.serves(facts) else None,
        )
        for facts in images
    )


def _spec(path: Path, table: Table) -> OnDemandSpec:
    packed, compiled = table.required_table("packed"), table.required_table("compiled")
    compiler, fallback = table.required_table("compiler"), table.table("fallback")
    return OnDemandSpec(
        folder=path.parent,
        platform=PlatformTag.parse(table.required_text("platform")),
        packed=MappingProxyType({Interpreter.parse(tag): suite for tag, suite in packed.text_items()}),
        compiled=MappingProxyType(
            {Interpreter.parse(tag): compiled.required_texts(tag) for tag, _ in compiled.items()}
        ),
        suite=compiler.required_text("suite"),
        packages=compiler.required_texts("packages"),
        fallbacks=MappingProxyType({suite: fallback.texts(suite) for suite, _ in fallback.items()}),
        delays=days_of(table.table("delay")),
    )
