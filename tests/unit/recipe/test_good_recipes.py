"""Recipes that read: what each field becomes."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement
from packaging.version import Version

from factory.catalogue import Waiver
from factory.digest import Digest
from factory.form.document import Mapping, Node, Scalar, Sequence, compose
from factory.form.lines import source_of
from factory.form.problems import Problems
from factory.recipe import model
from factory.recipe.parse import load_recipe
from factory.recipe.roots import default_root
from factory.recipe.schema import schema
from factory.tags import Abi3Floor, AnyPython, Interpreter, PlatformTag
from tools.messages import BAD, DATA, GOOD, RULES, TODAY
from tools.shown_fields import OURS, title


def load(name: str, *overrides: str) -> model.Recipe:
    return load_recipe(DATA / "good" / f"{name}.yaml", overrides=overrides, rules=RULES, today=TODAY)


def wanted(recipe: model.Recipe) -> dict[str, str]:
    return {str(wanted.interpreter): wanted.origin for wanted in recipe.interpreters}


def test_what_the_smallest_recipe_leaves_out_has_its_default() -> None:
    recipe = load("smallest")

    assert recipe == model.Recipe(
        name=recipe.name,
        file=DATA / "good" / "smallest.yaml",
        source=model.SdistSource(name=recipe.name, version=Version("0.3.7")),
        interpreters=recipe.interpreters,
        platforms=(PlatformTag.parse("manylinux_2_28_x86_64"),),
    )
    assert recipe.name == "nh3"
    assert wanted(recipe) == {"cp313": "name"}


def test_every_field_becomes_what_it_says() -> None:
    recipe = load("everything")

    assert recipe.name == "hyper-json"
    assert recipe.source == model.SdistSource(
        name=recipe.source.name if isinstance(recipe.source, model.SdistSource) else recipe.name,
        version=Version("1.2.3"),
        sha256=Digest("0123456789abcdef" * 4),
        subdir="python",
        keep=("build/templates", "python/demo/libvendor.so"),
    )
    assert recipe.abi3 == (Abi3Floor(9), Abi3Floor(11), Abi3Floor(15, free_threaded=True))
    assert [str(platform) for platform in recipe.platforms] == [
        "manylinux_2_17_x86_64",
        "manylinux_2_28_aarch64",
        "musllinux_1_2_x86_64",
    ]
    assert recipe.skip == (
        model.SkipRule(select="*-cp314t-*", reason="PyO3 0.26", until=date(2027, 1, 1)),
        model.SkipRule(select="hyper-json/cp39-abi3-*", reason="3.9 is tried elsewhere"),
    )
    assert recipe.repair == model.RepairSpec(exclude=("libcuda.so.*",), strip=True)
    assert recipe.audit == model.AuditSpec(
        modules=("hyperjson._native",),
        guessed_modules=("hyperjson._simd",),
        max_size_bytes=1_572_864,
        against=model.AgainstSpec(most_growth=0.125, lost="error"),
        waive=(
            Waiver(rule="wheel-too-large", subject="*.so", reason="tables of Unicode", until=date(2027, 6, 30)),
            Waiver(rule="libpython-linked", reason="a program embeds it"),
        ),
    )
    assert recipe.test == model.TestSpec(
        requires=(Requirement("pytest>=8"),),
        extras=("fast-path",),
        run=("pytest -q {source}/tests", "python -c \"print(f'{1}', {'wheel': 1}, '{wheel}')\"\n"),
        source="whole",
        imports=("hyperjson",),
        unimported=("hyperjson._g*",),
        resolve=("highest", "lowest-direct"),
        gil=model.GilSpec(allowed="it is old"),
        threads=8,
        stubs=True,
        stub_allowlist="tests/stubtest-allowlist.txt",
        processor="x86-64-v2",
        timeout_s=600,
        untried="allow",
    )


def test_every_field_of_the_build_becomes_what_it_says() -> None:
    recipe = load("everything")

    assert recipe.build == model.BuildSpec(
        backend="maturin",
        features=("simd", "pyo3/abi3"),
        default_features=False,
        profile="dist",
        manifest="crates/hyperjson/Cargo.toml",
        locked=False,
        args=("--verbose",),
        toolchain=model.Toolchain(rust=">=1.83", c=">=10"),
        floor=model.FloorWay(kind="feature", value="abi3-{floor}"),
        interpreter="none",
        system={"apt": ("libpq-dev", "g++"), "dnf": ("libpq-devel",), "apk": ()},
        before_all=("dnf -y module enable postgresql:16",),
        before=("make headers", 'test -f headers.h\necho "${source}"\n'),
        config_settings={"build-args": ("--quiet",), "--build-option": ("--one", "--two")},
        env={"RUSTFLAGS": "-C target-cpu=x86-64-v2", "EMPTY": "", "PYO3_USE_ABI3_FORWARD_COMPATIBILITY": "1"},
        pass_env=("SOME_TOKEN",),
        path=("/opt/tool/bin",),
        requires=(Requirement("cython >= 3"),),
        constraints=(Requirement("setuptools < 80"),),
        timeout_s=5400,
        memory_bytes=4_000_000_000,
        disk_bytes=40_000_000_000,
    )


@pytest.mark.parametrize(
    ("wheel", "becomes"),
    [
        ("py3-none", AnyPython()),
        ("py2.py3-none", AnyPython("py2.py3")),
        ("py310-none", AnyPython("py310")),
        ("per-version", "per-version"),
    ],
)
def test_a_recipe_may_say_how_wheels_are_tagged_that_have_no_floor(wheel: str, becomes: object) -> None:
    assert load("any-python", f"wheel={wheel}").wheel == becomes


def test_programs_are_commands_on_some_interpreters() -> None:
    assert load("everything").programs == model.ProgramsSpec(
        run=("cargo test --no-default-features", "cargo run -p profiling"),
        interpreters=(Interpreter(11), Interpreter(13)),
        manifest="profiling/Cargo.toml",
        timeout_s=1800,
    )


def test_an_override_keeps_what_it_names_and_nothing_else() -> None:
    recipe = load("everything")

    assert recipe.overrides == (
        model.Override(
            span=None,
            select="*-musllinux_*",
            paths=(
                ("build", "locked"),
                ("build", "env", "EMPTY"),
                ("build", "toolchain", "c"),
                ("audit", "max_size_bytes"),
            ),
            build=model.BuildSpec(env={"EMPTY": "no longer"}, toolchain=model.Toolchain(c=">=12")),
            audit=model.AuditSpec(max_size_bytes=2_000_000),
        ),
        model.Override(
            span=None,
            select="*@cp39",
            paths=(("test", "requires"),),
            test=model.TestSpec(requires=(Requirement("pytest<8"),)),
        ),
    )


def test_an_interpreter_that_is_named_must_be_possible_even_where_a_range_brings_it_too() -> None:
    recipe = load("everything")

    assert wanted(recipe) == {
        "cp39": "range",
        "cp310": "range",
        "cp311": "range",
        "pp311": "name",
        "cp312": "supported",
        "cp313": "name",
        "cp314": "supported",
        "cp314t": "name",
        "cp315": "supported",
    }


def test_a_tree_is_found_from_the_recipes_folder() -> None:
    recipe = load("tree")

    assert recipe.source == model.PathSource(path=DATA / "good" / "../examples/hyperjson")
    assert recipe.build.floor == model.FloorWay(kind="project")


def test_a_commit_elsewhere_is_named_by_its_revision_and_patches_lie_beside_the_recipe() -> None:
    recipe = load("repository")

    fixes = DATA / "good/fixes"
    assert recipe.source == model.GitSource(
        url="https://example.org/nh3",
        rev="v0.3.7",
        subdir="python",
        patches=(fixes / "first.patch", fixes / "second.patch"),
        root=default_root(fixes),
    )


def test_an_archive_elsewhere_is_named_by_its_digest() -> None:
    recipe = load("archive")

    assert recipe.source == model.UrlSource(
        url="https://example.org/archive/refs/tags/v0.3.7.tar.gz",
        sha256=Digest("71860d01c16f4d8c72e334e0674beb2b0899dbd0bf760de18932ef4390303848"),
    )


def test_line_ends_of_windows_are_line_ends() -> None:
    recipe = load("windows-line-ends")

    assert set(wanted(recipe).values()) == {"supported"}


def test_an_override_replaces_a_field_and_leaves_its_neighbours() -> None:
    plain = load("everything")

    recipe = load(
        "everything",
        "build.timeout=60",
        "interpreters=[cp311, cp313, cp315t]",
        "repair.strip=false",
        "build.timeout=2m",
    )

    assert recipe.build == replace(plain.build, timeout_s=120)
    assert recipe.repair == replace(plain.repair, strip=False)
    assert wanted(recipe) == {"cp311": "name", "cp313": "name", "cp315t": "name"}


def test_an_override_brings_a_section_that_the_recipe_has_not() -> None:
    recipe = load("smallest", "test.run=python -c 'import nh3'", 'build.env.DEBUG="1"')

    assert recipe.test.run == ("python -c 'import nh3'",)
    assert recipe.build.env == {"DEBUG": "1"}


@pytest.mark.parametrize("recipe", OURS, ids=title)
def test_our_own_recipes_read(recipe: Path) -> None:
    assert load_recipe(recipe, today=TODAY).name == title(recipe)


@pytest.mark.parametrize("recipe", [recipe for recipe in OURS if recipe.parent.name == "recipes"], ids=title)
def test_recipes_of_projects_that_others_wrote_list_names(recipe: Path) -> None:
    read = load_recipe(recipe, today=TODAY)

    assert {wanted.origin for wanted in read.interpreters} == {"name"}


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("recipe", [*GOOD, *OURS], ids=title)
def test_the_schema_admits_what_the_parser_reads(recipe: Path) -> None:
    document = as_json(recipe)

    errors = list(Draft202012Validator(schema()).iter_errors(document))

    assert errors == []


REFUSED_BY_SCHEMA = [
    *("empty", "missing-fields", "unknown-fields", "wrong-shapes", "no-values", "no-reason", "format-2"),
    *("yes-is-not-true", "manylinux2020", "backend", "interpreter-spellings", "format-as-text", "sizes-and-durations"),
]


@pytest.mark.parametrize("name", REFUSED_BY_SCHEMA)
def test_the_schema_refuses_what_an_editor_can_see(name: str) -> None:
    document = as_json(next(recipe for recipe in BAD if recipe.stem == name))

    assert not Draft202012Validator(schema()).is_valid(document)


def as_json(recipe: Path) -> object:
    """Read a recipe as a YAML 1.2 editor would."""
    node = compose(source_of(recipe.read_bytes().decode(), recipe.name), Problems())
    return json.loads(json.dumps(_plain(node)))


def _plain(node: Node | None) -> object:
    match node:
        case Mapping(entries=entries):
            return {entry.key: _plain(entry.value) for entry in entries}
        case Sequence(items=items):
            return [_plain(item) for item in items]
        case Scalar(text=text, meaning="int") if text.isdecimal():
            return int(text)
        case Scalar(text="true" | "false" as text, meaning="bool"):
            return text == "true"
        case Scalar(text=text, meaning=meaning):
            return None if meaning == "null" else text
    return None
