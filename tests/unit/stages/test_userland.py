"""The userland of another machine is brought to a trial image where an emulator could run it, and nowhere else."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from factory.errors import ImageError
from factory.failure import Failure
from factory.images.interpreters import Packed
from factory.images.ready import ReadyImage
from factory.images.spec import declared_specs
from factory.memory import Stage
from factory.stages.userland import with_userland
from tests.doubles.engine import Answer, Call
from tests.doubles.run import World
from tests.makers.objects import make_object

SPEC = next(spec for spec in declared_specs() if spec.facts.name == "trial-bullseye")


@pytest.fixture
def world(world: World, tmp_path: Path) -> World:
    """A world with an emulator of aarch64, and a userland that is packed already."""
    programs = tmp_path / "emulators"
    programs.mkdir()
    (programs / "qemu-aarch64-static").write_bytes(make_object(program=True))
    (programs / "qemu-aarch64-static").chmod(0o755)
    world.host = replace(world.host, path=str(programs))
    tar = world.store.put_bytes(packed(), "made.tar")
    world.answers[Packed] = Packed(tar=tar, manifest=world.store.put_bytes(b"", "made.manifest"))
    world.engine.commands = compiles
    world.images = (*world.images, SPEC.facts)
    return world


def packed() -> bytes:
    """Return a tar of one folder with a module and a library."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        folder = tarfile.TarInfo("userland")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name in ("usr/lib/python3.9/os.py", "lib/libc.so.6"):
            file = tarfile.TarInfo(f"userland/{name}")
            file.size = 4
            tar.addfile(file, io.BytesIO(b"text"))
    return content.getvalue()


def compiles(call: Call) -> Answer:
    assert call.read("/work/userland/usr/lib/python3.9/os.py") == b"text"
    assert call.read("/work/userland/lib/libc.so.6") is None, "only modules are compiled"
    call.files.write("/work/userland/usr/lib/python3.9/__pycache__/os.cpython-39.pyc", b"code")
    return Answer()


def plain(world: World) -> ReadyImage:
    return world.image(SPEC.facts.name)


def brought(world: World) -> ReadyImage | Failure:
    with world.recorder() as recorder:
        return with_userland(world.services(recorder), plain(world), "aarch64", "image:trial-bullseye+aarch64")


def test_it_is_mounted_with_its_emulator_and_with_bytecode_of_the_images_own_python(world: World) -> None:
    image = brought(world)

    assert isinstance(image, ReadyImage)
    (mount,) = image.mounts
    assert (str(mount.path), str(image.facts.platform)) == ("/userland", "manylinux_2_31_aarch64")
    assert set(world.engine.volumes[mount.volume].below("/")) == {
        "emulator",
        "lib/libc.so.6",
        "usr/lib/python3.9/os.py",
        "usr/lib/python3.9/__pycache__/os.cpython-39.pyc",
    }
    assert image.identity != plain(world).identity


def test_without_an_emulator_the_image_stays_as_it_is(world: World) -> None:
    world.host = replace(world.host, path="")

    assert brought(world) == plain(world)
    assert not world.engine.started


def test_packages_that_do_not_come_fail_what_asks_for_them(world: World) -> None:
    world.answers[Packed] = unreachable

    failure = brought(world)

    assert isinstance(failure, Failure)
    assert (failure.step, failure.hint) == ("userland", "the mirror is gone")


def unreachable(_: Stage[Packed]) -> Packed:
    raise ImageError("bullseye for aarch64 could not be unpacked", hint="the mirror is gone")
