"""What CI servers run: the action's build step, and the nightly workflow's steps that keep images, on a real engine."""

import os
import shutil
import subprocess
from pathlib import Path

import docker
import pytest

from factory.engine.docker import DockerEngine
from tests.docker.command import CP313, PROGRAM, Command
from tests.docker.projects import make_c_project
from tests.makers.action import ACTION, WORKFLOWS, action_inputs, parsed, steps_in
from tests.makers.rootfs import X86_64, make_rootfs

pytestmark = [pytest.mark.engine, pytest.mark.index]


def test_the_action_builds_a_recipe_into_the_folder_that_it_is_given(command: Command) -> None:
    _, build = steps_in(parsed(ACTION))
    recipe = command.recipe(make_c_project("acted"), test={"run": "python -c 'import acted'"})
    place = command.folder / "runner/wheel-factory/bin"
    place.mkdir(parents=True)
    (place / "factory").symlink_to(PROGRAM)
    inputs = {**action_inputs(), "inputs.recipe": recipe.name, "inputs.output": "some wheels"}

    done = build.run(
        inputs,
        cwd=command.folder,
        env={**os.environ, "RUNNER_TEMP": str(command.folder / "runner"), "FACTORY_STORE": str(command.store)},
    )

    assert done.returncode == 0, done.stderr
    names = {path.name for path in (command.folder / "some wheels").iterdir()}
    assert names == {f"acted-1.0-{CP313}.whl", "SHA256SUMS"}


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed: `apt install zstd`")
@pytest.mark.skipif(shutil.which("docker") is None, reason="the docker command is not installed")
def test_images_that_the_workflow_keeps_are_there_in_the_next_night(
    engine: DockerEngine, daemon: docker.DockerClient, tmp_path: Path
) -> None:
    """The command of the test lists only the test's own image, so that others stay out of it and where they are."""
    (nightly,) = WORKFLOWS
    steps = {step.name: step for step in steps_in(parsed(nightly))}
    labels = {"wheel-factory.identity": "a" * 64, "wheel-factory.input": "b" * 64, "only": "here"}
    reference = "wheel-factory/test-kept:1"
    made = engine.import_rootfs(make_rootfs(X86_64), reference=reference, labels=labels, env={})
    script = steps["Save the images"].script
    only = script.replace("label=wheel-factory.identity", "label=only=here")
    assert only != script

    try:
        saved = subprocess.run(["bash", "-eo", "pipefail", "-c", only], cwd=tmp_path, check=False)
        daemon.images.remove(reference)
        gone = engine.held_image(reference)
        loaded = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", steps["Load the images"].script], cwd=tmp_path, check=False
        )

        found = engine.held_image(reference)
        assert (saved.returncode, gone, loaded.returncode) == (0, None, 0)
        assert found is not None
        assert found.id == made
        assert found.labels.items() >= labels.items()
    finally:
        daemon.images.remove(reference)
