"""The composite action that other repositories use: its steps, and the lines of the README that call it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from factory.host import Host
from tests.makers.action import ACTION, EXPRESSION, ROOT, WORKFLOWS, ShellStep, action_inputs, parsed, steps_in

BIN = Path(sys.executable).parent
INSTALL, BUILD = steps_in(parsed(ACTION))
ALL = [
    pytest.param(step, id=f"{path.stem}: {step.name}")
    for path in (ACTION, *WORKFLOWS)
    for step in steps_in(parsed(path))
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
(LINES,) = re.findall(r"```yaml\n(    steps:\n.*?)```", README, flags=re.DOTALL)
INJECTED = "$(touch pwned) `touch pwned`; touch pwned #' \" && touch pwned"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "runner").mkdir()
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path / "runner"),
        "DOCKER_HOST": "unix:///nonexistent.sock",
    }


@pytest.fixture
def installed(tmp_path: Path, env: dict[str, str]) -> dict[str, str]:
    """The program that the tests run, in the place where the first step puts it."""
    (tmp_path / "runner/wheel-factory/bin").mkdir(parents=True)
    (tmp_path / "runner/wheel-factory/bin/factory").symlink_to(BIN / "factory")
    return env


def project(folder: Path) -> None:
    """Write a project that can be planned, as a repository that uses the action has it."""
    (folder / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1"\n')
    for name in ("recipe.yaml", "other.yaml"):
        (folder / name).write_text(
            "factory: 1\nname: demo\nsource: {path: .}\ninterpreters: [cp313]\nplatforms: [manylinux_2_31_x86_64]\n"
        )


@pytest.mark.parametrize("step", ALL)
def test_no_script_holds_an_expression_which_could_hold_commands(step: ShellStep) -> None:
    assert not EXPRESSION.findall(step.script)


@pytest.mark.parametrize("step", ALL)
def test_every_script_is_clean(step: ShellStep) -> None:
    done = subprocess.run(
        [BIN / "shellcheck", "--shell=bash", "-"],
        input=step.script,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == ""


def test_the_action_has_these_inputs_and_each_reaches_a_step() -> None:
    used = {name for step in (INSTALL, BUILD) for text in step.env.values() for name in EXPRESSION.findall(text)}

    assert action_inputs().keys() == {f"inputs.{name}" for name in ("recipe", "output", "families", "version")}
    assert action_inputs().keys() <= used


def test_its_defaults_build_the_recipe_that_lies_in_the_folder(tmp_path: Path, installed: dict[str, str]) -> None:
    project(tmp_path)

    done = BUILD.run(action_inputs(), cwd=tmp_path, env=installed)

    assert done.returncode == 4, done.stderr
    assert "no container engine answers" in done.stderr


def test_what_the_inputs_name_is_taken(tmp_path: Path, installed: dict[str, str]) -> None:
    project(tmp_path)

    def said(**inputs: str) -> str:
        given = {f"inputs.{name}": text for name, text in inputs.items()}
        return BUILD.run({**action_inputs(), **given}, cwd=tmp_path, env=installed).stderr

    assert said(recipe="other.yaml").startswith("factory: no container engine answers")
    assert said(recipe="none.yaml").startswith("factory: cannot read none.yaml")
    assert said(families="such").startswith("factory: 'such' is not an image family")


@pytest.mark.parametrize("name", ["recipe", "output", "families"])
def test_an_input_is_never_run(tmp_path: Path, installed: dict[str, str], name: str) -> None:
    project(tmp_path)

    done = BUILD.run({**action_inputs(), f"inputs.{name}": INJECTED}, cwd=tmp_path, env=installed)

    assert done.returncode != 0
    assert not list(tmp_path.rglob("pwned"))


def test_an_input_is_never_an_option(tmp_path: Path, installed: dict[str, str]) -> None:
    project(tmp_path)

    done = BUILD.run({**action_inputs(), "inputs.recipe": "--help"}, cwd=tmp_path, env=installed)

    assert done.stderr.startswith("factory: cannot read --help")


def test_an_old_python_is_named(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "old").mkdir()
    python = tmp_path / "old/python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)

    done = INSTALL.run(
        {**action_inputs(), "github.action_path": str(ROOT), "github.server_url": "", "github.action_repository": ""},
        cwd=tmp_path,
        env={**env, "PATH": f"{tmp_path / 'old'}:{env['PATH']}"},
    )

    assert done.returncode == 1
    assert done.stdout.startswith("::error::python3 is missing or older than 3.11")


@pytest.mark.index
@pytest.mark.thorough
@pytest.mark.parametrize("version", ["", "a-tag"])
def test_the_factory_is_installed_from_the_action_or_from_a_version_of_its_repository(
    tmp_path: Path, env: dict[str, str], host: Host, version: str
) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    repository = tmp_path / "servers/owner/factory"
    subprocess.run(["git", "clone", "--quiet", ROOT, repository], check=True)
    subprocess.run(["git", "-C", repository, *identity, "tag", "a-tag"], check=True)
    places = {
        "github.action_path": str(ROOT if not version else tmp_path / "nowhere"),
        "github.server_url": f"file://{tmp_path / 'servers'}",
        "github.action_repository": "owner/factory",
    }
    index = {"PIP_INDEX_URL": host.index_url} if host.index_url else {}
    certificates = {} if host.certificates is None else {"PIP_CERT": str(host.certificates)}
    path = f"{Path(sys.base_prefix) / 'bin'}:{env['PATH']}"

    done = INSTALL.run(
        {**action_inputs(), **places, "inputs.version": version},
        cwd=tmp_path,
        env={**env, **host.network_env, **index, **certificates, "PATH": path},
    )

    assert done.returncode == 0, done.stderr
    installed = tmp_path / "runner/wheel-factory/bin/factory"
    project(tmp_path)
    planned = subprocess.run([installed, "plan"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert planned.returncode == 0, planned.stderr
    held = {path.name.partition("-")[0] for path in (tmp_path / "runner/wheel-factory").rglob("*.dist-info")}
    assert {"docker", "uv", "wheel_factory"} <= held
    assert not {"mypy", "pytest", "ruff"} & held, "developers' tools are not installed"


def test_four_lines_of_a_workflow_are_all_that_another_repository_needs() -> None:
    lines = LINES.splitlines()[1:]
    steps = yaml.safe_load("\n".join(lines))

    assert len(lines) == 4
    assert [step["uses"].partition("@")[0] for step in steps] == ["actions/checkout", "OWNER/wheel-factory"]
    assert {f"inputs.{name}" for name in steps[1]["with"]} <= action_inputs().keys()


def test_the_four_lines_stand_in_a_workflow_that_is_clean(tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / "action.yml").write_bytes(ACTION.read_bytes())
    workflow = tmp_path / ".github/workflows/wheels.yml"
    local = LINES.replace("OWNER/wheel-factory@main", "./")  # actionlint reads the inputs of an action that is there
    workflow.write_text(f"on: push\njobs:\n  wheels:\n    runs-on: ubuntu-24.04\n{local}")
    (tmp_path / ".git").mkdir()

    done = subprocess.run([BIN / "actionlint"], cwd=tmp_path, capture_output=True, text=True, check=False)
    workflow.write_text(workflow.read_text().replace("recipe:", "receipt:"))
    wrong = subprocess.run([BIN / "actionlint"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
    assert 'input "receipt" is not defined' in wrong.stdout
