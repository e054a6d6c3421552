"""Small projects, most of them broken in one way and named for it, through the whole factory in one run."""

from collections.abc import Iterator
from textwrap import dedent

import pytest

from tests.docker.command import CP313, Command, Ran
from tests.docker.projects import C_MODULE, Project, make_c_project, pyproject

pytestmark = [pytest.mark.engine, pytest.mark.index]

ALARM = "\x1b[31m\x1b]0;owned\x07"
BACKEND = """\
import zipfile
def write(folder, name, tag):
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}-1.0-{tag}.whl", "w") as wheel:
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {tag}\\n")
    return f"{name}-1.0-{tag}.whl"
"""
CALL = "import subprocess, sys\nif 'bdist_wheel' in sys.argv: subprocess.check_call(%s)"


def backend_project(name: str, hook: str) -> Project:
    """A project that brings its own backend along (PEP 517, `backend-path`)."""
    system = pyproject(name, [], "backend") + 'backend-path = ["."]\n'
    return Project(name, {"pyproject.toml": system, "backend.py": BACKEND + dedent(hook)})


def with_requires(name: str, requirement: str) -> Project:
    project = make_c_project(name)
    system = pyproject(name, ["setuptools", requirement], "setuptools.build_meta")
    return Project(name, {**project.files, "pyproject.toml": system})


def write_bad(command: Command) -> Iterator[object]:
    """Write the recipes of every project that must fail."""
    yield command.recipe(backend_project("two", _WHEELS % 'write(folder, "more", "py3-none-any")'))
    yield command.recipe(backend_project("none", "def build_wheel(folder, *_): return 'none-1.0-py3-none-any.whl'"))
    yield command.recipe(make_c_project("colourful", code=f'{C_MODULE}#error "{ALARM}red"\n'))
    yield command.recipe(make_c_project("offline_word", code=f'{C_MODULE}#error "network offline"\n'))
    pip = "[sys.executable, '-m', 'pip', 'install', 'six']"
    yield command.recipe(make_c_project("pip_called", setup=CALL % pip), build={"requires": ["pip"]})
    cargo = "['cargo', 'install', '--root', '/tmp/here', 'itoa']"
    yield command.recipe(make_c_project("cargo_called", setup=CALL % cargo))
    yield command.recipe(with_requires("by_url", "evil @ file:///work/evil-1.0-py3-none-any.whl"))
    yield command.recipe(make_c_project("specific"), abi3="cp39", build={"floor": "project"})
    yield command.recipe(
        make_c_project("untrue"), test={"run": "python -c 'import untrue; assert untrue.answer() == 43'"}
    )
    yield command.recipe(make_c_project("unready"), build={"before": ["echo making", "make headers"]})
    yield command.recipe(make_c_project("hanging", setup=CALL % "['sleep', '60']"), build={"timeout": 2})


_WHEELS = "def build_wheel(folder, *_):\n    %s\n    return write(folder, 'two', 'py3-none-any')"


@pytest.fixture(scope="module")
def bad(workshop: Command) -> Ran:
    """One run of all bad projects."""
    return workshop.build(*map(str, write_bad(workshop)), "-o", "bad", "--keep")


def test_a_run_of_bad_projects_fails_as_a_whole_and_releases_nothing(bad: Ran) -> None:
    assert bad.code == 1
    assert {name for name, record in bad.records.items() if record.passed} == set()
    assert [path.name for path in (bad.folder / "bad").iterdir()] == ["SHA256SUMS"]


@pytest.mark.parametrize(
    ("recipe", "status", "step", "message"),
    [
        (
            "two",
            "failed",
            "build",
            "expected one wheel, but 2 came out: more-1.0-py3-none-any.whl, two-1.0-py3-none-any.whl",
        ),
        ("none", "failed", "build", "expected one wheel, but 0 came out"),
        ("colourful", "failed", "build", 'colourful.c:6:2: error: #error "red"'),
        ("offline-word", "failed", "build", 'offline_word.c:6:2: error: #error "network offline"'),
        ("pip-called", "failed", "build", "pip tried to get six from the network, and builds are offline"),
        ("cargo-called", "failed", "build", "cargo tried to get itoa from the network, and builds are offline"),
        ("by-url", "failed", "resolve", "evil is required by URL; only names on the package index are accepted"),
        ("specific", "failed", "audit of the built wheel", "tag-unexpected: has cp313-cp313; cp39-abi3 is expected"),
        ("untrue", "failed", "test", "AssertionError"),
        ("unready", "failed", "before", "make: *** No rule to make target 'headers'.  Stop."),
        ("hanging", "timeout", "build", "did not end within 2 s"),
    ],
)
def test_what_is_wrong_is_reported_in_one_line(bad: Ran, recipe: str, status: str, step: str, message: str) -> None:
    record, failure = bad.records[recipe], bad.failure(recipe)

    assert (record.status, failure.step, failure.message) == (status, step, message)
    assert f"{step} {failure.ended}: {message}" in bad.stderr


@pytest.mark.parametrize(
    ("recipe", "hint"),
    [
        ("pip-called", "declare it in the recipe: build: {requires: [six]}"),
        ("by-url", "write evil==VERSION"),
        ("hanging", "raise the recipe's timeout, or find out where it hangs"),
    ],
)
def test_the_hint_says_what_to_do(bad: Ran, recipe: str, hint: str) -> None:
    assert bad.failure(recipe).hint == hint


def test_a_package_cannot_steer_the_terminal(bad: Ran) -> None:
    assert "\x1b" not in bad.stderr
    assert "\x1b" not in bad.log("colourful"), "people follow it with `tail -f`"


def test_nothing_ran_of_what_requires_by_url(bad: Ran) -> None:
    assert bad.records["by-url"].seconds == {}


def test_keep_saves_the_workspace_of_a_failed_build(bad: Ran) -> None:
    assert bad.run is not None
    kept = bad.folder / bad.run.folder / "kept/colourful" / CP313

    assert "red" in (kept / "source/colourful.c").read_text()
