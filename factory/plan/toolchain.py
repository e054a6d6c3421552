"""What a build image needs to compile a source, and what is added to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from factory.catalogue import LISTED_UNDER, STABLE, ZIG, is_rust_release
from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.plan.model import Cell, Preparation, RustOrigin, RustRelease
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.tags import Platform, has_musl
from factory.untrusted import excerpt

_ELSEWHERE = "choose another platform, or other images by --families"
_HINT = f"{_ELSEWHERE}: the factory does not install toolchains for recipes"
_BRING = "set RUSTUP_DIST_SERVER to the address of the Rust project's server or of a mirror, as for rustup"
_NEWER = Version("1.9999")  # what the newest release is, is not known before a server is asked
_HELD_BY: Mapping[RustOrigin, str] = MappingProxyType(
    {"image": "", "bundle": "the factory's own", "release": "the Rust project's pinned release"}
)


def refuse_c(recipe: Recipe, image: ImageFacts) -> None:
    """Refuse an image whose GCC is not what the recipe asks for.

    Raises:
        PlanError: it is missing, or not the one that was asked for.
    """
    asked = recipe.build.toolchain.c
    wanted = SpecifierSet("" if asked in (None, ZIG) else asked)
    if wanted and (image.c is None or image.c not in wanted):
        held = image.c or "none"
        raise PlanError(f"the recipe asks for GCC {wanted}; {image.name} has {held}", hint=_HINT)


def rust_of(
    recipe: Recipe, project: Project, image: ImageFacts, platform: Platform
) -> tuple[RustOrigin | None, RustRelease | None]:
    """Say whose Rust compiles, and which release where it is the Rust project's own; None without Rust.

    A release that the recipe names compiles; where it says nothing, the one that the project's `rust-toolchain` names,
    if releases can be brought. Else the image's own Rust, the pinned or the newest release, and the factory's bundle:
    the first that fits. For another machine or libc than the image's it is never the image's.

    Raises:
        PlanError: none is there, or each is too old, or not the one that was asked for.
    """
    asked = recipe.build.toolchain.rust
    if project.cargo_manifest is None and not asked:
        return None, None
    if asked is not None and (asked == STABLE or is_rust_release(asked)):
        _refuse_unbrought(asked, image)
        return "release", _named(asked, project, "the recipe asks for")
    file = project.rust_file
    if asked is None and file is not None and image.pinned_rust is not None and is_rust_release(file.channel or ""):
        return "release", _named(str(file.channel), project, f"{file.path} asks for")
    return _fitting(recipe, project, image, platform)


def _refuse_unbrought(name: str, image: ImageFacts) -> None:
    """Refuse a release that cannot be brought to an image."""
    if image.pinned_rust is not None:
        return
    if image.platform.libc != "glibc":
        message = f"the recipe asks for Rust {name}; no release of the Rust project is brought to {image.name}, which "
        raise PlanError(f"{message}has {image.platform.libc}", hint=_ELSEWHERE)
    raise PlanError(
        f"the recipe asks for Rust {name}, and RUSTUP_DIST_SERVER, the server to fetch it from, is not set",
        hint=f"{_BRING}; or ask for a floor, rust: '>=1.83', which another Rust may meet",
    )


def _named(name: str, project: Project, who: str) -> RustRelease:
    floor = project.rust_version
    if floor is not None and name != STABLE and Version(_newest(name)) < floor:
        raise PlanError(f"{project.name} needs Rust {floor}; {who} {name}", hint=f"ask for {floor} or a newer one")
    return RustRelease(name=name, wanted=_wanted("", floor))


def _newest(name: str) -> str:
    """Return the newest version that a release may turn out to be."""
    return name if name.count(".") > 1 else f"{name}.9999"


def _wanted(asked: str, floor: Version | None) -> str:
    return ",".join(part for part in (asked, f">={floor}" if floor is not None else "") if part)


def _fitting(
    recipe: Recipe, project: Project, image: ImageFacts, platform: Platform
) -> tuple[RustOrigin | None, RustRelease | None]:
    asked = recipe.build.toolchain.rust or ""
    wanted, reasons = SpecifierSet(asked), []
    is_foreign = platform.arch != image.platform.arch or has_musl(platform) != has_musl(image.platform)
    for origin, version in _rusts(image, is_foreign=is_foreign):
        why = _unfit(recipe, project, wanted, version)
        if not why and origin == "release":
            name, must = (STABLE, _wanted(asked, project.rust_version)) if version == _NEWER else (str(version), "")
            bundle = image.bundled_rust
            or_bundle = bundle is not None and not _unfit(recipe, project, wanted, bundle)
            return origin, RustRelease(name=name, wanted=must, or_bundle=or_bundle)
        if not why:
            return origin, None
        reasons.append(f"{why}; {_HELD_BY[origin] or image.name} has {version}{_std(platform, image)}")
    if not reasons:
        libc, arch = image.platform.libc, image.platform.arch
        message = (
            f"{recipe.name} needs Rust; {image.name} has none, and the factory's own does not support {libc} on {arch}"
        )
        raise PlanError(message, hint=_ELSEWHERE)
    is_served = image.pinned_rust is not None
    if image.platform.libc != "glibc":
        raise PlanError(reasons[0], hint=f"no release of the Rust project is brought to it; {_ELSEWHERE}")
    if not asked and not is_served:
        raise PlanError(reasons[0], hint=f"{_BRING}: any release can then be brought; or {_ELSEWHERE}")
    newest = max(version for _, version in _rusts(image, is_foreign=False) if version != _NEWER)
    raise PlanError(reasons[0], hint=_a_release(wanted, project, newest, is_served=is_served))


def _a_release(wanted: SpecifierSet, project: Project, newest: Version, *, is_served: bool) -> str:
    """Say that a release can be named, and which: the newest that would fit, of those up to the newest known here."""
    floor = project.rust_version or Version("0")
    fitting = (f"1.{minor}" for minor in range(newest.minor, 0, -1) if Version(f"1.{minor}") in wanted)
    release = next((name for name in fitting if Version(name) >= floor), None)
    such_as = "" if release is None else f", such as build: {{toolchain: {{rust: '{release}'}}}}"
    takes = "a Rust that is at hand or the newest release" if is_served else "a Rust that is at hand"
    how = "" if is_served else f", and {_BRING}; or {_ELSEWHERE}"
    return f"a version specifier takes {takes}; to have another one fetched, name a release{such_as}{how}"


def _std(platform: Platform, image: ImageFacts) -> str:
    if platform.arch == image.platform.arch:
        return ""
    return f", and no other here has a standard library for {platform.arch}"


def _rusts(image: ImageFacts, *, is_foreign: bool) -> Iterator[tuple[RustOrigin, Version]]:
    if image.rust is not None and not is_foreign:
        yield "image", image.rust
    if image.pinned_rust is not None:
        yield from (("release", image.pinned_rust), ("release", _NEWER))
    if image.bundled_rust is not None:
        yield "bundle", image.bundled_rust


def _unfit(recipe: Recipe, project: Project, wanted: SpecifierSet, version: Version) -> str:
    """Say why a Rust of this version does not fit; nothing if it does."""
    if wanted and version not in wanted:
        return f"the recipe asks for Rust {wanted}"
    if project.rust_version is not None and version < project.rust_version:
        return f"{recipe.name} needs Rust {project.rust_version}"
    return ""


def brought_rusts(cells: Iterable[Cell]) -> Iterator[str]:
    """Yield in one line for each image which Rust is brought to it."""
    builders = [cell.builder for cell in cells if cell.builder is not None]
    brought = [builder for builder in builders if builder.rust in ("bundle", "release")]
    for image, release in dict.fromkeys((builder.image, builder.rust_release) for builder in brought):
        whose = "Debian's" if release is None else f"{release.name} of the Rust project"
        otherwise = "; Debian's where the server does not answer" if release is not None and release.or_bundle else ""
        yield f"rust: {whose} is brought to {image}{otherwise}"


def toolchain_notes(recipe: Recipe, project: Project, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield that a project's `rust-toolchain` is not used, where neither it nor the recipe decides."""
    file, builders = project.rust_file, [cell.builder for cell in cells if cell.builder is not None]
    compiled = [builder for builder in builders if builder.rust is not None]
    if file is None or file.channel == STABLE or recipe.build.toolchain.rust is not None or not compiled:
        return
    if file.channel is None or not is_rust_release(file.channel):
        says = "names no channel" if file.channel is None else f"asks for Rust {excerpt(file.channel)}"
        yield f"{file.path} {says}, and is not used: the factory fetches only releases of Rust and stable"
        return
    for name in dict.fromkeys(builder.image for builder in compiled if builder.rust_release is None):
        yield (
            f"{file.path} asks for Rust {file.channel}, and is not used in {name}: RUSTUP_DIST_SERVER is not set, "
            "or the image runs no release of the Rust project"
        )


def preparation(recipe: Recipe, image: ImageFacts) -> Preparation | None:
    """Say what an image gets before a recipe's cells use it; None where the recipe asks for nothing.

    Raises:
        PlanError: the recipe lists system packages, but none for the image's package manager.
    """
    build, manager = recipe.build, image.packages
    listed = None if manager is None else LISTED_UNDER[manager]
    if build.system and listed not in build.system:
        has = f"has {manager}" if manager else "installs none"
        hint = f"add build: {{system: {{{listed}: […]}}}} with this distribution's names, [] where it needs none"
        raise PlanError(
            f"{recipe.name} lists system packages for {', '.join(build.system)}; {image.name} {has}",
            hint=hint if manager else _ELSEWHERE,
        )
    packages = () if listed is None else tuple(sorted(build.system.get(listed, ())))
    if not packages and not build.before_all:
        return None
    return Preparation(manager=manager, packages=packages, before_all=build.before_all)
