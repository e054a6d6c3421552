"""`factory image pin`: pins taken from the newest cibuildwheel that an index has, over real connections."""

import configparser
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.host import read_host
from factory.images.known import pulled_families
from factory.images.pinning import CIBUILDWHEEL_PINS
from factory.images.pulled import read_lock
from tests.cli.program import Program
from tests.makers.index import Index, serve_index

pytestmark = pytest.mark.thorough

(FAMILY,) = pulled_families()
NAMES = sorted(path.stem for path in FAMILY.glob("*.toml"))
OLD, NEW = "0" * 64, "1" * 64


@pytest.fixture
def index() -> Iterator[Index]:
    with serve_index() as served:
        yield served


@pytest.fixture
def program(tmp_path: Path, index: Index) -> Program:
    return Program(folder=tmp_path, env={"UV_DEFAULT_INDEX": f"{index.url}/simple/"})


def add(index: Index, version: str, digest: str, names: list[str] | None = None) -> str:
    """List a wheel of cibuildwheel that pins every image of ours to one digest."""
    sections = configparser.ConfigParser()
    sections.read_dict({"x86_64": {}, "aarch64": {}})
    for name in NAMES if names is None else names:
        arch = next(section for section in sections.sections() if name.endswith(section))
        sections[arch][name.removesuffix(f"_{arch}")] = f"quay.io/pypa/{name}@sha256:{digest}  # {version}"
    text = io.StringIO()
    sections.write(text)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as wheel:
        wheel.writestr(CIBUILDWHEEL_PINS, text.getvalue())
    filename = f"cibuildwheel-{version}-py3-none-any.whl"
    index.files[filename] = out.getvalue()
    return filename


def test_the_newest_release_that_is_neither_yanked_nor_preliminary_pins_every_image(
    program: Program, index: Index
) -> None:
    add(index, "4.1.0", OLD)
    add(index, "4.10.0", NEW)
    add(index, "4.9.0", OLD)
    add(index, "5.0.0rc1", OLD)
    index.yanked.add(add(index, "4.11.0", OLD))

    ended = program("image", "pin", "--from-cibuildwheel", "-o", "my.lock")

    assert ended.code == 0, ended.stderr
    lock = read_lock(program.folder / "my.lock")
    assert lock.origin == "cibuildwheel 4.10.0"
    assert sorted(lock.pins) == NAMES
    assert {(pin.digest.hex, pin.tag) for pin in lock.pins.values()} == {(NEW, "4.10.0")}
    assert f"pypa-{NAMES[0]} quay.io/pypa/{NAMES[0]}:4.10.0@sha256:{NEW}  (new)" in ended.stdout


def test_a_lock_of_ones_own_is_what_is_pulled_by(program: Program, index: Index) -> None:
    add(index, "4.10.0", NEW)
    program("image", "pin", "--from-cibuildwheel", "-o", "my.lock")

    again = program("image", "pin", "--from-cibuildwheel", FACTORY_IMAGE_LOCK="my.lock")
    listed = program("image", "list", "--json", FACTORY_IMAGE_LOCK="my.lock")
    absent = program("image", "list", FACTORY_IMAGE_LOCK="no.lock")

    assert (again.code, listed.code) == (0, 0), again.stderr + listed.stderr
    assert "(new)" not in again.stdout
    assert absent.code == 4
    assert "no.lock cannot be read" in absent.stderr


def test_a_wheel_that_is_not_what_the_index_says_pins_nothing(program: Program, index: Index) -> None:
    index.listed_sha256[add(index, "4.10.0", NEW)] = OLD

    ended = program("image", "pin", "--from-cibuildwheel", "-o", "my.lock")

    assert ended.code == 3
    assert f"the index says sha256:{OLD}" in ended.stderr
    assert not (program.folder / "my.lock").exists()


def test_an_image_that_the_newest_release_dropped_is_named(program: Program, index: Index) -> None:
    add(index, "4.10.0", NEW, NAMES[1:])

    ended = program("image", "pin", "--from-cibuildwheel", "-o", "my.lock")

    assert ended.code == 4
    assert f"cibuildwheel 4.10.0 pins no {NAMES[0]}" in ended.stderr


def test_an_index_without_cibuildwheel_is_said_so(program: Program) -> None:
    ended = program("image", "pin", "--from-cibuildwheel", "-o", "my.lock")

    assert ended.code == 3
    assert "no configured index has a wheel of cibuildwheel" in ended.stderr


def test_a_registry_is_asked_through_an_engine(program: Program) -> None:
    every = program("image", "pin", "-o", "my.lock")
    one = program("image", "pin", "registry.test/image:1")
    none = program("image", "pin", "https://registry.test/image")

    assert (every.code, one.code, none.code) == (4, 4, 2)
    assert "no container engine answers" in every.stderr
    assert "'https://registry.test/image' is not an image of a registry" in none.stderr


def test_flags_without_an_effect_are_refused(program: Program) -> None:
    both = program("image", "pin", "--from-cibuildwheel", "python:3.12", "-o", "my.lock")
    unused = program("image", "pin", "python:3.12", "-o", "my.lock")
    tag = program("image", "pin", "--tag", 'a"b', "python")

    assert [ended.code for ended in (both, unused, tag)] == [2, 2, 2]
    assert "--from-cibuildwheel takes no image" in both.stderr
    assert "add --trial" in unused.stderr
    assert "'python:a\"b' is not an image of a registry" in tag.stderr


def test_what_the_message_about_a_broken_lock_says_to_type_mends_it(program: Program, index: Index) -> None:
    add(index, "4.10.0", NEW)
    (program.folder / "bad.lock").write_text("[images")
    (program.folder / "part.lock").write_text('origin = "x"\n[images]\n')

    bad = program("image", "list", FACTORY_IMAGE_LOCK="bad.lock")
    part = program("image", "list", FACTORY_IMAGE_LOCK="part.lock")
    written = program("image", "pin", "--from-cibuildwheel", "-o", "new.lock", FACTORY_IMAGE_LOCK="bad.lock")
    filled = program("image", "pin", "--from-cibuildwheel", FACTORY_IMAGE_LOCK="part.lock")

    assert "hint: mend it, or write another file: `factory image pin --from-cibuildwheel -o FILE`" in bad.stderr
    assert "hint: `factory image pin --from-cibuildwheel` pins every image again" in part.stderr
    assert (written.code, filled.code) == (0, 0), written.stderr + filled.stderr


@pytest.mark.index
def test_the_real_cibuildwheel_pins_what_our_files_declare(tmp_path: Path) -> None:
    host = read_host()
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    bundle = {"SSL_CERT_FILE": str(host.certificates)} if host.certificates else {}
    program = Program(folder=tmp_path, env={**host.network_env, **index, **bundle})

    ended = program("image", "pin", "--from-cibuildwheel", "-o", "real.lock")

    assert ended.code == 0, ended.stderr
    pins = read_lock(tmp_path / "real.lock").pins
    assert {name: pin.name for name, pin in pins.items()} == {name: f"quay.io/pypa/{name}" for name in NAMES}


@pytest.mark.index
def test_the_lines_of_the_guide_give_a_lock_of_a_mirror(tmp_path: Path) -> None:
    host = read_host()
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    bundle = {"SSL_CERT_FILE": str(host.certificates)} if host.certificates else {}
    program = Program(folder=tmp_path, env={**host.network_env, **index, **bundle})
    page = (Path(__file__).parents[2] / "docs/how-to/behind-a-registry-mirror.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```sh\n(factory image pin --from.*?)factory image pull (\S+)\n```", page, re.DOTALL)
    typed, name = lines

    made = program.shell("sh", "-ec", typed.replace("factory ", f"{program.program} ", 1))
    shown = program("image", "show", name, FACTORY_IMAGE_LOCK=str(tmp_path / "images.lock"))

    assert made.code == 0, made.stderr
    assert {pin.name for pin in read_lock(tmp_path / "images.lock").pins.values()} == {
        f"mirror.example/pypa/{name}" for name in NAMES
    }
    assert "mirror.example/pypa/manylinux_2_28_x86_64" in shown.stdout, shown.stderr
