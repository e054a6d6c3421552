"""The engine's API as typed calls: the only importer of docker, whose exceptions end here.

Every call but the reading of a command's output, and a commit, fails when the engine is silent for `silence_s`.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from socket import SHUT_RDWR
from typing import Final, TypedDict, cast

import docker
import requests
from docker import auth
from docker.errors import APIError, DockerException, NotFound, create_api_error_from_http_exception
from docker.utils import kwargs_from_env
from requests.exceptions import Timeout

from factory.engine.faults import ConflictError, MissingError, SilentError, UnreachableError
from factory.engine.posture import Json
from factory.engine.stream import ExecStream, buffer_of, take_over
from factory.errors import EngineError, ImageError
from factory.host import Host

PULL_SILENCE_S: Final = 120
"""An engine that pulls says nothing while its registry says nothing."""

_DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
_CHUNK_BYTES: Final = 1 << 20
_COMMIT_S: Final = 600
_POOL_SIZE: Final = 32
_ANY_VERSION: Final = "1.24"  # the version call is spoken without one
_CONFLICT: Final = (304, 409)
_START: Final = "start it (`sudo systemctl start docker`), or name one in DOCKER_HOST"


class _Streaming(TypedDict):
    stream: bool
    timeout: int


class Client:
    """One engine, for any number of threads.

    Every method raises EngineError: UnreachableError where nothing answers, MissingError and ConflictError where the
    answer says so.
    """

    def __init__(self, host: Host, *, silence_s: int) -> None:
        """Connect, and agree on the API's version."""
        self.where = host.docker.get("DOCKER_HOST") or _DEFAULT_HOST
        self.silence_s = silence_s
        self._pulls: set[requests.Response] = set()
        self._api = self._connected(host, host.docker.get("DOCKER_API_VERSION") or self._newest_version(host))

    def _newest_version(self, host: Host) -> str:
        with closing(self._connected(host, _ANY_VERSION)) as api:
            try:
                with self._speaking():
                    return str(api.version(api_version=False)["ApiVersion"])
            except KeyError as error:
                raise EngineError(f"what answers at {self.where} is no container engine", hint=_START) from error

    def _connected(self, host: Host, version: str) -> docker.APIClient:
        try:
            settings = kwargs_from_env(environment=dict(host.docker))
            api = docker.APIClient(**settings, version=version, timeout=self.silence_s, max_pool_size=_POOL_SIZE)
        except (DockerException, ValueError) as error:
            raise EngineError(f"{self.where} names no container engine: {error}", hint="mend DOCKER_HOST") from error
        api.trust_env = False
        return api

    def close(self) -> None:
        """Close the idle connections."""
        self._api.close()

    def version(self) -> Json:
        """Ask for the engine's name and version."""
        with self._speaking():
            return self._api.version()

    def info(self) -> Json:
        """Ask what the engine runs on."""
        with self._speaking():
            return self._api.info()

    def images(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List images with their labels, the newest first."""
        with self._speaking():
            found = self._api.images(filters=filters)
        return {str(image["Id"]): image["Labels"] or {} for image in found}

    def image(self, reference: str) -> Json:
        """Describe an image."""
        with self._speaking():
            return cast("Json", self._api.inspect_image(reference))  # type: ignore[no-untyped-call] # in its stubs

    def pull(self, name: str, digest: str) -> Generator[Json]:
        """Pull an image by digest: what the engine says of it, line by line, until it is here or did not come."""
        with self._speaking(PULL_SILENCE_S), self._pulling(name, digest) as answer:
            self._raise_for(answer)
            for line in answer.iter_lines():
                if line.startswith(b"{"):
                    yield json.loads(line)

    @contextmanager
    def _pulling(self, name: str, digest: str) -> Iterator[requests.Response]:
        registry, _ = auth.resolve_repository_name(name)
        header = auth.get_config_header(self._api, registry)
        with self._api.post(
            self._url("images/create"),
            params={"fromImage": name, "tag": digest},
            headers={"X-Registry-Auth": header} if header else {},
            stream=True,
            timeout=PULL_SILENCE_S,
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

    def distribution(self, reference: str) -> Json:
        """Ask a registry, through the engine, what it holds under a name."""
        with self._speaking():
            return cast("Json", self._api.inspect_distribution(reference))  # type: ignore[no-untyped-call] # in its stubs

    def load(self, archive: Iterable[bytes]) -> None:
        """Load a docker-archive."""
        with (
            self._speaking(),
            self._api.post(self._url("images/load"), data=iter(archive), **self._streaming()) as answer,
        ):
            self._raise_for(answer)
            said = [json.loads(line) for line in answer.iter_lines() if line.startswith(b"{")]
        if faults := [line["error"] for line in said if "error" in line]:
            raise ImageError(f"the engine cannot load an image: {faults[-1]}")

    def remove_image(self, image: str) -> None:
        """Remove an image and its names."""
        with self._speaking():
            self._api.remove_image(image, force=True)

    def commit(self, container: str, reference: str, config: Json, changes: list[str]) -> str:
        """Make an image of a container's root filesystem; return its id. The engine says nothing while it walks it."""
        repository, _, tag = reference.rpartition(":")
        params = {"container": container, "repo": repository, "tag": tag, "changes": changes}
        with self._speaking(_COMMIT_S):
            answer = self._api.post(self._url("commit"), params=params, json=config, timeout=_COMMIT_S)
            self._raise_for(answer)
            return f"sha256:{str(answer.json()['Id']).removeprefix('sha256:')}"  # Podman leaves the prefix out

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Create a volume, or find it; return the labels that it carries."""
        with self._speaking():
            return self._api.create_volume(name, labels=dict(labels))["Labels"] or {}

    def volumes(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List volumes with their labels."""
        with self._speaking():
            found = self._api.volumes(filters=dict(filters))["Volumes"] or []
        return {volume["Name"]: volume["Labels"] or {} for volume in found}

    def volume(self, name: str) -> Json:
        """Describe a volume."""
        with self._speaking():
            return self._api.inspect_volume(name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        with self._speaking():
            self._api.remove_volume(name, force=True)

    def create_network(self, body: Json, name: str) -> None:
        """Create a network."""
        with self._speaking():
            self._raise_for(self._api.post(self._url("networks/create"), json={**body, "Name": name}))

    def networks(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List networks by name, with their labels."""
        with self._speaking():
            found = self._api.networks(filters=dict(filters))
        return {network["Name"]: network["Labels"] or {} for network in found}

    def remove_network(self, name: str) -> None:
        """Remove a network that no container uses any more."""
        with self._speaking():
            self._api.remove_network(name)

    def create(self, body: Json, name: str) -> None:
        """Create a container."""
        with self._speaking():
            self._api.create_container_from_config(body, name=name)  # type: ignore[no-untyped-call] # in its stubs

    def start(self, container: str) -> None:
        """Start a container."""
        with self._speaking():
            self._api.start(container)

    def state(self, container: str) -> Json:
        """Describe a container's state: Running, OOMKilled."""
        with self._speaking():
            return cast("Json", self._api.inspect_container(container)["State"])

    def kill(self, container: str) -> None:
        """Kill every process of a container."""
        with self._speaking():
            self._api.kill(container)

    def remove(self, container: str) -> None:
        """Remove a container and its anonymous volumes, running or not."""
        with self._speaking():
            self._api.remove_container(container, force=True, v=True)

    def containers(self, filters: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
        """List containers, also stopped ones, with their labels."""
        with self._speaking():
            found = self._api.containers(all=True, filters=dict(filters))
        return {container["Id"]: container["Labels"] or {} for container in found}

    def put_archive(self, container: str, path: str, tar: Iterable[bytes]) -> None:
        """Unpack a tar stream in a container."""
        with self._speaking():
            self._api.put_archive(container, path, iter(tar))

    def get_archive(self, container: str, path: str) -> Generator[bytes]:
        """Stream a path of a container as tar."""
        url = self._url(f"containers/{container}/archive")
        with self._speaking(), self._api.get(url, params={"path": path}, **self._streaming()) as answer:
            self._raise_for(answer)
            yield from answer.iter_content(_CHUNK_BYTES)

    def execute(self, container: str, argv: list[str], *, env: list[str], cwd: str, user: str) -> ExecStream:
        """Start a command in a running container."""
        with self._speaking():
            created = self._api.exec_create(container, argv, environment=env, workdir=cwd, user=user)
            exec_id = str(created["Id"])
            answer = self._api.post(
                self._url(f"exec/{exec_id}/start"),
                json={"Detach": False, "Tty": False},
                headers={"Connection": "Upgrade", "Upgrade": "tcp"},
                **self._streaming(),
            )
            self._raise_for(answer)
            return take_over(exec_id, answer)

    def exec_state(self, exec_id: str) -> Json:
        """Describe a command: Running, ExitCode."""
        with self._speaking():
            return self._api.exec_inspect(exec_id)

    def _url(self, path: str) -> str:
        return f"{self._api.base_url}/v{self._api.api_version}/{path}"

    def _streaming(self) -> _Streaming:
        return {"stream": True, "timeout": self.silence_s}

    def _raise_for(self, answer: requests.Response) -> None:
        try:
            answer.raise_for_status()
        except requests.HTTPError as error:
            create_api_error_from_http_exception(error)

    @contextmanager
    def _speaking(self, silence_s: int | None = None) -> Iterator[None]:
        try:
            yield
        except NotFound as error:
            raise MissingError(_explanation(error)) from error
        except APIError as error:
            kind = ConflictError if error.status_code in _CONFLICT else EngineError
            raise kind(f"the container engine refused: {_explanation(error)}") from error
        except (requests.RequestException, DockerException, OSError) as error:
            raise self._unreachable(error, silence_s or self.silence_s) from error

    def _unreachable(self, error: Exception, silence_s: int) -> UnreachableError:
        causes = set(map(type, _causes(error)))
        if PermissionError in causes:
            return UnreachableError(
                f"this user may not use the container engine at {self.where}",
                hint="join its group (`sudo usermod -aG docker $USER`, then log in again), or name another engine in "
                "DOCKER_HOST",
            )
        if TimeoutError in causes or any(issubclass(cause, Timeout) for cause in causes):
            return SilentError(
                f"the container engine at {self.where} was silent for {silence_s} s",
                hint="restart it (`sudo systemctl restart docker`), then run again: finished work is kept",
            )
        if causes & {FileNotFoundError, ConnectionRefusedError}:
            return UnreachableError(f"no container engine answers at {self.where}", hint=_START)
        return UnreachableError(f"the container engine at {self.where} does not answer: {error}", hint=_START)


def _explanation(error: APIError) -> str:
    """Return the line that says why: of an archive Podman tells, a line each, why it is none of several kinds."""
    lines = str(error.explanation or error).strip().splitlines()
    return next((line.strip(" *") for line in lines if "docker-archive:" in line), lines[0])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Walk everything that an exception was made of: HTTP libraries wrap, and put the wrapped into `args`."""
    if error is not None:
        yield error
        for each in (error.__cause__, error.__context__, *error.args, getattr(error, "reason", None)):
            yield from _causes(each if isinstance(each, BaseException) else None)
