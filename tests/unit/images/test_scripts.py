"""The scripts that make images, written for another machine."""

from pathlib import Path

from factory.images.scripts import scripts_for
from factory.images.spec import data_folder

IMAGES = data_folder()


def test_the_first_machines_scripts_are_those_of_the_data(tmp_path: Path) -> None:
    assert scripts_for("x86_64", IMAGES, tmp_path) == IMAGES / "scripts"
    assert not list(tmp_path.iterdir())


def test_no_script_for_another_machine_speaks_of_the_first(tmp_path: Path) -> None:
    folder = scripts_for("aarch64", IMAGES, tmp_path)

    scripts = {path.name: path.read_text() for path in folder.iterdir()}
    assert {*scripts} == {path.name for path in (IMAGES / "scripts").glob("*.py")}
    assert not [name for name, text in scripts.items() if "x86_64" in text or "x86-64" in text]
    assert 'MULTIARCH = "aarch64-linux-gnu"' in scripts["relocate.py"]
    assert 'LOADER = "ld-linux-aarch64.so.1"' in scripts["relocate.py"]


def test_beside_the_scripts_lies_what_lies_there_in_the_data(tmp_path: Path) -> None:
    folder = scripts_for("aarch64", IMAGES, tmp_path)

    assert (folder / "../rust/tools.lock").read_bytes() == (IMAGES / "rust/tools.lock").read_bytes()
