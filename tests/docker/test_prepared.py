"""System packages and a recipe's own commands as root: an image that is made once, shared, and told of."""

import io
import json
import signal
import zipfile
from collections.abc import Iterator

import docker
import pytest
from docker.models.images import Image

from factory.elf.read import parse
from factory.events.model import StepStarted
from factory.host import read_host
from factory.images.mirror import apt_mirror
from tests.docker.command import PLATFORM, Command, Ran, left_behind
from tests.docker.events import events_of, wait_for
from tests.docker.projects import C_MODULE, Project, make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

LIBYAML = {"apt": ["libyaml-dev"], "dnf": ["libyaml-devel"]}
SECRET = "secret-of-the-host.example"
METADATA = 'import socket, sys; sys.exit(socket.socket().connect_ex(("169.254.169.254", 80)) != 101)'  # ENETUNREACH
IN_BEFORE_ALL = [
    f"/opt/python/cp313-cp313/bin/python -c '{METADATA}'",
    'test "$(id -u)" = 0 && test ! -e /work/source',
    "apt-get -q update",
    "echo '#define ANSWER 42' >/usr/include/answer.h",
]


def make_yaml_project(name: str) -> Project:
    """A module that answers through a system library."""
    code = C_MODULE.replace("PyLong_FromLong(42)", "PyLong_FromLong(yaml_get_version_string() ? 42 : 0)")
    return make_c_project(name, code=f"#include <yaml.h>\n{code}", extension="libraries=['yaml']")


def make_header_project(name: str) -> Project:
    """A module that includes a header which no package has."""
    return make_c_project(name, code=f"#include <answer.h>\n{C_MODULE.replace('42', 'ANSWER')}")


def write_recipes(command: Command) -> Iterator[object]:
    answers = {"run": 'python -c "import linked; assert linked.answer() == 42"'}
    system = {"system": LIBYAML}
    yield command.recipe(make_yaml_project("linked"), interpreters=("cp311", "cp313"), build=system, test=answers)
    yield command.recipe(make_yaml_project("sharing"), build=system)
    yield command.recipe(make_header_project("commanded"), build={"before-all": IN_BEFORE_ALL})
    yield command.recipe(make_yaml_project("misspelt"), build={"system": {"apt": ["libyaml-dve"]}})
    yield command.recipe(make_c_project("untouched"))


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    return workshop.build(*map(str, write_recipes(workshop)), env={"no_proxy": SECRET})


@pytest.fixture(scope="module")
def again(workshop: Command, ran: Ran) -> Ran:  # noqa: ARG001 -- that it went before is all
    """The same without anything to reach: what is here needs no network."""
    nowhere = "http://127.0.0.1:9"
    dead = {"FACTORY_APT_MIRROR": nowhere, "http_proxy": nowhere, "https_proxy": nowhere}
    good = [f"{name}.yaml" for name in ("linked", "sharing", "commanded")]
    return workshop.build(*good, env=dead)


def prepared_images(daemon: docker.DockerClient, command: Command) -> dict[str, Image]:
    mine = [f"wheel-factory.owner={command.owner}", "wheel-factory.kind=prepared"]
    return {image.labels["wheel-factory.holds"]: image for image in daemon.images.list(filters={"label": mine})}


def test_a_package_that_no_distribution_has_blocks_its_own_cells_alone(ran: Ran) -> None:
    statuses = {name: record.status for name, record in ran.records.items() if "/" not in name}

    failure = ran.failure("misspelt")
    assert ran.code == 1
    assert statuses == {
        "linked": "passed",
        "sharing": "passed",
        "commanded": "passed",
        "misspelt": "blocked",
        "untouched": "passed",
    }
    assert failure.message == "the image's distribution has no package libyaml-dve"
    assert ran.run is not None
    assert "Unable to locate package libyaml-dve" in (ran.folder / ran.run.folder / failure.log).read_text()


def test_cells_that_ask_for_the_same_share_one_image(ran: Ran) -> None:
    committed = [
        event for event in events_of(ran.folder) if isinstance(event, StepStarted) and event.step == "save-image"
    ]

    assert len(committed) == 2


def test_the_library_is_copied_into_the_wheel_and_found_there(workshop: Command, ran: Ran) -> None:
    name = f"linked-1.0-cp313-cp313-{PLATFORM}.whl"

    with zipfile.ZipFile(io.BytesIO(workshop.dist[name])) as wheel:
        (graft,) = [each for each in wheel.namelist() if each.startswith("linked.libs/libyaml")]
        (module,) = [each for each in wheel.namelist() if each.startswith("linked.c")]
        shared = parse(wheel.read(module))

    assert graft.removeprefix("linked.libs/") in shared.needed
    assert (*shared.rpath, *shared.runpath) == ("$ORIGIN/linked.libs",)
    repair = ran.records[f"linked/cp313-cp313-{PLATFORM}"].repair
    assert repair is not None
    assert repair.grafts == (graft,)


def test_what_is_prepared_is_kept_and_needs_no_network_again(again: Ran) -> None:
    assert (again.code, again.containers) == (0, 0), again.stderr
    assert set(again.statuses.values()) == {"cached"}


@pytest.mark.usefixtures("ran")
def test_nothing_of_the_host_is_in_a_prepared_image(workshop: Command, daemon: docker.DockerClient) -> None:
    image = prepared_images(daemon, workshop)["apt libyaml-dev"]
    mirror = (apt_mirror(read_host()) or "http://no.mirror").split("/")[2]
    look = ["grep", "-rlE", f"{SECRET}|{mirror}", "/etc", "/var", "/root", "/usr/share/wheel-factory"]

    found = daemon.containers.run(image, ["sh", "-c", '"$@" || true', "look", *look], remove=True)

    assert found == b""
    assert SECRET not in json.dumps(image.attrs)
    assert daemon.containers.run(image, ["ls", "-A", "/work"], remove=True) == b""


@pytest.mark.usefixtures("ran")
def test_prepared_images_are_listed_with_what_they_hold(workshop: Command) -> None:
    listed = workshop("image", "list").stdout
    document = json.loads(workshop("image", "list", "--json").stdout)

    assert f"prepared: lookalike-{PLATFORM} with apt libyaml-dev" in listed
    assert {"before-all", "apt libyaml-dev"} <= {each["holds"] for each in document["prepared"]}
    assert f"lookalike-{PLATFORM} with before-all" in workshop("doctor").stdout


def test_a_base_image_is_never_mistaken_for_what_was_made_of_it(workshop: Command, ran: Ran) -> None:
    """A prepared image inherits labels: it must not be found as the image it began with."""
    listed = json.loads(workshop("image", "list", "--json").stdout)

    assert {each["here"] for each in listed["images"] if each["image"]["name"] == f"lookalike-{PLATFORM}"} == {True}
    assert ran.records["untouched"].status == "passed"


def test_a_mirror_that_does_not_answer_loses_the_cells_that_need_it(command: Command) -> None:
    recipe = command.recipe(make_yaml_project("elsewhere"), build={"system": {"apt": ["libyaml-dev", "libyaml-doc"]}})

    ran = command.build(recipe, env={"FACTORY_APT_MIRROR": "http://127.0.0.1:9/debian"})

    assert (ran.code, set(ran.statuses.values())) == (1, {"lost"}), ran.stderr
    assert "packages could not be fetched" in ran.failure("elsewhere").message


def test_a_run_that_is_ended_while_it_prepares_leaves_nothing(command: Command, daemon: docker.DockerClient) -> None:
    recipe = command.recipe(make_c_project("ended"), build={"before-all": "sleep 60"})
    before = prepared_images(daemon, command)

    child = command.start("build", recipe)
    wait_for(command.folder, child, lambda event: isinstance(event, StepStarted) and event.step == "before-all")
    child.send_signal(signal.SIGTERM)
    ended = command.end(child)

    assert ended.code == 130, ended.stderr
    assert left_behind(daemon, command.owner) == set()
    assert prepared_images(daemon, command).keys() == before.keys()
