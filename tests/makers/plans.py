"""Makers of what a plan is made of: each states only the fact that matters to its test."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.catalogue import PackageManager
from factory.image_facts import ImageFacts, Release, Role
from factory.machines import USUAL_MACHINE
from factory.plan.model import Cell, Plan
from factory.plan.planner import plan
from factory.project.model import BuildSystem, Project, Pyo3, ReadFloor, ReadTag
from factory.recipe.model import (
    AuditSpec,
    BuildSpec,
    FloorWay,
    Override,
    PathSource,
    ProgramsSpec,
    Recipe,
    RepairSpec,
    SkipRule,
    SourceRef,
    Toolchain,
    Wanted,
)
from factory.recipe.targets import tagging
from factory.tags import Abi3Floor, AnyPython, Interpreter, PlatformTag, platform_of

TODAY = date(2026, 11, 22)
P31 = "manylinux_2_31_x86_64"


def interpreters(text: str) -> tuple[Interpreter, ...]:
    return tuple(Interpreter.parse(word) for word in text.split())


def floors(text: str) -> tuple[Abi3Floor, ...]:
    return tuple(Abi3Floor.parse(word) for word in text.split())


def make_recipe(
    listed: str = "cp39 cp311 cp313",
    *,
    origin: Literal["name", "range", "supported"] = "name",
    abi3: str | None = None,
    way: FloorWay | None = None,
    platforms: str = P31,
    skip: Sequence[SkipRule] = (),
    source: SourceRef | None = None,
    rust: str | None = None,
    c: str | None = None,
    overrides: Sequence[Override] = (),
    build: BuildSpec | None = None,
    wheel: str | None = None,
    programs: ProgramsSpec | None = None,
    repair: RepairSpec | None = None,
    audit: AuditSpec | None = None,
) -> Recipe:
    """Make a recipe named demo that lists these interpreters."""
    return Recipe(
        name=canonicalize_name("demo"),
        file=Path("demo.yaml"),
        source=source or PathSource(path=Path()),
        interpreters=tuple(Wanted(interpreter=interpreter, origin=origin) for interpreter in interpreters(listed)),
        platforms=tuple(platform_of(text) for text in platforms.split()),
        abi3=None if abi3 is None else floors(abi3),
        wheel=None if wheel is None else tagging(wheel),
        skip=tuple(skip),
        overrides=tuple(overrides),
        programs=programs,
        repair=repair or RepairSpec(),
        audit=audit or AuditSpec(),
        build=build or BuildSpec(floor=way or FloorWay(), toolchain=Toolchain(rust=rust, c=c)),
    )


def make_project(
    *,
    backend: str = "setuptools",
    requires_python: str = "",
    pyo3: str | None = None,
    features: str = "",
    floor: str | None = None,
    floor_way: Literal["default", "project"] = "default",
    rust: str | None = None,
    crate: bool = False,
    any_abi: str | None = None,
    programs: bool = False,
    program_manifest: str | None = None,
    absent_program_locks: tuple[str, ...] = (),
    limited_api: bool = False,
    unread_floor: str | None = None,
    computed_tags: str | None = None,
) -> Project:
    """Make a project named demo; `pyo3` and `floor` are text, as is what PyO3 is asked for."""
    return Project(
        name=canonicalize_name("demo"),
        version=Version("1.0"),
        requires_python=SpecifierSet(requires_python),
        build_system=BuildSystem(requires=(), build_backend=backend),
        backend=backend,
        pyo3=Pyo3(version=Version(pyo3), features=frozenset(features.split())) if pyo3 else None,
        floor=ReadFloor(floors=floors(floor), way=floor_way, where=f"the source says {floor}") if floor else None,
        rust_version=Version(rust) if rust else None,
        any_abi=None if any_abi is None else ReadTag(tag=AnyPython(), where=any_abi),
        programs=programs,
        program_manifest=program_manifest,
        absent_program_locks=absent_program_locks,
        limited_api=limited_api,
        unread_floor=unread_floor,
        computed_tags=computed_tags,
        cargo_manifest="Cargo.toml" if crate or pyo3 or rust else None,
    )


def make_image(
    held: str = "cp39 cp311 cp313",
    *,
    platform: str = P31,
    family: str = "lookalike",
    rust: str | None = "1.97",
    c: str | None = "10.2",
    manager: PackageManager | None = "apt",
    role: Role = "build",
    name: str = "",
    releases: str = "",
    on_demand: str = "",
) -> ImageFacts:
    """Make a build image that holds these interpreters, of which `releases` are known: `cp39==3.9.2`."""
    return ImageFacts(
        name=name or f"{family if role == 'build' else role}-{platform}",
        family=family,
        role=role,
        platform=PlatformTag.parse(platform),
        interpreters=interpreters(held),
        rust=Version(rust) if rust else None,
        c=Version(c) if c else None,
        packages=manager,
        releases=tuple(Release.of(*text.split("==")) for text in releases.split()),
        on_demand=interpreters(on_demand),
    )


def make_trial_image(held: str, platform: str, releases: str = "", on_demand: str = "") -> ImageFacts:
    """Make a trial image."""
    return make_image(held, platform=platform, role="trial", rust=None, c=None, releases=releases, on_demand=on_demand)


def make_program_image(held: str, platform: str) -> ImageFacts:
    """Make an image in which programs link libpython, and to which Rust can be brought."""
    return replace(make_image(held, platform=platform, role="program", rust=None), bundled_rust=Version("1.97"))


def for_aarch64(image: ImageFacts) -> ImageFacts:
    """Return the same image for aarch64."""
    others = ("x86_64",) if image.role == "trial" else ()
    name = image.name.replace("x86_64", "aarch64")
    return replace(image, name=name, platform=replace(image.platform, arch="aarch64"), machines=others)


IMAGES = (
    make_image(),
    make_trial_image("cp39", P31),
    make_trial_image("cp311", "manylinux_2_36_x86_64"),
    make_trial_image("cp313", "manylinux_2_41_x86_64"),
    make_program_image("cp311", "manylinux_2_36_x86_64"),
    make_program_image("cp313", "manylinux_2_41_x86_64"),
)


def make_plan(
    recipe: Recipe | None = None,
    project: Project | None = None,
    *,
    images: Sequence[ImageFacts] = IMAGES,
    families: Sequence[str] = ("lookalike",),
    machine: str = USUAL_MACHINE,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Plan:
    """Plan with our images on a fixed day, for an engine on a machine."""
    return plan(
        recipe or make_recipe(),
        project or make_project(),
        images,
        families=families,
        today=TODAY,
        machine=machine,
        only=only,
        skip=skip,
    )


def image_of(cell: Cell) -> str | None:
    """Name the image that builds a cell; None where none can."""
    return None if cell.builder is None else cell.builder.image


def summary_of(made: Plan) -> dict[str, str]:
    """Show a plan's cells as one line each: who builds, who tries."""
    return {
        cell.id.removesuffix(f"-{P31}"): f"{cell.builder.interpreter if cell.builder else None} | "
        + " ".join(f"{trial.interpreter}{'' if trial.image else '?'}" for trial in cell.trials)
        for cell in made.cells
    }
