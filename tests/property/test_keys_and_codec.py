"""Laws of keys and of values as JSON."""

import json
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some
from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.catalogue import Waiver
from factory.codec import JSON, dump, load
from factory.digest import Digest
from factory.keys import canonical, key
from factory.keys import document as stage_document
from factory.plan.model import Builder, Cell, Trial
from factory.recipe.model import AuditSpec, BuildSpec, FloorWay, PathSource, Recipe, SdistSource, SkipRule, Wanted
from factory.recipe.targets import PER_VERSION
from factory.stages.changes import changes
from factory.tags import Abi3Floor, AnyPython, Interpreter, PlatformTag, tag_for

texts = some.text(max_size=8)
names = some.sampled_from(["nh3", "rpds-py", "a"]).map(NormalizedName)
interpreters = some.one_of(
    some.builds(Interpreter, some.integers(0, 99), some.booleans()),
    some.builds(Interpreter, some.integers(0, 99), some.just(value=False), some.just("pp")),
)
builders = some.none() | some.builds(
    Builder, interpreter=interpreters, image=some.just("image"), rust=some.sampled_from([None, "bundle"])
)
floors = some.builds(Abi3Floor, some.integers(0, 99), some.booleans())
platforms = some.builds(
    PlatformTag, some.sampled_from(["glibc", "musl"]), some.integers(1, 3), some.integers(0, 50), some.just("x86_64")
)
requirements = some.sampled_from(["a", "a>=1", "a[b]==1; python_version < '3'", "a @ file:///b"]).map(Requirement)
sources = some.one_of(
    some.builds(
        SdistSource,
        name=names,
        version=some.sampled_from(["1", "2.0rc1", "1!3.post4"]).map(Version),
        sha256=some.none() | some.binary().map(Digest.of),
        subdir=texts,
    ),
    some.builds(PathSource, path=some.sampled_from([Path(), Path("/a/b"), Path("../é")]), subdir=texts),
)
mappings = some.dictionaries(texts, texts, max_size=3)
builds = some.builds(
    BuildSpec,
    features=some.lists(texts).map(tuple),
    floor=some.builds(FloorWay, kind=some.sampled_from(["default", "option"]), value=texts),
    config_settings=some.dictionaries(texts, some.lists(texts).map(tuple)),
    env=mappings,
    requires=some.lists(requirements).map(tuple),
)
days = some.none() | some.dates()
recipes = some.builds(
    Recipe,
    name=names,
    file=some.just(Path("recipe.yaml")),
    source=sources,
    interpreters=some.lists(
        some.builds(Wanted, interpreter=interpreters, origin=some.sampled_from(["name", "range", "supported"]))
    ).map(tuple),
    platforms=some.lists(platforms).map(tuple),
    abi3=some.none() | some.lists(floors).map(tuple),
    wheel=some.sampled_from([None, PER_VERSION, *map(AnyPython.parse, ("py3-none", "py2.py3-none", "py310-none"))]),
    skip=some.lists(some.builds(SkipRule, select=texts, reason=texts, until=days)).map(tuple),
    build=builds,
    audit=some.builds(
        AuditSpec, waive=some.lists(some.builds(Waiver, rule=texts, reason=texts, until=some.just(date.max))).map(tuple)
    ),
)
json_values: some.SearchStrategy[JSON] = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
documents = some.dictionaries(texts, json_values, max_size=3)


@given(recipes)
def test_loading_what_was_dumped_is_identity_for_recipes(recipe: Recipe) -> None:
    assert load(json.loads(json.dumps(dump(recipe))), Recipe) == recipe


@given(names, floors, builders, platforms, some.lists(interpreters, max_size=3))
def test_loading_what_was_dumped_is_identity_for_cells(
    name: NormalizedName, floor: Abi3Floor, builder: Builder | None, platform: PlatformTag, tried: list[Interpreter]
) -> None:
    cell = Cell(
        recipe=name,
        product=tag_for(floor, platform),
        floor=floor,
        platform=platform,
        builder=builder,
        trials=tuple(Trial(interpreter=one, image="trial") for one in tried),
    )

    assert load(json.loads(json.dumps(dump(cell))), Cell) == cell


@given(documents)
def test_a_document_has_the_key_of_its_copy(document: dict[str, JSON]) -> None:
    copy = json.loads(canonical(document))

    assert key(copy) == key(document)


@given(documents, documents)
def test_documents_differ_where_their_keys_do(one: dict[str, JSON], other: dict[str, JSON]) -> None:
    told = changes(stage_document("s", 1, one), stage_document("s", 1, other), lambda _: None)

    assert (key(one) == key(other)) == (told == ())
