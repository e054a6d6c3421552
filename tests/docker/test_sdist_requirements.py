"""Requirements that the index has only as sdists, pure and native: built in containers, used by a build and a trial."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.docker.command import CP313, Command, Ran
from tests.docker.projects import C_MODULE, Project, make_c_project, make_rust_project, pyproject
from tests.makers.index import Index, serve_index
from tests.makers.sources import make_sdist, member

pytestmark = [pytest.mark.engine, pytest.mark.index]

OLD_SETUP = "from setuptools import setup\nsetup(name='purely', version='1.0', py_modules=['purely'])\n"
USES = "import natively, purely; assert natively.answer() == purely.answer == 42"
TOLD = "(only an sdist on the index fits)"


def with_requires(name: str, *requires: str, setup: str = "") -> Project:
    """A C project that needs more than setuptools to be built."""
    project = make_c_project(name, setup=setup)
    system = pyproject(name, ["setuptools", *requires], "setuptools.build_meta")
    return Project(name, {**project.files, "pyproject.toml": system})


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with serve_index() as served:
        served.add_sdist("purely", "1.0", {"setup.py": OLD_SETUP, "purely.py": "answer = 42\n"})
        served.add_sdist("natively", "1.0", make_c_project("natively").files)
        served.add_sdist("ringone", "1.0", with_requires("ringone", "ringtwo").files)
        served.add_sdist("ringtwo", "1.0", with_requires("ringtwo", "ringone").files)
        served.add_sdist("broken", "1.0", make_c_project("broken", code=f'{C_MODULE}#error "no good"\n').files)
        hostile = make_sdist(tmp_path_factory.mktemp("hostile"), [member("hostile-1.0/../../evil")])
        served.files["hostile-1.0.tar.gz"] = hostile.read_bytes()
        yield served


@pytest.fixture(scope="module")
def extra(index: Index) -> Mapping[str, str]:
    """The index beside the machine's own, which has setuptools."""
    return {"UV_EXTRA_INDEX_URL": f"{index.url}/simple/"}


@pytest.fixture(scope="module")
def recipes(workshop: Command) -> list[Path]:
    used = with_requires("user", "natively", "purely", setup=f"import sys\nif 'bdist_wheel' in sys.argv: {USES}")
    test = {"requires": ["natively", "purely"], "run": f'python -c "{USES}"'}
    bad = [workshop.recipe(with_requires(f"needs_{name}", name)) for name in ("ringone", "broken", "hostile")]
    return [workshop.recipe(used, test=test), *bad]


@pytest.fixture(scope="module")
def ran(workshop: Command, recipes: list[Path], extra: Mapping[str, str]) -> Ran:
    return workshop.build(*recipes, env=extra)


def test_a_build_and_a_trial_use_what_was_built_of_sdists(ran: Ran) -> None:
    record = ran.records["user"]

    assert record.status == "passed", ran.stderr
    assert record.from_source == record.trials[0].from_source == ("natively 1.0", "purely 1.0")
    assert f"built from source: natively 1.0 {TOLD}, for 1 wheel" in ran.stderr


def test_only_the_recipes_own_wheel_is_released(ran: Ran) -> None:
    names = [path.name for path in (ran.folder / "dist").iterdir()]

    assert sorted(names) == ["SHA256SUMS", f"user-1.0-{CP313}.whl"]


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        pytest.param(
            "needs-ringone",
            "ringone 1.0 needs ringtwo 1.0 to be built, which needs ringone 1.0 to be built: "
            "no index has a wheel that fits",
            id="a cycle",
        ),
        pytest.param(
            "needs-broken",
            'broken 1.0 could not be built from its sdist: broken.c:6:2: error: #error "no good"',
            id="a sdist that does not compile",
        ),
        pytest.param(
            "needs-hostile",
            "hostile 1.0 could not be built from its sdist: ",
            id="a sdist that leads out of its folder",
        ),
    ],
)
def test_what_cannot_be_built_is_a_sentence(ran: Ran, recipe: str, message: str) -> None:
    assert ran.records[recipe].status == "failed"
    assert message in ran.failure(recipe).message


@pytest.mark.slow
def test_an_sdist_in_rust_without_a_lock_gets_one_from_cargo(command: Command) -> None:
    with serve_index() as index:
        index.add_sdist("rustily", "1.0", make_rust_project("rustily", lock="").files)
        recipe = command.recipe(
            make_c_project("rusty"), test={"requires": ["rustily"], "run": "python -c 'import rustily'"}
        )

        ran = command.build(recipe, env={"UV_EXTRA_INDEX_URL": f"{index.url}/simple/"})

    assert ran.records["rusty"].trials[0].from_source == ("rustily 1.0",), ran.stderr
    assert ran.code == 0


def test_they_are_remembered_without_the_index(
    ran: Ran, workshop: Command, recipes: list[Path], extra: Mapping[str, str], index: Index
) -> None:
    assert ran.records["user"].passed
    index.asked.clear()

    again = workshop.build(recipes[0], env=extra)

    assert (again.code, again.containers, index.asked) == (0, 0, [])
    assert f"built from source: purely 1.0 {TOLD}, for 1 wheel" in again.stderr
