"""Build commands are data: what a backend is told, and in which environment."""

import json
from dataclasses import replace

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.backends.bazel import bazel_step
from factory.backends.environment import build_env
from factory.backends.hooks import before_steps, hook_step
from factory.backends.settings import config_settings
from factory.errors import PlanError
from factory.project.model import BuildSystem, Project
from factory.recipe.model import BazelSpec, BuildSpec, FloorWay
from factory.tags import Abi3Floor, Interpreter
from tests.makers.runs import make_cell

CP313 = Interpreter(13)


def make_project(backend: str = "maturin", *, manifest: str | None = None, lock: str | None = None) -> Project:
    return Project(
        name=canonicalize_name("spam"),
        version=Version("1"),
        requires_python=SpecifierSet(),
        build_system=BuildSystem(requires=(Requirement("maturin"),), build_backend="maturin"),
        backend=backend,
        cargo_manifest=manifest,
        cargo_lock=lock,
    )


def test_a_rust_extension_is_told_its_interpreter_by_an_absolute_path() -> None:
    env = build_env(BuildSpec(), make_project(manifest="Cargo.toml"), Interpreter(14, free_threaded=True), epoch_s=1)

    assert env["PYO3_PYTHON"] == "/opt/python/cp314-cp314t/bin/python"
    assert env["PYO3_BUILD_EXTENSION_MODULE"] == "1"
    assert env["CARGO_NET_OFFLINE"] == "true"


def test_the_extension_module_variable_is_absent_where_nothing_is_rust() -> None:
    """PyO3 judges it by its presence: `=0` would switch it on."""
    env = build_env(BuildSpec(), make_project("setuptools"), CP313, epoch_s=1)

    assert not [name for name in env if name.startswith("PYO3")]


def test_the_extension_module_variable_is_absent_where_programs_are_built() -> None:
    env = build_env(BuildSpec(), replace(make_project(manifest="Cargo.toml"), programs=True), CP313, epoch_s=1)

    assert "PYO3_BUILD_EXTENSION_MODULE" not in env
    assert "PYO3_PYTHON" in env


def test_a_manifest_names_the_crates_of_a_backend_that_takes_no_cargo_options() -> None:
    assert config_settings(BuildSpec(manifest="rust/Cargo.toml"), make_project("setuptools"), None) == {}


def test_a_build_inherits_nothing_but_what_is_said_here() -> None:
    env = build_env(BuildSpec(env={"SPAM": "1"}), make_project("setuptools"), CP313, epoch_s=7)

    assert set(env) == {
        *("PATH", "HOME", "TMPDIR", "LC_ALL", "SOURCE_DATE_EPOCH", "PIP_NO_INDEX"),
        *("PIP_DISABLE_PIP_VERSION_CHECK", "GIT_TERMINAL_PROMPT", "CARGO_NET_OFFLINE", "SPAM"),
    }
    assert env["SOURCE_DATE_EPOCH"] == "7"


@pytest.mark.parametrize(
    ("build", "lock", "args"),
    [
        pytest.param(BuildSpec(), None, {}, id="nothing to say"),
        pytest.param(BuildSpec(), "Cargo.lock", {"build-args": "--locked"}, id="a lock is kept"),
        pytest.param(
            BuildSpec(features=("simd", "fast"), default_features=False),
            None,
            {"build-args": ["--features", "simd,fast", "--no-default-features"]},
            id="features",
        ),
        pytest.param(BuildSpec(profile="dist"), None, {"build-args": ["--profile", "dist"]}, id="profile"),
        pytest.param(
            BuildSpec(floor=FloorWay(kind="feature", value="abi3-{floor}")),
            None,
            {"build-args": ["--features", "abi3-py39"]},
            id="the floor as a feature is spelled py39",
        ),
        pytest.param(
            BuildSpec(args=("-v",), config_settings={"build-args": ("--zig --quiet",)}),
            None,
            {"build-args": ["-v", "--zig", "--quiet"]},
            id="the recipe's own settings come last",
        ),
    ],
)
def test_maturin_is_told_by_its_build_args(
    build: BuildSpec, lock: str | None, args: dict[str, str | list[str]]
) -> None:
    settings = config_settings(build, make_project(lock=lock), Abi3Floor(9))

    assert settings == args


def test_the_floor_as_an_option_is_spelled_cp39() -> None:
    build = BuildSpec(floor=FloorWay(kind="option", value="--py-limited-api={floor}"))

    assert config_settings(build, make_project("setuptools"), Abi3Floor(9)) == {
        "--build-option": "--py-limited-api=cp39"
    }


@pytest.mark.parametrize(
    ("floor", "feature"),
    [pytest.param("cp311", "abi3-py311", id="abi3"), pytest.param("cp315t", "abi3t-py315", id="abi3t")],
)
def test_a_feature_may_name_the_abi(floor: str, feature: str) -> None:
    build = BuildSpec(floor=FloorWay(kind="feature", value="{abi}-{floor}"))

    assert config_settings(build, make_project(), Abi3Floor.parse(floor)) == {"build-args": ["--features", feature]}


@pytest.mark.parametrize(
    ("backend", "option", "spelled"),
    [
        pytest.param("setuptools", "--py-limited-api={floor}", "--py-limited-api=cp315", id="setuptools takes a tag"),
        pytest.param("pep517", "wheel.py-api={floor}", "cp315t", id="scikit-build-core takes a floor"),
    ],
)
def test_the_floor_of_both_builds_is_spelled_as_its_backend_reads_it(backend: str, option: str, spelled: str) -> None:
    build = BuildSpec(floor=FloorWay(kind="option", value=option))

    settings = config_settings(build, make_project(backend), Abi3Floor.parse("cp315t"))

    assert [*settings.values()] == [spelled]


def test_a_version_specific_cell_gets_no_floor_option() -> None:
    build = BuildSpec(floor=FloorWay(kind="option", value="--py-limited-api={floor}"))

    assert config_settings(build, make_project("setuptools"), None) == {}


@pytest.mark.parametrize("backend", ["setuptools", "pep517"])
def test_cargo_options_for_a_backend_without_cargo_are_refused_by_name(backend: str) -> None:
    with pytest.raises(PlanError, match="takes no cargo options"):
        config_settings(BuildSpec(features=("simd",)), make_project(backend), None)


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (BuildSpec(features=("simd",)), "features"),
        (BuildSpec(default_features=False), "default-features"),
        (BuildSpec(profile="dist"), "profile"),
        (BuildSpec(config_settings={"build-args": ("--quiet",)}), "config-settings"),
        (BuildSpec(floor=FloorWay(kind="feature", value="abi3-{floor}")), "floor: {feature: …}"),
    ],
)
def test_what_bazel_would_take_no_notice_of_is_refused_by_name(build: BuildSpec, field: str) -> None:
    with pytest.raises(PlanError) as caught:
        config_settings(build, make_project("bazel"), None)

    assert caught.value.message == f"spam is built by bazel, which takes no {field}"


def test_bazel_takes_its_options_and_that_of_a_floor() -> None:
    build = BuildSpec(args=("--config=fast",), floor=FloorWay(kind="option", value="--define=abi3={floor}"))
    cell = replace(make_cell("cp39-abi3-manylinux_2_31_x86_64"), floor=Abi3Floor(9))

    step = bazel_step(build, BazelSpec(target="//:demo"), cell, {"SPAM": "1"}, {"TOKEN": "x"}, subdir="native")

    order = json.loads(step.argv[-1])
    assert order["options"] == ["--config=fast", "--define=abi3=cp39"]
    assert (order["python_tag"], order["abi_tag"]) == ("cp39", "abi3")
    assert (str(step.cwd), step.env["SPAM"], step.passed) == ("/work/source/native", "1", {"TOKEN": "x"})


def test_a_hook_is_called_by_the_environments_own_python() -> None:
    step = hook_step("wheel", make_project(), {}, {}, subdir="python", timeout_s=60)

    assert step.argv[:3] == ("/work/env/bin/python", "-I", "/tools/frontend.py")
    assert (str(step.cwd), step.timeout_s) == ("/work/source/python", 60)


def test_before_lines_run_by_sh_in_the_source() -> None:
    (step,) = before_steps(BuildSpec(before=("make headers",)), {}, subdir="")

    assert (step.argv, str(step.cwd)) == (("sh", "-ec", "make headers"), "/work/source")
