"""The factory's own wheel: it carries its data, and works where there is no checkout."""

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.host import Host
from factory.process import run
from tests.cli.program import Program, write_project
from tests.makers.wheels import make_wheel

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.executable)


def build(source: Path, target: str, into: Path) -> Path:
    """Build a distribution of ours, without isolation: hatchling is in the environment."""
    into.mkdir()
    argv = [str(PYTHON), "-m", "hatchling", "build", "--target", target, "--directory", str(into)]
    done = run(argv, env={"PATH": "/usr/bin:/bin"}, cwd=source, timeout_s=120)
    assert done.returncode == 0, done.stderr
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("built") / "wheel")


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def below(folder: str, prefix: str) -> Iterator[str]:
    """Yield what git tracks below a folder, under the names that a wheel gives it."""
    done = run(["git", "ls-files", "-z", folder], env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, cwd=ROOT, timeout_s=60)
    assert done.returncode == 0, done.stderr
    for name in done.stdout.decode().split("\0"):
        if name and (ROOT / name).exists():
            yield prefix + name.removeprefix(folder)


def test_the_wheel_carries_the_package_and_all_of_its_data(wheel: Path) -> None:
    held = names(wheel)

    assert wheel.name.startswith("wheel_factory-")
    assert set(below("factory", "factory")) <= held
    assert set(below("images", "factory/data/images")) <= held
    assert {"factory/py.typed", "factory/schemas/run-1.json", "factory/guests/tools.lock"} <= held
    assert {name.split("/")[0].split("-")[0] for name in held} == {"factory", "wheel_factory"}


@pytest.mark.slow
def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build(ROOT, "sdist", tmp_path / "sdist")
    unpacked = run(["tar", "-xzf", sdist, "-C", tmp_path], env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path, timeout_s=60)
    assert unpacked.returncode == 0, unpacked.stderr

    again = build(tmp_path / sdist.name.removesuffix(".tar.gz"), "wheel", tmp_path / "wheel")

    assert names(again) == names(wheel)


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory, host: Host) -> Program:
    """The program as README.md installs it: the wheel, and its requirements from this machine's index."""
    folder = tmp_path_factory.mktemp("elsewhere")
    uv = PYTHON.with_name("uv")
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    argv = [uv, "tool", "install", "--quiet", "--no-config", "--python", PYTHON, wheel]
    done = run([str(word) for word in argv], env={**host.tool_env, **index, **places}, cwd=folder, timeout_s=600)
    assert done.returncode == 0, done.stderr
    (folder / "demo").mkdir()
    write_project(folder / "demo")
    return Program(folder=folder / "demo", program=folder / "tools/wheel-factory/bin/factory")


@pytest.mark.slow
@pytest.mark.index
class TestInstalledElsewhere:
    def test_nothing_of_the_checkout_is_reached(self, elsewhere: Program) -> None:
        python = elsewhere.program.with_name("python")

        done = elsewhere.shell(str(python), "-c", "import factory, sys; print(factory.__file__, *sys.path, sep='\\n')")

        package, *paths = (Path(text) for text in done.stdout.splitlines() if text)
        environment = elsewhere.program.parents[1]
        assert package.is_relative_to(environment)
        # pytest's folder may itself lie in the checkout.
        assert not [path for path in paths if path.is_relative_to(ROOT) and not path.is_relative_to(environment)]

    def test_it_plans(self, elsewhere: Program) -> None:
        done = elsewhere("plan")

        assert done.code == 0, done.stderr
        assert "cp313-cp313-manylinux_2_31_x86_64" in done.stdout

    def test_it_lists_the_images_that_it_carries(self, elsewhere: Program) -> None:
        done = elsewhere("image", "list", "--json")

        names = [row["image"]["name"] for row in json.loads(done.stdout)["images"]]
        assert "lookalike-manylinux_2_31_x86_64" in names
        assert "trial-bullseye" in names

    def test_it_judges_a_wheel(self, elsewhere: Program, tmp_path: Path) -> None:
        done = elsewhere("audit", make_wheel(tmp_path))

        assert done.code == 0, done.stderr
        assert "passed" in done.stdout

    @pytest.mark.parametrize("name", ["recipe", "plan", "run", "audit", "images", "event"])
    def test_it_prints_its_schemas(self, elsewhere: Program, name: str) -> None:
        done = elsewhere("schema", name)

        assert json.loads(done.stdout)["$schema"].endswith("2020-12/schema")

    def test_it_holds_the_pins_of_its_tools_and_the_programs_that_containers_run(self, elsewhere: Program) -> None:
        python = elsewhere.program.with_name("python")
        code = (
            "from importlib.resources import files as f; "
            "print(len(f('factory.guests').joinpath('tools.lock').read_text())); "
            "print(len(f('factory.guests').joinpath('frontend.py').read_text())); "
            "print(len(f('factory.guests').joinpath('trying.py').read_text()))"
        )

        done = elsewhere.shell(str(python), "-c", code)

        assert done.code == 0, done.stderr
