"""Who builds a wheel: which of an image's interpreters, or none."""

from typing import assert_never

from factory.catalogue import BAZEL
from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.installable import runs
from factory.plan.compiler import refuse_image_libraries
from factory.plan.images import admits
from factory.plan.limits import pyo3_excludes
from factory.plan.model import Builder, Compiler
from factory.plan.no_interpreter import refuse_without_interpreter
from factory.plan.on_demand import held_by
from factory.plan.toolchain import preparation, rust_of
from factory.plan.windows import with_mingw
from factory.plan.world import World
from factory.recipe.model import Recipe
from factory.tags import Abi3Floor, AnyPython, BuiltFor, Interpreter, WheelTag, has_musl


def builder_of(
    world: World, recipe: Recipe, built_for: BuiltFor, tag: WheelTag, image: ImageFacts, compiler: Compiler
) -> Builder | None:
    """Return what builds a wheel; None where the image has no interpreter that may, and the wheel stays owed.

    Raises:
        PlanError: the image has not, and cannot be given, what the recipe asks for.
    """
    added, (rust, release) = preparation(recipe, image), rust_of(recipe, world.project, image, tag.platform)
    if compiler == "zig" and recipe.build.backend == BAZEL:
        raise PlanError(
            f"{tag} would be compiled by zig, which Bazel's toolchains do not call",
            hint=f"write {image.platform} under platforms, which the compiler of {image.name} serves",
        )
    if compiler == "zig":
        refuse_image_libraries(tag.platform, image, added)
        _refuse_pypy(built_for, tag)
    elif compiler == "mingw":
        added = with_mingw(added)
    if recipe.build.interpreter == "none":
        refuse_without_interpreter(world, built_for, tag, compiler)
        return Builder(
            interpreter=None, image=image.name, preparation=added, rust=rust, rust_release=release, compiler=compiler
        )
    interpreter = _building(world, built_for, image)
    if interpreter is None:
        return None
    return Builder(
        interpreter=interpreter,
        image=image.name,
        preparation=added,
        rust=rust,
        rust_release=release,
        compiler=compiler,
        on_demand=interpreter in image.on_demand,
    )


def _refuse_pypy(built_for: BuiltFor, tag: WheelTag) -> None:
    if isinstance(built_for, Interpreter) and built_for.implementation == "pp" and has_musl(tag.platform):
        raise PlanError(
            f"{tag} cannot be built: there is no PyPy for musl",
            hint=f'skip: [{{select: "{built_for.python_tag}-*-musllinux_*", reason: "there is no PyPy for musl"}}]',
        )


def _building(world: World, built_for: BuiltFor, image: ImageFacts) -> Interpreter | None:
    """Choose the interpreter that builds a wheel; None where the image has none that may, and the wheel stays owed."""
    match built_for:
        case Interpreter():
            return built_for if _has(image, built_for, world) else None
        case AnyPython():
            return next((interpreter for interpreter in sorted(world.owed) if _has(image, interpreter, world)), None)
        case Abi3Floor():
            return _floor_builder(world, built_for, image)
        case _:
            assert_never(built_for)


def _has(image: ImageFacts, interpreter: Interpreter, world: World) -> bool:
    return image.can_have(interpreter) and admits(world.project.requires_python, image, interpreter)


def _floor_builder(world: World, floor: Abi3Floor, image: ImageFacts) -> Interpreter:
    """Choose the interpreter that builds an abi3 wheel: the lowest listed one of those covered that the image can have.

    Without a listed one, an unlisted one that the image holds serves. Where the interpreter decides the floor, it must
    be exactly that.

    Raises:
        PlanError: the image has none.
    """
    pyo3 = world.project.pyo3.version if world.project.pyo3 else None
    able = [
        interpreter
        for interpreter in sorted({*image.interpreters, *(wanted for wanted in world.owed if image.can_have(wanted))})
        if floor.covers(interpreter)
        and runs(world.project.requires_python, interpreter)
        and admits(world.project.requires_python, image, interpreter)
        and not (pyo3 is not None and pyo3_excludes(pyo3, interpreter, by_floor=False))
        and (world.floors.way != "interpreter" or interpreter.minor == floor.minor)
        and (not world.floors.always_on or world.floors.made_by(interpreter) == floor)
        and (interpreter.free_threaded or not _needs_free_threaded(world, floor))
    ]
    listed = [interpreter for interpreter in able if interpreter in world.owed]
    if able:
        return (listed or able)[0]
    only = "; abi3t is made by a free-threaded one alone" if _needs_free_threaded(world, floor) else ""
    raise PlanError(f"no interpreter of {image.name} can build the abi3 floor {floor}", hint=held_by(image) + only)


def _needs_free_threaded(world: World, floor: Abi3Floor) -> bool:
    """Whether only a free-threaded interpreter makes a floor's wheel: maturin alone makes abi3t by any (maturin#3113).

    Others make it by what builds: setuptools 84 (`stable_abi_tag`), scikit-build-core 1.1 (`_stable_abi_tag`).
    """
    return floor.free_threaded and (world.recipe.build.backend or world.project.backend) != "maturin"
