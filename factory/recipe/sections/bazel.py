"""`build.bazel`: what Bazel builds, and what the factory needs to pack a wheel of it."""

from packaging.requirements import Requirement
from packaging.version import Version

from factory.errors import Span
from factory.form.fields import optional, required, section
from factory.form.kinds import Place, Text
from factory.form.records import Values
from factory.recipe import texts
from factory.recipe.sections.shared import IN_SOURCE, LINE, REQUIREMENTS, distinct

_PACKED = ("packages", "version", "requires-python", "dependencies", "description")


@section
class BazelSpec:
    """A target, and the metadata of the wheel that is packed where the target makes a shared object.

    `packages` are folders of the project; each is packed under its own last name.
    """

    target: str = required(
        kind=Text(name="a label", parse=texts.bazel_label),
        doc="The target to build. Its output is a wheel, or the shared object of an extension module.",
        example="target: //:demo",
        hint="write the label of a target: bazel: {target: //:demo}",
        level="recipe",
        enters=("build",),
    )
    module: str | None = optional(
        kind=Text(name="a module", parse=texts.module),
        doc="The dotted name under which the shared object is imported, for a target that makes one.",
        example="module: demo._native",
        default=None,
        shown_default="none: the target makes the wheel",
        level="recipe",
        enters=("build",),
    )
    packages: tuple[str, ...] = optional(
        kind=distinct(IN_SOURCE, "a list of paths in the source"),
        doc="Folders of the project to pack with the module, each under its own last name.",
        example="packages: [python/demo]",
        default=(),
        level="recipe",
        enters=("build",),
    )
    version: Version | None = optional(
        kind=Text(name="a version", parse=texts.version),
        doc="The version of the wheel that is packed.",
        example='version: "1.0"',
        default=None,
        shown_default="none: the target makes the wheel",
        level="recipe",
        enters=("build",),
    )
    requires_python: str = optional(
        kind=Text(name="a version specifier", parse=texts.specifier),
        doc="The versions of Python that the wheel may be installed on.",
        example="requires-python: '>=3.9'",
        default="",
        shown_default="any",
        level="recipe",
        enters=("build",),
    )
    dependencies: tuple[Requirement, ...] = optional(
        kind=REQUIREMENTS,
        doc="What the wheel requires when it is installed.",
        example="dependencies: ['numpy>=2']",
        default=(),
        level="recipe",
        enters=("build",),
    )
    description: str | None = optional(
        kind=LINE,
        doc="The summary of the wheel, in one line.",
        example="description: Fast sums",
        default=None,
        shown_default="none",
        level="recipe",
        enters=("build",),
    )


def check_bazel(values: Values, place: Place, _span: Span) -> None:
    """Refuse half of what it takes to pack a wheel: both a module and a version are needed, or neither."""
    module, version = values.entry("module"), values.entry("version")
    if module is not None and version is None:
        message = "the factory packs this module's wheel, and the recipe gives no version"
        place.at("module").refuse(module.key_span, message, 'add the version: version: "1.0"')
    given = [entry for name in _PACKED if (entry := values.entry(name))]
    for entry in given if module is None else ():
        message = "is for a wheel that the factory packs, which needs a module"
        place.at(entry.key).refuse(
            entry.key_span, message, "add module: demo, or remove it if the target makes a wheel"
        )
