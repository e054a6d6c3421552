"""A recipe from a source: what could be read is filled in, and what could not is listed below with the reason."""

from factory.init.draft import Origin
from factory.init.recipe import recipe_of
from factory.init.settle import Settled
from factory.init.system import PackageIndex

__all__ = ["Origin", "PackageIndex", "Settled", "recipe_of"]
