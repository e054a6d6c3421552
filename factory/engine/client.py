"""The engine's API as typed calls.

Every call but the reading of a command's output, and a commit, fails when the engine is silent for `silence_s`.
An answer that is no stream is read within limits, too (`answers.py`).
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from typing import Final, cast
from urllib.parse import quote

import requests

from factory.engine.answers import json_lines
from factory.engine.connection import Connection
from factory.engine.posture import Json
from factory.engine.stream import ExecStream, buffer_of, take_over
from factory.errors import ImageError
from factory.host import Host

PULL_SILENCE_S: Final = 120
"""An engine that pulls is silent while its registry is."""

_CHUNK_BYTES: Final = 1 << 20
_COMMIT_S: Final = 600  # the engine walks the whole root filesystem without a word


class Client:
    """One engine, for any number of threads.

    Every method raises EngineError: UnreachableError where nothing answers, MissingError and ConflictError where the
    answer says so.
    """

    def __init__(self, host: Host, *, silence_s: int) -> None:
        """Connect, and agree on the API's version."""
        self._connection = Connection(host, silence_s=silence_s)
        self._api = self._connection.api
        self._pulls: set[requests.Response] = set()

    @property
    def silence_s(self) -> int:
        """How long the engine may be silent."""
        return self._connection.silence_s

    def close(self) -> None:
        """Close the idle connections."""
        self._api.close()

    def version(self) -> Json:
        """Ask for the engine's name and version."""
        with self._connection.speaking():
            return self._api.version()

    def info(self) -> Json:
        """Ask what the engine runs on."""
        with self._connection.speaking():
            return self._api.info()

    def images(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List images with their labels, the newest first."""
        with self._connection.speaking():
            images = self._api.images(filters=filters)
        return {str(image["Id"]): image["Labels"] or {} for image in images}

    def image(self, reference: str) -> Json:
        """Describe an image."""
        with self._connection.speaking():
            return cast("Json", self._api.inspect_image(reference))  # type: ignore[no-untyped-call] # in its stubs

    def pull(self, name: str, digest: str) -> Generator[Json]:
        """Pull an image by digest; yield the engine's lines about it until the pull has succeeded or failed."""
        with self._connection.speaking(PULL_SILENCE_S), self._pulling(name, digest) as answer:
            yield from json_lines(answer)

    @contextmanager
    def _pulling(self, name: str, digest: str) -> Iterator[requests.Response]:
        with self._connection.request(
            "post",
            "images/create",
            params={"fromImage": name, "tag": digest},
            headers=self._connection.registry_headers(name),
            silence_s=PULL_SILENCE_S,
        ) as answer:
            self._pulls.add(answer)
            try:
                yield answer
            finally:
                self._pulls.discard(answer)

    def end_pulls(self) -> None:
        """Break the connections over which images are pulled: the engine then gives them up."""
        for answer in tuple(self._pulls):
            with suppress(OSError):
                buffer_of(answer).raw._sock.shutdown(SHUT_RDWR)  # noqa: SLF001 -- see `buffer_of`

    def distribution(self, reference: str, *, silence_s: int) -> Json:
        """Ask a registry, through the engine, what it holds under a name."""
        call = f"distribution/{quote(reference, safe='/:')}/json"
        headers = self._connection.registry_headers(reference)
        with (
            self._connection.speaking(silence_s),
            self._connection.request("get", call, headers=headers, silence_s=silence_s) as answer,
        ):
            return cast("Json", answer.json())

    def load(self, archive: Iterable[bytes]) -> None:
        """Load a docker-archive."""
        with self._connection.speaking(), self._connection.request("post", "images/load", data=iter(archive)) as answer:
            faults = [line["error"] for line in json_lines(answer) if "error" in line]
        if faults:
            raise ImageError(f"the engine cannot load an image: {faults[-1]}")

    def remove_image(self, image: str) -> None:
        """Remove an image and its names."""
        with self._connection.speaking():
            self._api.remove_image(image, force=True)

    def commit(self, container: str, reference: str, config: Json, changes: list[str]) -> str:
        """Make an image of a container's root filesystem; return its id."""
        repository, _, tag = reference.rpartition(":")
        params = {"container": container, "repo": repository, "tag": tag, "changes": changes}
        with (
            self._connection.speaking(_COMMIT_S),
            self._connection.request("post", "commit", params=params, json=config, silence_s=_COMMIT_S) as answer,
        ):
            return f"sha256:{str(answer.json()['Id']).removeprefix('sha256:')}"  # Podman leaves the prefix out

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Create a volume, or find it; return the labels that it carries."""
        with self._connection.speaking():
            return self._api.create_volume(name, labels=dict(labels))["Labels"] or {}

    def volumes(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List volumes with their labels."""
        with self._connection.speaking():
            volumes = self._api.volumes(filters=dict(filters))["Volumes"] or []
        return {volume["Name"]: volume["Labels"] or {} for volume in volumes}

    def volume(self, name: str) -> Json:
        """Describe a volume."""
        with self._connection.speaking():
            return self._api.inspect_volume(name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        with self._connection.speaking():
            self._api.remove_volume(name, force=True)

    def create_network(self, body: Json, name: str) -> None:
        """Create a network."""
        with self._connection.speaking():
            self._connection.request("post", "networks/create", json={**body, "Name": name}).close()

    def networks(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List networks by name, with their labels."""
        with self._connection.speaking():
            networks = self._api.networks(filters=dict(filters))
        return {network["Name"]: network["Labels"] or {} for network in networks}

    def remove_network(self, name: str) -> None:
        """Remove a network that no container uses any more."""
        with self._connection.speaking():
            self._api.remove_network(name)

    def create(self, body: Json, name: str) -> None:
        """Create a container."""
        with self._connection.speaking():
            self._api.create_container_from_config(body, name=name)  # type: ignore[no-untyped-call] # in its stubs

    def start(self, container: str) -> None:
        """Start a container."""
        with self._connection.speaking():
            self._api.start(container)

    def state(self, container: str) -> Json:
        """Describe a container's state: Running, OOMKilled."""
        with self._connection.speaking():
            return cast("Json", self._api.inspect_container(container)["State"])

    def kill(self, container: str) -> None:
        """Kill every process of a container."""
        with self._connection.speaking():
            self._api.kill(container)

    def remove(self, container: str) -> None:
        """Remove a container and its anonymous volumes, running or not."""
        with self._connection.speaking():
            self._api.remove_container(container, force=True, v=True)

    def containers(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List containers, also stopped ones, with their labels."""
        with self._connection.speaking():
            containers = self._api.containers(all=True, filters=dict(filters))
        return {container["Id"]: container["Labels"] or {} for container in containers}

    def put_archive(self, container: str, path: str, tar: Iterable[bytes]) -> None:
        """Unpack a tar stream in a container."""
        with self._connection.speaking():
            self._api.put_archive(container, path, iter(tar))

    def get_archive(self, container: str, path: str) -> Generator[bytes]:
        """Stream a path of a container as tar."""
        call = f"containers/{container}/archive"
        with self._connection.speaking(), self._connection.request("get", call, params={"path": path}) as answer:
            yield from answer.iter_content(_CHUNK_BYTES)

    def execute(self, container: str, argv: list[str], *, env: list[str], cwd: str, user: str) -> ExecStream:
        """Start a command in a running container."""
        with self._connection.speaking():
            created = self._api.exec_create(container, argv, environment=env, workdir=cwd, user=user)
            exec_id = str(created["Id"])
            answer = self._connection.request(
                "post",
                f"exec/{exec_id}/start",
                json={"Detach": False, "Tty": False},
                headers={"Connection": "Upgrade", "Upgrade": "tcp"},
            )
            return take_over(exec_id, answer)

    def exec_state(self, exec_id: str) -> Json:
        """Describe a command: Running, ExitCode."""
        with self._connection.speaking():
            return self._api.exec_inspect(exec_id)
