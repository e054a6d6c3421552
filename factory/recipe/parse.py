"""A recipe's bytes to a Recipe, or every problem at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from factory.errors import FactoryError, InternalError, RecipeError
from factory.form.document import Mapping, compose
from factory.form.fields import fields_of
from factory.form.kinds import Place
from factory.form.lines import SIZE_LIMIT_BYTES, read_source
from factory.form.problems import Problems, StopReading
from factory.form.records import Record, Values, walk
from factory.recipe.checks import check
from factory.recipe.model import GitSource, PathSource, Recipe, SourceRef
from factory.recipe.roots import confine, default_root, refuse_way_out
from factory.recipe.sections import whole
from factory.recipe.setting import apply_settings
from factory.recipe.targets import expand
from factory.regular import open_regular
from factory.unexpected import internal_errors

_SUFFIXES = (".yaml", ".yml")
_FIELDS = fields_of(Recipe)
_BEGINNING = f"write factory: {whole.FORMAT}, then name, source, interpreters and platforms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a set of paths held: the recipes that could be read, and an error for each that could not."""

    recipes: tuple[Recipe, ...]
    errors: tuple[FactoryError, ...] = ()


def load_recipes(
    paths: Sequence[Path],
    *,
    overrides: Sequence[str] = (),
    rules: frozenset[str] | None = None,
    today: date | None = None,
    root: Path | None = None,
) -> Loaded:
    """Read every recipe among paths, each a file or a folder of `*.yaml` and `*.yml`; `root` as for `load_recipe`.

    A recipe that cannot be read, or that has the name of another, is in `errors`.
    """
    recipes: dict[str, Recipe] = {}
    errors: list[FactoryError] = []
    for file in dict.fromkeys(file for path in paths for file in _files(path, errors)):
        try:
            with internal_errors():
                recipe = load_recipe(file, overrides=overrides, rules=rules, today=today, root=root)
        except RecipeError as error:
            errors.append(error)
            continue
        except InternalError as error:
            errors.append(error.of(file))
            continue
        if (other := recipes.setdefault(recipe.name, recipe)) is not recipe:
            errors.append(
                RecipeError(f"{file} has the name {recipe.name}, as {other.file} has", hint="rename one of them")
            )
    return Loaded(recipes=tuple(recipes.values()), errors=tuple(errors))


def _files(path: Path, errors: list[FactoryError]) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        errors.append(RecipeError(f"{path} contains no recipe", hint="recipes are files that end in .yaml"))
    return files


def load_recipe(
    path: Path,
    *,
    overrides: Sequence[str] = (),
    rules: frozenset[str] | None = None,
    today: date | None = None,
    root: Path | None = None,
) -> Recipe:
    """Read one recipe from its file; see `parse_recipe`. Without a `root`, it is the repository that contains the file.

    Raises:
        RecipeError: the file cannot be read, a link leads out to it, or its content is not a recipe.
    """
    refuse_way_out(path, root)
    try:
        with open_regular(path) as stream:
            content = stream.read(SIZE_LIMIT_BYTES + 1)  # By one byte more a text that is too large is recognised.
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise RecipeError(f"cannot read {path}: {reason}", hint="name a recipe, or a folder of recipes") from error
    return parse_recipe(content, path, overrides=overrides, rules=rules, today=today, root=root or default_root(path))


def parse_recipe(
    content: bytes,
    file: Path,
    *,
    overrides: Sequence[str] = (),
    rules: frozenset[str] | None = None,
    today: date | None = None,
    root: Path | None = None,
) -> Recipe:
    """Read a recipe; `overrides` are `KEY=VALUE` texts that replace its fields.

    Where `rules` is given, waivers may name only these; `today` is when `supported` is evaluated. What the
    recipe reads of this machine must lie in `root`, where it is given.

    Raises:
        RecipeError: with every problem found, in the order of the text.
    """
    problems = Problems()
    try:
        recipe = _parse(content, file, overrides, problems, rules, today or datetime.now(UTC).date(), root)
    except StopReading:
        recipe = None
    if recipe is None or len(problems):
        raise RecipeError(_summary(file, problems), problems=problems.in_order())
    return recipe


def _summary(file: Path, problems: Problems) -> str:
    if problems.full:
        return f"{file} has {len(problems)} problems or more"
    return f"{file} has {'a problem' if len(problems) == 1 else f'{len(problems)} problems'}"


def _parse(
    content: bytes,
    file: Path,
    overrides: Sequence[str],
    problems: Problems,
    rules: frozenset[str] | None,
    today: date,
    within: Path | None,
) -> Recipe | None:
    source = read_source(content, str(file), problems)
    root = compose(source, problems) if source else None
    if source is None or (root is None and len(problems)):
        return None
    place = Place("", problems)
    if not isinstance(root, Mapping):
        shape = "contains no recipe" if root is None else "is not a recipe, which is a mapping of fields"
        place.refuse(root.span if root else source.span(0, 0), shape, _BEGINNING)
        return None
    root = apply_settings(root, overrides, problems)
    values = _WHOLE.values(root, place)
    check(values, place, rules=rules, today=today)
    if within is not None and not len(problems) and (entry := values.entry("source")) is not None:
        confine(entry, place, file.parent, within)
    return None if len(problems) else _recipe(values, file, today, within)


def _recipe(values: Values, file: Path, today: date, root: Path | None) -> Recipe:
    source: SourceRef = values["source"]
    source = replace(source, patches=tuple(file.parent / patch for patch in source.patches))
    if isinstance(source, PathSource):
        source = replace(source, path=file.parent / source.path)
    elif isinstance(source, GitSource):
        source = replace(source, root=root)
    fields = {field.key: values[field.name] for field in _FIELDS}
    return Recipe(**{**fields, "file": file, "source": source, "interpreters": expand(values["interpreters"], today)})


def _elsewhere(key: str) -> str:
    """Say to which sections a field belongs that was written at the top."""
    fields = tuple(field for field in whole.TOP if field.name != "overrides")
    homes = [name.rpartition(".")[0] for name, field in walk(fields) if field.name == key and "." in name]
    return f"it belongs under {' or '.join(homes)}" if homes else ""


_WHOLE = Record(fields=whole.TOP, build=lambda _values: None, elsewhere=_elsewhere)
