"""The real command line as a process of its own, with a store and a folder of its own, and what it left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker
import yaml
from packaging.utils import canonicalize_name

from factory import codec
from factory.events.model import CellRecord, Run
from factory.failure import Failure
from tests.docker.projects import Project

PROGRAM = Path(sys.executable).with_name("factory")
PLATFORM = "manylinux_2_31_x86_64"
CP313 = f"cp313-cp313-{PLATFORM}"
TIMEOUT_S = 600


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How one call ended; `run` is its JSON, where it wrote one."""

    code: int
    stdout: str
    stderr: str
    folder: Path
    run: Run | None

    @property
    def records(self) -> dict[str, CellRecord]:
        """Every cell's record by its address, and by its recipe's name where the recipe has one cell."""
        assert self.run is not None, self.stderr
        cells = {record.cell.address: record for record in self.run.records}
        return {**{record.cell.recipe: record for record in cells.values()}, **cells}

    @property
    def statuses(self) -> dict[str, str]:
        """Every cell's status by its id."""
        assert self.run is not None, self.stderr
        return {record.cell.id: record.status for record in self.run.records}

    @property
    def run_folder(self) -> Path:
        """Where the run's evidence lies."""
        assert self.run is not None, self.stderr
        return self.folder / self.run.folder

    @property
    def containers(self) -> int:
        assert self.run is not None, self.stderr
        return self.run.containers

    def failure(self, recipe: str) -> Failure:
        """Why a recipe's only cell did not pass."""
        found = self.records[recipe].failure
        assert found is not None, self.stderr
        return found

    def log(self, recipe: str, step: str = "build") -> str:
        """What a step of a recipe's only cell printed, the last time where it ran several times."""
        assert self.run is not None, self.stderr
        path = max((self.folder / self.run.folder / "logs" / recipe).rglob(f"[0-9][0-9]-{step}.log"))
        return path.read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Command:
    """`factory` with a store of its own; recipes, evidence and `dist` lie in `folder`."""

    store: Path
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    program: tuple[str | Path, ...] = (PROGRAM,)
    timeout_s: int = TIMEOUT_S

    @property
    def dist(self) -> dict[str, bytes]:
        """Every file of the output folder."""
        folder = self.folder / "dist"
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.exists() else {}

    @property
    def wheels(self) -> set[str]:
        return {name for name in self.dist if name.endswith(".whl")}

    @property
    def owner(self) -> str:
        return (self.store / "owner").read_text(encoding="ascii").strip()

    def recipe(
        self,
        project: Project | str,
        *,
        name: str = "",
        interpreters: tuple[str, ...] = ("cp313",),
        **fields: object,
    ) -> Path:
        """Write a recipe for a project, written beside it, or for a release `name==version`; return its path."""
        called = name or (project.name if isinstance(project, Project) else project.partition("=")[0])
        source = {"sdist": project} if isinstance(project, str) else {"path": str(self._written(project, called))}
        recipe = {
            "factory": 1,
            "name": called,
            "source": source,
            "interpreters": list(interpreters),
            "platforms": [PLATFORM],
            **fields,
        }
        path = self.folder / f"{called}.yaml"
        path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
        return path

    def __call__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        """Run the program to its end."""
        child = self.start(*arguments, env=env)
        return self.end(child)

    def build(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        """Run `factory build` with its JSON beside."""
        return self("build", *arguments, "--json", "run.json", env=env)

    def start(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start the program; it reads this machine's environment, with `env` laid over it."""
        (self.folder / "run.json").unlink(missing_ok=True)
        return subprocess.Popen(
            [*self.prefix, *self.program, *arguments],
            cwd=self.folder,
            env={**os.environ, "FACTORY_STORE": str(self.store), **self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, child: "subprocess.Popen[str]") -> Ran:
        """Wait until the program ends; whatever happens here, nothing of it stays."""
        try:
            stdout, stderr = child.communicate(timeout=self.timeout_s)
        except BaseException:
            child.send_signal(signal.SIGTERM)
            child.communicate()
            raise
        path = self.folder / "run.json"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        run = codec.load(json.loads(text)["run"], Run) if text else None
        return Ran(code=child.returncode, stdout=stdout, stderr=stderr, folder=self.folder, run=run)

    def _written(self, project: Project, name: str) -> Path:
        folder = self.folder / f"{canonicalize_name(name)}-source"
        project.write(folder)
        return folder


def left_behind(daemon: docker.DockerClient, owner: str) -> set[str]:
    """What the engine holds of a store's runs: containers, running or not, and workspaces; caches may stay."""
    mine = f"wheel-factory.owner={owner}"
    containers = {f"container {each.name}" for each in daemon.containers.list(all=True, filters={"label": mine})}
    workspaces = {"label": [mine, "wheel-factory.kind=workspace"]}
    return containers | {f"volume {each.name}" for each in daemon.volumes.list(filters=workspaces)}


def remove_all(daemon: docker.DockerClient, owner: str) -> None:
    """Remove what the engine holds of a store, as it ends with its test."""
    mine = f"wheel-factory.owner={owner}"
    for container in daemon.containers.list(all=True, filters={"label": mine}):
        container.remove(force=True, v=True)
    for volume in daemon.volumes.list(filters={"label": mine}):
        volume.remove(force=True)
    for image in daemon.images.list(filters={"label": [mine, "wheel-factory.kind=prepared"]}):
        daemon.api.remove_image(str(image.id), force=True)
