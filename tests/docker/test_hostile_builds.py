"""Packages that attack: what each tries, and what stops it. docs/explanation/hostile-input.md lists them."""

import errno
import re
import resource
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from textwrap import dedent

import docker
import pytest

from tests.docker.command import CP313, Command, Ran, left_behind
from tests.docker.projects import Project, make_c_project, pyproject

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

PROBE = Path(__file__).with_name("probe.py").read_text()
SECRET = "the-neighbours-secret-5f1d"
IN_BUILD = "import os, sys, time\nif 'bdist_wheel' in sys.argv:\n    "
GIGABYTE = 1_000_000_000

REACH_OUT = """\
    sys.path.insert(0, os.getcwd())
    import pathlib, probe
    ALONE = {"pids-limit", "memory-limit", "tmp-bounded", "shm-bounded", "host-mounts", "setuid"}
    tries = {name: each for name, each in probe.PROMISES.items() if name not in ALONE}
    tries["metadata"] = probe.connecting("169.254.169.254", 80)
    tries["host"] = probe.connecting("HOST", PORT)
    for name, each in tries.items():
        kept, detail = each()
        print(f"TRIED {name}: {'stopped' if kept else 'OPEN'} {detail!r}")
    for folder in ("/tools", "/cargo", "/work/../tools/bin"):
        try:
            (pathlib.Path(folder) / "planted").write_text("x")
            print(f"TRIED write-{folder}: OPEN")
        except OSError as error:
            print(f"TRIED write-{folder}: stopped {error.strerror!r}")
    found = []
    for folder, folders, files in os.walk("/"):
        passed_over = ("//dev", "//proc", "//sys", "//usr", "//opt")
        folders[:] = [each for each in folders if f"{folder}/{each}" not in passed_over]
        for name in files:
            try:
                with open(os.path.join(folder, name), "rb") as stream:
                    if b"SECRET" in stream.read(1 << 20):
                        found.append(os.path.join(folder, name))
            except OSError:
                pass
    others = [each for each in found if "reaching" not in pathlib.Path(each).read_text(errors="replace")]
    print(f"TRIED other-cells: {'OPEN' if others else 'stopped'} {others}")
"""

FORKING = """\
    while True:
        try:
            if not os.fork():
                time.sleep(600)
        except OSError:
            pass
"""
FILLING = """\
    for number in range(100):
        with open(f"filler{number}", "wb") as out:
            for _ in range(20):
                out.write(os.urandom(1 << 20))
                out.flush()
        time.sleep(0.2)
    time.sleep(600)
"""
FILLING_TMP = "    with open('/tmp/filler', 'wb') as out:\n        while True: out.write(bytes(1 << 24))\n"
PRINTING = "    piece = b'\\x1b]0;owned\\x07' * (1 << 16)\n    for _ in range(SIZE // len(piece)): os.write(1, piece)\n"

BACKEND = """\
import zipfile
def write(folder, name):
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name}-1.0-py3-none-any.whl"
"""


def backend_project(name: str, hook: str) -> Project:
    """A project that brings its own backend along (PEP 517, `backend-path`)."""
    system = pyproject(name, [], "backend") + 'backend-path = ["."]\n'
    return Project(name, {"pyproject.toml": system, "backend.py": BACKEND + dedent(hook)})


@pytest.fixture(scope="module")
def host_server(gateway: str) -> Iterator[tuple[str, int, list[str]]]:
    """A server of this machine at the address that containers with network reach; who asked it is kept."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield gateway, server.server_port, asked
    server.shutdown()
    server.server_close()
    thread.join()


def write_recipes(command: Command, host: str, port: int) -> Iterator[object]:
    """Write what attacks, between what does not."""
    reach = REACH_OUT.replace("HOST", host).replace("PORT", str(port)).replace("SECRET", SECRET)
    reaching = make_c_project("reaching", setup=f"{IN_BUILD}pass\n{reach}", files={"probe.py": PROBE})
    yield command.recipe(reaching)
    neighbour = make_c_project("neighbour", setup=f"{IN_BUILD}time.sleep(8)", files={"secret.txt": SECRET})
    yield command.recipe(neighbour)
    yield command.recipe(make_c_project("forking", setup=f"{IN_BUILD}pass\n{FORKING}"), build={"timeout": 10})
    yield command.recipe(make_c_project("filling", setup=f"{IN_BUILD}pass\n{FILLING}"), build={"disk": "300MB"})
    yield command.recipe(make_c_project("filling_tmp", setup=f"{IN_BUILD}pass\n{FILLING_TMP}"))
    printing = PRINTING.replace("SIZE", str(GIGABYTE // 4))
    yield command.recipe(make_c_project("printing", setup=f"{IN_BUILD}pass\n{printing}"))
    yield command.recipe(backend_project("renamed", "def build_wheel(folder, *_): return write(folder, 'requests')"))
    five = "def build_wheel(folder, *_): return [write(folder, f'five{n}') for n in range(5)][0]"
    yield command.recipe(backend_project("five", five))
    yield command.recipe(backend_project("none", "def build_wheel(folder, *_): return 'none-1.0-py3-none-any.whl'"))
    lying = "def build_wheel(folder, *_):\n    write(folder, 'lying')\n    return '../../../etc/passwd'"
    yield command.recipe(backend_project("lying", lying))
    yield from write_trials(command)


TRIALS = {
    "razing": "python -c 'import shutil, sysconfig; shutil.rmtree(sysconfig.get_path(\"purelib\"))'",
    "killing": "python -c 'import os; os.kill(-1, 9)'",
    "writing": 'python -c \'open("/planted", "w")\'',
    "snooping": "test $(find / -xdev -name '*.whl' 2>/dev/null | grep -vc snooping) = 0",
    "rewriting": "printf evil > {wheel}",
    "forking_test": "f() { f | f & }; while true; do f; done",
}


def write_trials(command: Command) -> Iterator[object]:
    """Write wheels whose tests attack their trial."""
    for name, run in TRIALS.items():
        test = {"run": [run], "timeout": 10}
        yield command.recipe(make_c_project(name), test=test)


@pytest.fixture(scope="module")
def ran(workshop: Command, host_server: tuple[str, int, list[str]]) -> Ran:
    """One run of all of them."""
    return workshop.build(*map(str, write_recipes(workshop, *host_server[:2])), "-o", "hostile")


def test_a_build_reaches_neither_network_nor_host_nor_engine_nor_another_cell(
    ran: Ran, host_server: tuple[str, int, list[str]]
) -> None:
    tried = dict(re.findall(r"TRIED ([\w/.-]+): (\w+)", ran.log("reaching")))

    assert set(tried.values()) == {"stopped"}, tried
    assert {"metadata", "host", "engine-socket", "other-cells", "write-/tools", "dns"} <= set(tried)
    assert host_server[2] == []


def test_forks_without_end_end_with_the_time(ran: Ran) -> None:
    assert ran.records["forking"].status == "timeout"
    assert ran.failure("forking").message == "did not end within 10 s"


def test_a_workspace_has_a_limit_and_says_so(ran: Ran) -> None:
    failure = ran.failure("filling")

    assert (ran.records["filling"].status, failure.step) == ("failed", "build")
    assert failure.message == "its workspace holds more than 300 MB"
    assert failure.hint == "raise build: {disk: …}, or let the build write less"


def test_tmp_has_a_limit(ran: Ran) -> None:
    assert ran.failure("filling-tmp").message == "OSError: [Errno 28] No space left on device"


def test_what_a_build_prints_is_cut_and_steers_no_terminal(ran: Ran) -> None:
    log = ran.log("printing")

    assert ran.records["printing"].passed
    assert len(log) < 18 << 20
    assert re.search(r"\[\.\.\. \d{9} bytes left out \.\.\.\]", log)
    assert "\x1b" not in ran.stderr


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("renamed", "expected a wheel of renamed, but one of requests came out"),
        ("five", "expected one wheel, but 5 came out: "),
        ("none", "expected one wheel, but 0 came out"),
    ],
)
def test_one_wheel_of_the_project_is_owed_and_nothing_else_taken(ran: Ran, recipe: str, message: str) -> None:
    assert ran.failure(recipe).message.startswith(message)


def test_a_backend_that_names_a_file_elsewhere_is_not_believed(ran: Ran) -> None:
    assert not ran.records["lying"].passed
    assert ran.failure("lying").message.startswith("pure-wheel: ")


@pytest.mark.parametrize(
    ("recipe", "outcome", "message"),
    [
        ("razing", "passed", ""),
        ("killing", "lost", "its container or the engine went away"),
        ("writing", "failed", "OSError: [Errno 30] Read-only file system: '/planted'"),
        ("snooping", "passed", ""),
        ("rewriting", "passed", ""),
    ],
)
def test_a_trial_harms_itself_alone(ran: Ran, recipe: str, outcome: str, message: str) -> None:
    (trial,) = ran.records[recipe].trials

    assert (trial.outcome, trial.failure.message if trial.failure else "") == (outcome, message)


def test_a_trial_that_forks_without_end_does_not_pass(ran: Ran) -> None:
    """It meets the limit of processes, or of time, whichever comes first."""
    (trial,) = ran.records["forking-test"].trials

    assert trial.failure is not None
    assert re.search(r"Cannot fork|did not end within 10 s$", trial.failure.message), "shells print at once"


def test_what_a_trial_did_to_the_wheel_is_in_no_wheel(ran: Ran) -> None:
    for name in ("razing", "rewriting"):
        content = (ran.folder / f"hostile/{name}-1.0-{CP313}.whl").read_bytes()
        with zipfile.ZipFile(BytesIO(content)) as wheel:
            assert wheel.testzip() is None


def test_others_pass_beside_them_and_nothing_is_left(ran: Ran, workshop: Command, daemon: docker.DockerClient) -> None:
    released = {path.name.partition("-")[0] for path in (ran.folder / "hostile").glob("*.whl")}

    assert ran.code == 1
    assert released == {"reaching", "neighbour", "printing", "razing", "snooping", "rewriting"}
    assert left_behind(daemon, workshop.owner) == set()


def test_ten_gigabytes_of_output_leave_a_short_log(command: Command) -> None:
    printing = PRINTING.replace("SIZE", str(10 * GIGABYTE))
    recipe = command.recipe(make_c_project("flooding", setup=f"{IN_BUILD}pass\n{printing}"))

    ended = command.build(recipe)

    assert ended.code == 0, ended.stderr
    assert len(ended.log("flooding")) < 18 << 20


WRITING = """\
    with open("filler", "wb") as out:
        for _ in range(1_200):
            out.write(os.urandom(1 << 20))
    time.sleep(600)
"""
CROWDING = """\
    crowd = 0
    try:
        while True:
            if not os.fork():
                time.sleep(600)
                os._exit(0)
            crowd += 1
    except OSError as error:
        print(f"CROWD {crowd} {error.errno}", flush=True)
"""
STOPPING = """\
    import signal
    if not os.fork():
        while True:
            for number in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{number}/comm") as name:
                        if name.read().strip() in ("du", "stat", "timeout", "sh"):
                            os.kill(int(number), signal.SIGSTOP)
                except OSError:
                    pass
"""
LYING_IMAGE = """\
for name in du stat timeout; do
    printf '#!/bin/sh\\necho 0 total\\n' > /usr/local/bin/$name
    rm -f /usr/bin/$name /bin/$name
    cp /usr/local/bin/$name /usr/bin/$name
    chmod 755 /usr/local/bin/$name /usr/bin/$name
done
"""


@pytest.fixture(scope="module")
def ran_watched(workshop: Command) -> Ran:
    """One run of builds that write a gigabyte more than they may, each after an attack on whoever could see it."""
    attacks = {"crowding": CROWDING, "stopping": STOPPING, "lying_image": ""}
    recipes = []
    for name, attack in attacks.items():
        build: dict[str, object] = {"disk": "200MB", "timeout": 500}
        if name == "lying_image":
            build["before-all"] = LYING_IMAGE
        recipes.append(workshop.recipe(make_c_project(name, setup=f"{IN_BUILD}pass\n{attack}{WRITING}"), build=build))
    return workshop.build(*recipes, "-o", "watched", "--keep-going")


@pytest.mark.parametrize("recipe", ["crowding", "stopping", "lying-image"])
def test_a_build_that_attacks_the_watch_is_stopped_all_the_same(ran_watched: Ran, recipe: str) -> None:
    failure = ran_watched.failure(recipe)

    assert (ran_watched.records[recipe].status, failure.step) == ("failed", "build")
    assert failure.message == "its workspace holds more than 200 MB"


def test_the_crowd_had_really_reached_the_limit_of_processes(ran_watched: Ran) -> None:
    said = re.search(r"CROWD (\d+) (\d+)", ran_watched.log("crowding"))

    assert said is not None
    assert int(said[1]) > 4000
    assert int(said[2]) == errno.EAGAIN


def test_watchers_end_with_their_run(ran_watched: Ran, workshop: Command, daemon: docker.DockerClient) -> None:
    assert ran_watched.code == 1
    assert left_behind(daemon, workshop.owner) == set()


SPEAKING = """\
    for _ in range(4): os.write(1, b'\\n' * (1 << 20))
    for mark in ('##[error]', '  ::error::', '##vso[x]', ':\\u200b:error::', '#\\x1b[0m#[error]'):
        os.write(1, f'{mark}forged \\u202e\\n'.encode())
    print('error: ##[error]forged \\u202e::error::forged', flush=True)
    sys.exit(1)
"""
MEASURING = """\
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
sys.stderr.write(f"KiB: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
sys.exit(code)
"""  # a process of its own: what pytest holds when it forks would count, too
ENDLESS = "    for _ in range(SIZE >> 16): os.write(1, b'x' * (1 << 16))\n"


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_line_feeds_are_read_at_once_and_no_line_commands_the_runner(command: Command) -> None:
    recipe = command.recipe(make_c_project("speaking", setup=f"{IN_BUILD}pass\n{SPEAKING}"))
    before = children_cpu_s()

    ended = command.build(recipe, "-v", env={"GITHUB_ACTIONS": "true", "CI": "true"})

    assert ended.failure("speaking").message == "error: ##[error]forged ::error::forged"
    assert children_cpu_s() - before < 90
    lines = (ended.stderr + ended.stdout).splitlines()
    assert [line for line in lines if "# #[error]forged" in line]
    assert not [line for line in lines if line.strip().startswith("::") or re.search(r"##\w*\[", line)]
    assert not set(ended.stderr) & {"\u202e", "\u200b", "\x1b"}


def test_a_line_without_end_is_shown_within_bounds(command: Command) -> None:
    recipe = command.recipe(
        make_c_project("endless", setup=f"{IN_BUILD}pass\n{ENDLESS.replace('SIZE', str(100 << 20))}")
    )

    ended = replace(command, prefix=(sys.executable, "-c", MEASURING)).build(recipe, "-v")

    assert ended.records["endless"].passed, ended.stderr[-2000:]
    assert ended.stderr.count("x") > 100 << 20
    assert int(ended.stderr.rpartition("KiB: ")[2]) < 300 << 10
