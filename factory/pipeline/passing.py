"""What a recipe takes over of the environment of whoever runs the factory (`build.pass-env`)."""

from collections.abc import Mapping
from types import MappingProxyType

from factory.errors import PlanError
from factory.host import Host
from factory.pipeline.order import Order
from factory.recipe.model import BuildSpec


def passed_variables(build: BuildSpec, host: Host) -> Mapping[str, str]:
    """Return the values of the variables that a build is passed. They may be secret: keys hold their digests alone.

    Raises:
        PlanError: one is not set here.
    """
    values = {name: host.variable(name) for name in build.pass_env}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise PlanError(
            f"the environment has no {', '.join(missing)}, which build.pass-env asks for",
            hint=f"set it ({missing[0]}=… factory build …), or take it out of the recipe",
        )
    return MappingProxyType({name: value for name, value in values.items() if value is not None})


def require_passed(order: Order, host: Host) -> None:
    """Refuse an order for whose cells a variable is missing, before any work.

    Raises:
        PlanError: one is not set here.
    """
    for cell in order.plan.cells:
        try:
            passed_variables(order.at(cell).recipe.build, host)
        except PlanError as error:
            raise error.of(order.recipe.file) from error
