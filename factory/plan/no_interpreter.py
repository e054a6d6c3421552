"""Builds without an interpreter: only maturin makes them, and only of abi3 wheels with a floor of their own."""

from factory.catalogue import BAZEL
from factory.errors import PlanError
from factory.plan.model import Compiler
from factory.plan.world import World
from factory.tags import Abi3Floor, BuiltFor, WheelTag

_FIELD = "build: {interpreter: none}"
_ABI3_ALONE = f'overrides: [{{select: "*-abi3*-*", {_FIELD}}}]'


def refuse_without_interpreter(world: World, built_for: BuiltFor, tag: WheelTag, compiler: Compiler) -> None:
    """Refuse a wheel for which something needs to ask an interpreter.

    Raises:
        PlanError: it is such a wheel.
    """
    if world.project.backend == BAZEL:
        raise PlanError(
            f"{_FIELD} builds without a Python, and what runs Bazel and packs the wheel is a Python program",
            hint="remove it: a wheel of an abi3 floor is the same whichever interpreter packs it",
        )
    if world.project.backend != "maturin":
        raise PlanError(
            f"{_FIELD} builds without a Python, and {world.project.build_system.build_backend} is a Python program",
            hint="remove it: of the backends only maturin has a program of its own",
        )
    if world.project.pyo3 is None:
        raise PlanError(f"{_FIELD} is for crates that use PyO3, and {world.project.name} does not", hint="remove it")
    if not isinstance(built_for, Abi3Floor):
        raise PlanError(
            f"{tag} is for one version of Python, whose interpreter PyO3 has to ask, and {_FIELD} hides interpreters",
            hint=f"name an abi3 floor, such as abi3: cp39, or hide interpreters from abi3 wheels alone: {_ABI3_ALONE}",
        )
    if compiler == "zig":
        raise PlanError(
            f"{tag} is compiled by zig, which is called by way of a Python program, and {_FIELD} hides interpreters",
            hint="write a platform under platforms that is as new as an image's, so that the image's compiler links",
        )
    if world.floors.way == "interpreter":
        raise PlanError(
            f"{tag} has the version of the interpreter that builds it as its floor, and {_FIELD} hides interpreters",
            hint=f"switch on PyO3's feature for the floor: build: {{features: [pyo3/abi3-py3{built_for.minor}]}}",
        )
