"""What tests of several rooms share: the engine, where one answers, and a small image on it."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import docker
import hypothesis
import pytest
from docker.types.daemon import CancellableStream
from docker.utils import kwargs_from_env

from factory.digest import chunks
from factory.engine.docker import DockerEngine, connect
from factory.errors import EngineError
from factory.host import Host, read_host
from factory.process import run

# No test asserts a time: Hypothesis's deadline would. Where CI is set, it draws the same examples every time.
hypothesis.settings.register_profile("factory", deadline=None, derandomize=read_host().is_ci)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)
hypothesis.settings.load_profile("factory")

_SMALL_PACKAGES = "dash,coreutils,python3-minimal"
_SMALL_LABELS = {"wheel-factory.test-image": f"2:bookworm:{_SMALL_PACKAGES}"}
_SETUID_PROGRAM = 'cp -p "$1/usr/bin/id" "$1/usr/bin/setuid-id" && chmod 4755 "$1/usr/bin/setuid-id"'


@pytest.fixture(scope="session")
def host() -> Host:
    return read_host()


@pytest.fixture(scope="session")
def owner() -> str:
    return f"tests-{uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def engine(host: Host, owner: str) -> Iterator[DockerEngine]:
    """The engine of this machine, with a run of the test session's own."""
    try:
        connected = connect(host, owner=owner, run_id="session")
    except EngineError as error:
        pytest.skip(f"{error.message}; {error.hint}")
    with connected:
        yield connected


@pytest.fixture(scope="session")
def daemon(engine: DockerEngine, host: Host) -> Iterator[docker.DockerClient]:
    """The same engine from behind: for what a test breaks, and to see what is left."""
    engine.info()
    client = docker.DockerClient(**kwargs_from_env(environment=dict(host.docker)), version="auto")
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(engine: DockerEngine, host: Host) -> str:
    return small_image(engine, host)


def small_image(engine: DockerEngine, host: Host) -> str:
    """Return an image with dash, coreutils and a minimal python3, made once per machine from Debian's packages.

    It also holds a program with the set-user-id bit, for the probe of the posture.
    """
    if found := engine.find_image(_SMALL_LABELS):
        return found
    tar = Path(gettempdir()) / "wheel-factory-small-image-2.tar"
    if not tar.exists():
        _extract(tar, host)
    with tar.open("rb") as rootfs:
        return engine.import_rootfs(
            chunks(rootfs), reference="wheel-factory/test:small", labels=_SMALL_LABELS, env={"LC_ALL": "C.UTF-8"}
        )


def _extract(tar: Path, host: Host) -> None:
    if shutil.which("mmdebstrap", path=host.path) is None:
        pytest.skip("mmdebstrap is not installed: no small image can be made; `apt install mmdebstrap`")
    partial = tar.with_suffix(f".{uuid4().hex}.tar")  # another process may make it, too
    wanted = ["--variant=extract", f"--include={_SMALL_PACKAGES}", f"--extract-hook={_SETUID_PROGRAM}"]
    done = run(["mmdebstrap", *wanted, "bookworm", partial], env=host.tool_env, cwd=tar.parent, timeout_s=300)
    assert done.returncode == 0, done.stderr
    partial.rename(tar)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-engine",
        action="store_true",
        help="fail a run that started no container although an engine answers",
    )

    parser.addoption(
        "--on-podman",
        action="store_true",
        help="expect that the tests marked unlike_podman fail; docs/reference/engines.md names the calls",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--on-podman"):
        for item in items:
            for mark in item.iter_markers("unlike_podman"):
                item.add_marker(pytest.mark.xfail(reason=mark.args[0], strict=True))


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--require-engine"):
        config.pluginmanager.register(_StartedContainers(), "started-containers")


class _StartedContainers:
    """Counts the containers of ours that start while the session runs, whoever starts them."""

    def __init__(self) -> None:
        self._count = 0
        self._events: CancellableStream[str] | None = None

    def pytest_sessionstart(self) -> None:
        try:
            client = docker.APIClient(**kwargs_from_env(environment=dict(read_host().docker)), version="auto")
        except docker.errors.DockerException:
            return
        filters = {"type": "container", "event": "start", "label": "wheel-factory.kind=container"}
        self._events = client.events(filters=filters)
        threading.Thread(target=self._listen, args=(self._events,), daemon=True).start()

    def _listen(self, events: "CancellableStream[str]") -> None:
        for _ in events:
            self._count += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._events is not None:
            self._events.close()
        if self._events is not None and not self._count and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        said = "no engine answers" if self._events is None else f"{self._count} containers were started"
        terminalreporter.write_line(f"--require-engine: {said}", red=self._events is not None and not self._count)
