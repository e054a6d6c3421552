"""Workspaces as cargo finds them, and what a crate needs that the source does not hold."""

import pytest

from factory.project.cargo import find_workspace, lock_path, needs_beyond, read_crate, read_lock
from factory.project.files import Reading
from tests.makers.sources import Files

PACKAGE = "[package]\nname = 'demo'\nversion = '1.0.0'\n"


@pytest.mark.parametrize(
    ("manifests", "root"),
    [
        pytest.param({"": "[workspace]\nmembers = ['py']"}, "", id="above"),
        pytest.param({"": "[workspace]\nexclude = ['a']"}, "a/py", id="below an excluded folder"),
        pytest.param({"a": "[workspace]\nexclude = ['./py/']"}, "a/py", id="excluded"),
        pytest.param({"a": "[workspace]\nexclude = ['py']", "": "[workspace]"}, "", id="excluded by the nearest"),
        pytest.param({"a": "[workspace]\nexclude = ['py']\nmembers = ['py']"}, "a", id="excluded and a member"),
        pytest.param({"a": "[package]\nworkspace = '../ws'", "ws": "[workspace]"}, "ws", id="named between"),
        pytest.param({"a/py": f"{PACKAGE}[workspace]", "": "[workspace]"}, "a/py", id="its own"),
    ],
)
def test_a_workspace_is_the_one_that_cargo_finds(manifests: dict[str, str], root: str) -> None:
    files = Files({"a/py/Cargo.toml": PACKAGE})
    files.update({f"{folder}/Cargo.toml".lstrip("/"): text for folder, text in manifests.items()})

    assert find_workspace(Reading.of(files), "a/py/Cargo.toml")[1] == root


def test_a_lock_beside_a_member_is_not_the_one_that_cargo_reads() -> None:
    files = Reading.of(Files({"Cargo.toml": "[workspace]", "py/Cargo.toml": PACKAGE, "py/Cargo.lock": ""}))

    crate = read_crate(files, "py/Cargo.toml")

    assert lock_path(crate) == "Cargo.lock"
    assert read_lock(files, crate) is None


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (PACKAGE, []),
        ("[package]\nname = 'demo'\nversion.workspace = true\n", ["takes 'package.version' from a workspace"]),
        (f"{PACKAGE}[dependencies]\nserde.workspace = true\n", ["takes 'dependencies.serde' from a workspace"]),
        (f"{PACKAGE}[dependencies]\ncore = {{path = '../core'}}\n", ["depends on 'core' at '../core', outside"]),
        (f"{PACKAGE}[dependencies]\ncore = {{path = 'core'}}\n[dev-dependencies]\nx = {{path = '../x'}}\n", []),
    ],
    ids=["nothing", "field", "inherited dependency", "path", "inside"],
)
def test_what_lies_outside_of_the_source_is_named(text: str, needs: list[str]) -> None:
    crate = read_crate(Reading.of(Files({"Cargo.toml": text})), "Cargo.toml")

    found = list(needs_beyond(crate))

    assert len(found) == len(needs)
    assert all(need in sentence for need, sentence in zip(needs, found, strict=True))
