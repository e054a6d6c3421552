"""What an absent field means: the default in the table of fields is that of the value which a recipe becomes."""

import dataclasses
from collections.abc import Mapping

import pytest

from factory.catalogue import Waiver
from factory.form.fields import Field
from factory.form.records import walk
from factory.recipe import model
from factory.recipe.sections.whole import TOP

FIELDS = dict(walk(TOP))
SECTIONS: Mapping[str, type] = {
    "": model.Recipe,
    "source.": model.SdistSource,
    "build.": model.BuildSpec,
    "build.toolchain.": model.Toolchain,
    "repair.": model.RepairSpec,
    "audit.": model.AuditSpec,
    "audit.waive[].": Waiver,
    "test.": model.TestSpec,
    "programs.": model.ProgramsSpec,
    "skip[].": model.SkipRule,
    "overrides[].": model.Override,
}


def defaults(section: type) -> dict[str, object]:
    """Return the defaults of a dataclass by its attributes."""
    made = {}
    for attribute in dataclasses.fields(section):
        if attribute.default is not dataclasses.MISSING:
            made[attribute.name] = attribute.default
        elif attribute.default_factory is not dataclasses.MISSING:
            made[attribute.name] = attribute.default_factory()
    return made


def fields_of(prefix: str) -> dict[str, Field]:
    """Return the fields of a section by their attributes."""
    below = {name.removeprefix(prefix): field for name, field in FIELDS.items() if name.startswith(prefix)}
    return {field.key: field for name, field in below.items() if "." not in name}


@pytest.mark.parametrize("prefix", SECTIONS)
def test_a_field_and_its_attribute_have_one_default(prefix: str) -> None:
    fields, attributes = fields_of(prefix), defaults(SECTIONS[prefix])

    assert {key: field.default for key, field in fields.items() if key in attributes} == {
        key: attributes[key] for key in fields if key in attributes
    }


@pytest.mark.parametrize("prefix", SECTIONS)
def test_every_attribute_with_a_default_is_a_field(prefix: str) -> None:
    assert set(defaults(SECTIONS[prefix])) <= set(fields_of(prefix))
