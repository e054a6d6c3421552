"""An interpreter that no image holds is mounted where a cell or a trial asks for it, and nowhere else."""

import io
import tarfile
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from factory.errors import ImageError
from factory.images.interpreters import Maker, Packed
from factory.tags import Interpreter
from tests.doubles.looking import calls_of, failure_of, images_of, only
from tests.doubles.projects import PLAIN
from tests.doubles.run import World
from tests.makers.plans import interpreters

FREE = PLAIN.replace("[cp313]", "[cp315t]")
BOTH = PLAIN.replace("[cp313]", "[cp313, cp315t]")
PLACE = "/opt/python/cp315-cp315t"


@pytest.fixture
def world(world: World) -> World:
    """A world whose images can be given a cp315t, which is compiled already."""
    world.images = tuple(replace(image, on_demand=interpreters("cp315t")) for image in world.images)
    tar = world.store.put_bytes(installation(), "made.tar")
    world.answers[Packed] = Packed(tar=tar, manifest=world.store.put_bytes(b"", "made.manifest"))
    return world


def installation() -> bytes:
    """Return a tar of one folder, which holds a program and a link to it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        folder = tarfile.TarInfo("cp315-cp315t")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        program = tarfile.TarInfo("cp315-cp315t/bin/python3.15t")
        program.size, program.mode = 6, 0o755
        tar.addfile(program, io.BytesIO(b"python"))
        link = tarfile.TarInfo("cp315-cp315t/bin/python")
        link.type, link.linkname = tarfile.SYMTYPE, "python3.15t"
        tar.addfile(link)
    return content.getvalue()


def mounted(world: World, label: str) -> set[str]:
    """Return the interpreters that lie in the containers whose label begins so."""
    mounts = [mount for spec in world.engine.started if spec.label.startswith(label) for mount in spec.mounts]
    return {str(mount.path) for mount in mounts if str(mount.path).startswith("/opt/python")}


def test_it_is_mounted_where_a_cell_is_built_and_where_it_is_tried(world: World) -> None:
    run = world.run(FREE)

    assert only(run).status == "passed"
    address = only(run).cell.address
    assert mounted(world, address) == {PLACE}
    build, trial = (call.argv for call in calls_of(world, "environment") if "/tools/bin/uv" in call.argv)
    assert f"{PLACE}/bin/python" in build
    assert f"{PLACE}/bin/python" in trial


def test_the_volume_holds_the_installation_with_its_links(world: World) -> None:
    world.run(FREE)

    (name,) = [name for name in world.engine.volumes if name.startswith("factory-python-")]
    assert set(world.engine.volumes[name].below("/")) == {"bin/python3.15t"}
    assert PurePosixPath("/bin/python") in world.engine.volumes[name].members


def test_a_cell_that_does_not_ask_for_it_has_the_keys_that_it_had(world: World) -> None:
    world.run(PLAIN)
    before = keys_of(world)
    world.run(BOTH)

    assert {stage: keys - keys_of(world)[stage] for stage, keys in before.items()} == dict.fromkeys(before, frozenset())
    assert mounted(world, "plain/cp313") == set()


def keys_of(world: World) -> dict[str, frozenset[str]]:
    stages = ("build", "repair", "trial", "bytecode")
    return {stage: frozenset(str(entry.document) for entry in world.remembered()[stage]) for stage in stages}


def test_the_bytecode_of_the_tools_is_shared_with_cells_that_do_not_ask_for_it(world: World) -> None:
    world.run(BOTH)

    assert len(images_of(world, "tools")) == 1
    assert mounted(world, "tools") == set()


def test_another_compilation_builds_and_tries_again(world: World) -> None:
    world.run(FREE)
    other = world.store.put_bytes(installation().replace(b"python\0", b"nohtyp\0"), "made.tar")
    world.answers[Packed] = Packed(tar=other, manifest=world.store.put_bytes(b"", "made.manifest"))
    world.forget("interpreter")
    world.forget("interpreter-source")

    world.run(FREE)

    assert len(calls_of(world, "build")) == 2
    assert [result.from_store for result in only(world.run(FREE)).trials] == [True]


def test_one_that_cannot_be_compiled_blocks_only_the_cells_that_ask_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(_: Maker, interpreter: Interpreter) -> Packed:
        raise ImageError(f"{interpreter} could not be compiled on bullseye", hint="another mirror")

    monkeypatch.setattr(Maker, "made", made)

    run = world.run(BOTH)

    told = {str(record.trials[0].interpreter): record for record in run.records}
    assert {name: record.status for name, record in told.items()} == {"cp313": "passed", "cp315t": "blocked"}
    assert failure_of(told["cp315t"]).message == "cp315t could not be compiled on bullseye"
    assert failure_of(told["cp315t"]).hint == "another mirror"
