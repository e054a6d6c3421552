"""How the program behaves towards whoever types it: streams, exit codes, ways out. No engine answers here."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.program import Program, write_project

BAD = "factory: 1\nname: demo\nsource: {path: .}\ninterpreter: [cp313]\nplatforms: [manylinux2020_x86_64]\n"


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    write_project(tmp_path)
    return Program(folder=tmp_path)


def way_out(stderr: str) -> str:
    """Return the last hint, which every error must end with."""
    last = stderr.rstrip().splitlines()[-1]
    assert last.startswith("  hint: "), stderr
    return last.removeprefix("  hint: ")


def test_without_an_engine_a_build_says_so_in_one_sentence_with_the_command_that_mends_it(factory: Program) -> None:
    done = factory("build")

    assert done.code == 4
    assert done.stdout == ""
    assert done.stderr == (
        "factory: no container engine answers at unix:///nonexistent.sock\n"
        "  hint: start it (`sudo systemctl start docker`), or name one in DOCKER_HOST\n"
    )


def test_a_plan_needs_no_engine(factory: Program) -> None:
    done = factory("plan", "--ids")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.split() == [f"demo/cp3{minor}-cp3{minor}-manylinux_2_31_x86_64" for minor in (11, 13)]


def test_doctor_lists_everything_that_is_missing_each_with_what_mends_it(factory: Program) -> None:
    (factory.folder / "empty").mkdir()
    (factory.folder / "file").write_text("")

    done = factory("doctor", PATH=str(factory.folder / "empty"), FACTORY_STORE=str(factory.folder / "file"))

    missing = re.findall(r"^missing +(?!old|other)(\S+)", done.stdout, flags=re.MULTILINE)
    mends = dict(re.findall(r"^(?:to fix|optional) (?!old|other)(\S+): (.+)$", done.stdout, flags=re.MULTILINE))
    assert missing == ["store", "mmdebstrap", "git", "engine"]
    assert list(mends) == missing
    assert "FACTORY_STORE" in mends["store"]
    assert "apt-get install mmdebstrap" in mends["mmdebstrap"]
    assert "apt-get install git" in mends["git"]
    assert "systemctl start docker" in mends["engine"]
    assert re.search(
        r"missing +old processor +not emulated .*apt-get install qemu-user-static", " ".join(done.stdout.split())
    )
    assert "no static qemu-user on PATH for aarch64, armv7l, ppc64le, riscv64, s390x" in " ".join(done.stdout.split())
    assert done.code == 5


def test_doctor_ends_with_4_when_only_the_engine_is_missing(factory: Program) -> None:
    done = factory("doctor")

    assert done.code == 4, done.stdout


def test_doctor_warns_of_a_proxy_that_containers_do_not_reach_and_keeps_its_password(factory: Program) -> None:
    done = factory("doctor", https_proxy="http://porter:s3cr3t-w0rd@127.0.0.1:3128", http_proxy="http://10.0.0.1:3128")

    assert "https_proxy names this machine's loopback address" in done.stdout
    assert "an address that containers can reach" in done.stdout
    assert "s3cr3t-w0rd" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["plan", "build"])
def test_a_bad_recipe_is_framed_on_stderr_before_anything_else(factory: Program, command: str) -> None:
    write_project(factory.folder, BAD)

    done = factory(command)

    assert done.code == 2
    assert done.stdout == ""
    assert "recipe.yaml:4:1: unknown field 'interpreter'" in done.stderr
    assert "4 | interpreter: [cp313]\n  | ^^^^^^^^^^^" in done.stderr
    assert "manylinux2020" in way_out(done.stderr) or "manylinux2014" in way_out(done.stderr)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param(
            (), "cp312-cp312-manylinux_2_31_x86_64: no image here has the interpreter to build it", id="build"
        ),
        pytest.param(
            ("--set", "abi3=cp39", "--set", "build.floor=project"),
            "cp39-abi3-manylinux_2_31_x86_64@cp312: no image here has cp312 to try it",
            id="trial",
        ),
    ],
)
def test_a_plan_for_which_an_image_is_lacking_ends_with_1_and_says_what_to_write(
    factory: Program, settings: tuple[str, ...], said: str
) -> None:
    done = factory("plan", "--set", "interpreters=[cp313, cp312]", *settings)

    assert done.code == 1
    assert f"not ready: demo/{said}" in done.stderr
    assert "`interpreters`" in done.stderr
    assert "next:" not in done.stderr


def test_a_plan_is_ready_where_the_recipe_lets_a_wheel_out_untried(factory: Program) -> None:
    settings = ("interpreters=[cp313, cp312]", "abi3=cp39", "build.floor=project", "test.untried=allow")

    done = factory("plan", *(word for setting in settings for word in ("--set", setting)))

    assert done.code == 0, done.stderr
    assert "next: factory build" in done.stderr


def test_a_recipe_that_would_read_a_variable_is_planned_where_the_caller_allows_it(factory: Program) -> None:
    setting = ("--set", "build.pass-env=[TOKEN]")

    refused = factory("plan", *setting, TOKEN="s3cr3t-word")
    allowed = factory("plan", *setting, "--allow-env", "TOKEN")
    malformed = factory("plan", *setting, "--allow-env", "TOKEN=word")

    assert (refused.code, refused.stdout) == (3, "")
    typed = "factory plan recipe.yaml --allow-env TOKEN; or set FACTORY_PASS_ENV=TOKEN"
    assert f"add --allow-env TOKEN to the command: {typed}" in way_out(refused.stderr)
    assert "s3cr3t-word" not in refused.stderr
    assert allowed.code == 0, allowed.stderr
    assert "next: factory build --allow-env TOKEN" in allowed.stderr
    assert malformed.code == 2
    assert "'TOKEN=word' in --allow-env is not the name of a variable" in malformed.stderr


def test_nothing_selected_is_a_plan_that_cannot_be(factory: Program) -> None:
    done = factory("plan", "--only", "cp27-*")

    assert (done.code, done.stdout) == (3, "")
    assert done.stderr.startswith("factory: nothing is selected\n")
    assert "not among --only cp27-*" in way_out(done.stderr)


@pytest.mark.parametrize("command", ["plan", "build"])
def test_a_store_that_cannot_be_used_ends_with_5(factory: Program, command: str) -> None:
    done = factory(command, FACTORY_STORE="/proc/store")

    assert (done.code, done.stdout) == (5, "")
    assert "FACTORY_STORE" in way_out(done.stderr)


def test_a_file_for_the_json_that_cannot_be_written_is_reported_before_any_work(factory: Program) -> None:
    done = factory("build", "--json", "/proc/run.json")

    assert done.code == 5
    assert done.stderr.startswith("factory: /proc/run.json cannot be written: ")
    assert not (factory.folder / ".factory").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("plan", "absent.yaml"), id="no such recipe"),
        pytest.param(("plan", "--families", "absent"), id="no such family"),
        pytest.param(("plan", "--ids", "--json"), id="two forms at once"),
        pytest.param(("plan", "--set", "build.tiemout=3"), id="no such field"),
        pytest.param(("audit", "absent.whl"), id="no such wheel"),
        pytest.param(("image", "build", "absent"), id="no such image"),
    ],
)
def test_what_cannot_be_meant_ends_with_2_and_a_way_out(factory: Program, arguments: tuple[str, ...]) -> None:
    done = factory(*arguments)

    assert (done.code, done.stdout) == (2, "")
    assert way_out(done.stderr)


@pytest.mark.parametrize(
    "arguments", [("--bad",), ("plan", "--bad"), ("absent",), ("audit",), ("build", "--jobs", "0")]
)
def test_what_click_refuses_ends_with_2_too(factory: Program, arguments: tuple[str, ...]) -> None:
    done = factory(*arguments)

    assert (done.code, done.stdout) == (2, "")
    assert "Try 'factory" in done.stderr


def test_with_keep_going_the_good_recipes_are_planned_and_the_bad_ones_code_ends_the_command(factory: Program) -> None:
    (factory.folder / "bad.yaml").write_text(BAD.replace("demo", "bad"))

    done = factory("plan", "--keep-going", "--ids", ".")

    assert done.code == 2
    assert len(done.stdout.split()) == 2
    assert "bad.yaml:4:1" in done.stderr


def test_with_keep_going_a_bad_recipe_is_told_of_once_and_counted_in_the_json(factory: Program) -> None:
    (factory.folder / "bad.yaml").write_text(BAD.replace("demo", "bad"))

    done = factory("build", "--keep-going", "--json", "run.json", ".")

    run = json.loads((factory.folder / "run.json").read_text())["run"]
    assert [failed["message"] for failed in run["failed_recipes"]] == ["bad.yaml has 2 problems"]
    assert done.stderr.count("bad.yaml:4:1") == 1
    assert "✗" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("plan", "--json"), ("image", "list", "--json"), ("schema", "run"), ("schema",)], ids=" ".join
)
def test_stdout_carries_data_only(factory: Program, arguments: tuple[str, ...]) -> None:
    done = factory(*arguments)

    assert done.code == 0, done.stderr
    json.loads(done.stdout)


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_no_name_is_cut_however_narrow_the_terminal(factory: Program, columns: str) -> None:
    done = factory.terminal("plan", COLUMNS=columns)

    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert done.code == 0
    assert "…" not in text
    assert max(len(line) for line in text.splitlines() if "-cp3" in line) <= int(columns)
    assert columns == "40" or "cp313-cp313-manylinux_2_31_x86_64" in text


def test_a_terminal_gets_colours_unless_no_color_is_set(factory: Program) -> None:
    colours, none = factory.terminal("plan", COLOURS="yes"), factory.terminal("plan", NO_COLOR="1")

    assert "\x1b[" in colours.stdout
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", none.stdout)


@pytest.mark.parametrize("command", ["plan", "plan --json", "image list", "schema run", "--help", "doctor"])
def test_a_pipe_that_closes_early_is_no_traceback(factory: Program, command: str) -> None:
    done = factory.shell("bash", "-c", f"{factory.program} {command} | head -c 1")

    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


@pytest.mark.parametrize(
    "command", ["plan", "plan --ids", "plan --json", "image list", "schema", "schema run", "--help", "doctor"]
)
def test_output_that_cannot_be_written_is_said_in_one_sentence(factory: Program, command: str) -> None:
    done = factory.shell("bash", "-c", f"{factory.program} {command} >/dev/full")

    assert done.code == 5
    assert done.stderr.endswith(
        "factory: stdout cannot be written: No space left on device\n"
        "  hint: free some disk space, or write to another place\n"
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_stdout_that_is_closed_from_the_start_is_no_traceback(factory: Program) -> None:
    done = factory.shell("bash", "-c", f"{factory.program} plan --ids >&-")

    assert (done.code, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["plan --ids", "schema run", "image list"])
def test_the_code_of_a_pipe_that_closed_before_the_first_line_is_1(factory: Program, command: str) -> None:
    """The reader is gone before anything is written: `true` reads nothing, and the program waits for its end."""
    script = f"(sleep 1; exec {factory.program} {command}) | true; exit ${{PIPESTATUS[0]}}"

    done = factory.shell("bash", "-c", script)

    assert done.code == 1
    assert not [line for line in done.stderr.splitlines() if "roken" in line or "Traceback" in line]


def test_ctrl_c_while_a_recipe_is_planned_ends_with_130(factory: Program) -> None:
    """What holds it is a git that never answers."""
    git, began = factory.folder / "bin/git", factory.folder / "began"
    git.parent.mkdir()
    git.write_text(f"#!/bin/sh\n: >{began}\nexec sleep 600\n")
    git.chmod(0o755)
    (factory.folder / ".git").mkdir()
    surroundings = {**factory.surroundings, "PATH": f"{git.parent}:{factory.surroundings['PATH']}"}
    child = subprocess.Popen(
        [factory.program, "plan", "--set", "source.path=."],
        cwd=factory.folder,
        env=surroundings,
        stderr=subprocess.PIPE,
    )
    while not began.exists():
        assert child.poll() is None
        time.sleep(0.05)

    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=30)

    assert child.returncode == 130
    assert stderr.strip() == b"factory: interrupted"


def test_help_loads_nothing_that_is_slow_to_load(factory: Program) -> None:
    slow = {"attrs", "auditwheel", "cattrs", "docker", "jinja2", "packaging", "pydantic", "requests", "rich", "yaml"}
    python = factory.program.with_name("python")

    done = factory.shell(str(python), "-X", "importtime", str(factory.program), "--help")

    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in loaded
    assert loaded & slow == set()


def test_a_build_loads_no_reader_of_indexes_until_it_asks_one(factory: Program) -> None:
    python = factory.program.with_name("python")

    done = factory.shell(str(python), "-X", "importtime", str(factory.program), "build")

    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert {"docker", "rich"} <= loaded
    assert loaded & {"bs4", "pydantic", "pypi_simple"} == set()


def test_a_run_that_was_stopped_says_so_in_every_report(factory: Program) -> None:
    summary = factory.folder / "summary.md"
    summary.write_text("before\n")

    reports = ("--junit", "run.xml", "--json", "run.json", "--timings", "timings.html")
    done = factory("build", *reports, GITHUB_STEP_SUMMARY=str(summary))

    why = "no container engine answers at unix:///nonexistent.sock"
    assert done.code == 4
    assert json.loads((factory.folder / "run.json").read_text())["run"]["stopped"] == why
    assert f'message="{why}"' in (factory.folder / "run.xml").read_text()
    assert summary.read_text().startswith("before\n## no container engine answers")
    assert "<h1>Timings of run 2" in (factory.folder / "timings.html").read_text()


def test_a_summary_that_cannot_be_written_is_said(factory: Program) -> None:
    done = factory("build", GITHUB_STEP_SUMMARY=str(factory.folder / "absent" / "summary.md"))

    assert done.code == 5
    assert "summary.md cannot be written: No such file or directory" in done.stderr


def test_two_reports_do_not_share_stdout(factory: Program) -> None:
    done = factory("build", "--junit", "-", "--json", "-")

    assert (done.code, done.stdout) == (2, "")
    assert way_out(done.stderr) == "name a file for one of them"


def test_a_recipe_that_reads_outside_of_its_folder_is_refused_with_the_flag_that_lets_it(factory: Program) -> None:
    (factory.folder / "recipes").mkdir()
    (factory.folder / "recipe.yaml").rename(factory.folder / "recipes/recipe.yaml")

    refused = factory("plan", "recipes", "--set", "source.path=..")
    hint = way_out(refused.stderr.rsplit("factory: ", 1)[0])
    allowed = factory("plan", "recipes", "--set", "source.path=..", *hint.partition("add ")[2].split())

    assert (refused.code, hint) == (2, f"if the recipe may read it, add --root {factory.folder}")
    assert allowed.code == 0
    assert f"--root {factory.folder}" in allowed.stderr


def test_a_root_is_a_folder_that_is_there(factory: Program) -> None:
    done = factory("build", "--root", "gone")

    assert done.code == 2
    assert "Directory 'gone' does not exist" in done.stderr
