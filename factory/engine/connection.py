"""The connection to a container engine: the only importer of docker, whose exceptions end here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Final, Literal, TypedDict, Unpack

import docker
import requests
from docker import auth
from docker.errors import APIError, DockerException, NotFound, create_api_error_from_http_exception
from docker.utils import kwargs_from_env
from requests.exceptions import Timeout

from factory.engine.answers import AnswerTooLargeError, AnswerTooSlowError, WholeAnswers
from factory.engine.faults import ConflictError, MissingError, SilentError, UnreachableError
from factory.errors import EngineError
from factory.host import Host
from factory.redaction import redact
from factory.system import starting_an_engine

_DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
_POOL_SIZE: Final = 32
_ANY_VERSION: Final = "1.24"  # the version call is spoken without one
_CONFLICT: Final = (304, 409)
_SSH: Final = (
    "ssh:// is not supported; forward the socket: `ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`, then "
    "DOCKER_HOST=unix:///tmp/docker.sock"
)
_START: Final = f"{starting_an_engine()}, or name one in DOCKER_HOST"


class Content(TypedDict, total=False):
    """What a call carries besides its path."""

    params: Mapping[str, str | Sequence[str]]
    json: object
    data: Iterator[bytes]
    headers: Mapping[str, str | bytes]


class Connection:
    """The connections to one engine, for any number of threads; `api` is docker's own client.

    Whatever is asked of `api` is asked inside `speaking()`.
    """

    def __init__(self, host: Host, *, silence_s: int) -> None:
        """Connect, and agree on the API's version."""
        self.where = redact(host.docker.get("DOCKER_HOST") or _DEFAULT_HOST)
        self.silence_s = silence_s
        self.api = self._connected(host, host.docker.get("DOCKER_API_VERSION") or self._newest_version(host))

    def _newest_version(self, host: Host) -> str:
        with closing(self._connected(host, _ANY_VERSION)) as api, self.speaking():
            try:
                return str(api.version(api_version=False)["ApiVersion"])
            except (KeyError, TypeError, requests.JSONDecodeError) as error:
                raise EngineError(f"what answers at {self.where} is not a container engine", hint=_START) from error

    def _connected(self, host: Host, version: str) -> docker.APIClient:
        try:
            settings = kwargs_from_env(environment=dict(host.docker))
            api = docker.APIClient(**settings, version=version, timeout=self.silence_s, max_pool_size=_POOL_SIZE)
        except (DockerException, ValueError) as error:
            hint = _SSH if self.where.startswith("ssh://") else "correct DOCKER_HOST"
            raise EngineError(redact(f"{self.where} does not name a container engine: {error}"), hint=hint) from error
        for prefix, adapter in tuple(api.adapters.items()):
            api.mount(prefix, WholeAnswers(adapter))
        api.trust_env = False  # requests would take proxies and passwords from the environment
        return api

    def request(
        self, method: Literal["get", "post"], path: str, *, silence_s: int | None = None, **content: Unpack[Content]
    ) -> requests.Response:
        """Send a call that docker has no method for, or whose answer docker would hold as a whole.

        The caller closes the answer. To be called, and the answer to be read, inside `speaking()`.
        """
        url = f"{self.api.base_url}/v{self.api.api_version}/{path}"
        answer = self.api.request(method, url, stream=True, timeout=silence_s or self.silence_s, **content)
        try:
            answer.raise_for_status()
        except requests.HTTPError as error:
            create_api_error_from_http_exception(error)
        return answer

    def registry_headers(self, name: str) -> dict[str, str | bytes]:
        """Return the credentials that docker's own configuration has for the registry of an image."""
        registry, _ = auth.resolve_repository_name(name)
        header = auth.get_config_header(self.api, registry)
        return {"X-Registry-Auth": header} if header else {}

    @contextmanager
    def speaking(self, silence_s: int | None = None) -> Iterator[None]:
        """Turn what docker and the HTTP library raise in the block into an EngineError.

        Raises:
            MissingError: what the call names does not exist.
            ConflictError: its state does not allow the call.
            UnreachableError: the engine does not answer, or not within `silence_s`, or its answer does not end.
            EngineError: the engine refused, or its answer is too large.
        """
        try:
            yield
        except NotFound as error:
            raise MissingError(_explanation(error)) from error
        except APIError as error:
            kind = ConflictError if error.status_code in _CONFLICT else EngineError
            raise kind(f"the container engine refused: {_explanation(error)}") from error
        except AnswerTooLargeError as error:
            message = f"what answers at {self.where} is not a container engine: {error}"
            raise EngineError(message, hint=_START) from error
        except (requests.RequestException, DockerException, OSError) as error:
            raise self._unreachable(error, silence_s or self.silence_s) from error

    def _unreachable(self, error: Exception, silence_s: int) -> UnreachableError:
        if isinstance(error, AnswerTooSlowError):
            hint = "is it a container engine? correct DOCKER_HOST, or restart the engine"
            return SilentError(f"what answers at {self.where} does not end: {error}", hint=hint)
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
    """Return the line that says why. For an archive, Podman prints a line for each kind of archive that it is not."""
    lines = str(error.explanation or error).strip().splitlines()
    return next((line.strip(" *") for line in lines if "docker-archive:" in line), lines[0])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and all that caused it; HTTP libraries put the cause of an exception into its `args`."""
    if error is not None:
        yield error
        for cause in (error.__cause__, error.__context__, *error.args, getattr(error, "reason", None)):
            yield from _causes(cause if isinstance(cause, BaseException) else None)
