"""Environment variables that a recipe passes from the caller to its builds (`build.pass-env`)."""

from collections.abc import Iterable, Mapping
from shlex import quote
from types import MappingProxyType

from factory.errors import PlanError
from factory.host import Host
from factory.planned import PlannedRecipe
from factory.recipe.model import BuildSpec, Recipe
from factory.redaction import SHORTEST


def require_allowed(recipe: Recipe, host: Host, command: str) -> None:
    """Refuse a recipe that asks for a variable whose name the caller has not allowed, before anything is fetched.

    Raises:
        PlanError: it does; the hint is the command line that allows the variable.
    """
    asked = [*recipe.build.pass_env, *(name for override in recipe.overrides for name in override.build.pass_env)]
    refused = _refused(asked, host)
    if refused:
        flags = " ".join(f"--allow-env {name}" for name in sorted({*asked}))
        raise PlanError(
            f"{recipe.file}: {_unallowed(refused)}",
            hint=f"if the recipe may read them, add {flags} to the command: "
            f"factory {command} {quote(str(recipe.file))} {flags}; "
            f"or set FACTORY_PASS_ENV={','.join(sorted({*host.pass_env, *refused}))}",
        )


def passed_variables(build: BuildSpec, host: Host) -> Mapping[str, str]:
    """Return the values of the variables that a build is passed. They may be secret: keys hold their digests alone.

    Raises:
        PlanError: one is not allowed, is not set here, or is not UTF-8.
    """
    if refused := _refused(build.pass_env, host):
        raise PlanError(_unallowed(refused), hint="allow it with --allow-env or in FACTORY_PASS_ENV")
    values = {name: host.variable(name) for name in build.pass_env}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise PlanError(
            f"the environment has no {', '.join(missing)}, which build.pass-env asks for",
            hint=f"set it ({missing[0]}=… factory build …), or remove it from the recipe",
        )
    passed = {name: value for name, value in values.items() if value is not None}
    for name, value in passed.items():
        if not _is_text(value):
            raise PlanError(
                f"the value of {name} is not UTF-8",
                hint="encode it, for instance as base64: build.pass-env passes text only",
            )
    return MappingProxyType(passed)


def require_passed(planned: PlannedRecipe, host: Host) -> Mapping[str, str]:
    """Return every value that the cells of a recipe are passed.

    Raises:
        PlanError: a variable is not set here, not allowed or not UTF-8.
    """
    passed: dict[str, str] = {}
    for cell in planned.plan.cells:
        try:
            passed |= passed_variables(planned.at(cell).recipe.build, host)
        except PlanError as error:
            raise error.of(planned.recipe.file) from error
    return passed


def shown_values(passed: Mapping[str, str]) -> str:
    """Say which variables' values are too short to be hidden in logs; empty where all are hidden."""
    short = [name for name, value in sorted(passed.items()) if 0 < len(value) < SHORTEST]
    if not short:
        return ""
    return f"{', '.join(short)}: shorter than {SHORTEST} characters, so logs show the value"


def _refused(names: Iterable[str], host: Host) -> list[str]:
    return sorted({*names} - host.pass_env)


def _unallowed(names: Iterable[str]) -> str:
    return f"build.pass-env asks for environment variables that are not allowed: {', '.join(names)}"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
