"""Where there is no glibc: what the probe says of such an image, and what of our own programs runs there.

No image of Alpine's can be had without a registry. This one is made of Debian's musl and of a static busybox.
"""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from uuid import uuid4

import pytest

from factory.engine.api import WORKSPACE, ContainerSpec
from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.probe import Libc, Probed, probe
from factory.store import Store
from factory.tool_bundle import ensure_tools
from tests.contract.packages import unpacked

pytestmark = [pytest.mark.engine, pytest.mark.index]

APPLETS = ("sh", "sleep", "sed", "cat", "rm")
LOADER = "lib/ld-musl-x86_64.so.1"


@pytest.fixture(scope="module")
def image(engine: DockerEngine) -> Iterator[str]:
    """An image of a shell and musl's loader, without a file of glibc's."""
    made = engine.import_rootfs(
        [make_rootfs(unpacked("busybox-static", "musl"))],
        reference=f"wheel-factory/test-musl:{uuid4().hex}",
        labels={},
        env={"PATH": "/bin"},
    )
    yield made
    engine.remove_image(made)


def make_rootfs(packages: Path) -> bytes:
    (busybox,) = packages.glob("**/bin/busybox")
    (musl,) = packages.glob("**/x86_64-linux-musl/libc.so")
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for source, name in ((busybox, "bin/busybox"), (musl, LOADER)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = source.stat().st_size, 0o755
            with source.open("rb") as content:
                tar.addfile(member, content)
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return spool.getvalue()


def test_an_image_with_musl_says_so_and_holds_nothing_else(engine: DockerEngine, image: str) -> None:
    found = probe(engine, image)

    assert found == Probed(libc=Libc(family="musl", major=1, minor=2))


@pytest.mark.parametrize("program", ["uv", "patchelf"])
def test_a_program_of_the_tool_bundle_runs_without_glibc(
    engine: DockerEngine, host: Host, image: str, tmp_path: Path, program: str
) -> None:
    with Store.open(tmp_path) as store:
        wanted = PurePosixPath("bin", program)
        (file,) = [entry for entry in ensure_tools(host, store).entries() if entry.path == wanted]

    with engine.container(ContainerSpec(image=image, label="musl", env={})) as container:
        container.copy_in([file])
        ended = container.run([str(WORKSPACE / wanted), "--version"], timeout_s=60)

    assert (ended.ended, ended.code) == ("exited", 0), ended.output
    assert ended.output.startswith(program)
