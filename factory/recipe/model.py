"""What was asked: the recipe as frozen values, defaults filled in, nothing left to parse."""

from factory.recipe.floorway import FloorWay
from factory.recipe.sections.bazel import BazelSpec
from factory.recipe.sections.build import BuildSpec, Toolchain
from factory.recipe.sections.gate import AgainstSpec, AuditSpec, RepairSpec, SkipRule
from factory.recipe.sections.overrides import Override
from factory.recipe.sections.programs import ProgramsSpec
from factory.recipe.sections.source import GitSource, PathSource, SdistSource, SourceRef, UrlSource
from factory.recipe.sections.trial import GilSpec, TestSpec
from factory.recipe.sections.whole import Recipe
from factory.recipe.targets import Wanted

__all__ = [
    "AgainstSpec",
    "AuditSpec",
    "BazelSpec",
    "BuildSpec",
    "FloorWay",
    "GilSpec",
    "GitSource",
    "Override",
    "PathSource",
    "ProgramsSpec",
    "Recipe",
    "RepairSpec",
    "SdistSource",
    "SkipRule",
    "SourceRef",
    "TestSpec",
    "Toolchain",
    "UrlSource",
    "Wanted",
]
