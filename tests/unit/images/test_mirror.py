"""Which Debian mirror packages come from, as sources.list(5) of this machine may say it."""

from dataclasses import replace
from pathlib import Path

import pytest

from factory.host import read_host
from factory.images.mirror import apt_mirror, is_snapshot

HOST = replace(read_host({}), apt_mirror=None)
MIRROR = "http://mirror.example/debian"
DEB822 = f"""
Types: deb
URIs: http://tools.example/apt
Suites: bookworm
Components: main

Types: deb
# a comment
URIs: {MIRROR}
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def make_etc(folder: Path, *, system: str = "debian", one_line: str = "", deb822: str = "") -> Path:
    (folder / "apt/sources.list.d").mkdir(parents=True)
    (folder / "os-release").write_text(f'ID={system}\nVERSION_CODENAME="bookworm"\n')
    (folder / "apt/sources.list").write_text(one_line)
    (folder / "apt/sources.list.d/debian.sources").write_text(deb822)
    return folder


def test_our_variable_comes_first(tmp_path: Path) -> None:
    etc = make_etc(tmp_path, deb822=DEB822)

    assert apt_mirror(replace(HOST, apt_mirror="http://ours.example/debian"), etc) == "http://ours.example/debian"


@pytest.mark.parametrize(
    ("one_line", "deb822"),
    [
        pytest.param(f"deb {MIRROR} bookworm main contrib", "", id="one line"),
        pytest.param(f"deb [signed-by=/some/key arch=amd64] {MIRROR}/ bookworm main # ours", "", id="with options"),
        pytest.param(
            f"deb http://security.example/debian-security bookworm main\ndeb {MIRROR} bookworm main", "", id="2nd"
        ),
        pytest.param("", DEB822, id="deb822"),
        pytest.param("# deb http://old.example/debian bookworm main", DEB822, id="commented out"),
        pytest.param("deb-src http://old.example/debian bookworm main", DEB822, id="sources only"),
        pytest.param("deb http://old.example/debian bookworm-backports main", DEB822, id="another suite"),
    ],
)
def test_else_the_machine_s_own_debian_archive_is_taken(tmp_path: Path, one_line: str, deb822: str) -> None:
    found = apt_mirror(HOST, make_etc(tmp_path, one_line=one_line, deb822=deb822))

    assert found is not None
    assert found.rstrip("/") == MIRROR


@pytest.mark.parametrize(
    "etc",
    [
        pytest.param({"system": "ubuntu", "deb822": DEB822}, id="no Debian machine"),
        pytest.param({"one_line": "deb cdrom:[disc]/ bookworm main"}, id="a disc"),
        pytest.param({"deb822": DEB822.replace("Types: deb\n# a", "Types: deb\nEnabled: no\n# a")}, id="switched off"),
    ],
)
def test_else_the_bootstrapper_has_its_own_default(tmp_path: Path, etc: dict[str, str]) -> None:
    assert apt_mirror(HOST, make_etc(tmp_path, **etc)) is None


def test_a_machine_without_apt_has_no_mirror(tmp_path: Path) -> None:
    assert apt_mirror(HOST, tmp_path) is None


@pytest.mark.parametrize(
    ("mirror", "snapshot"),
    [
        (None, False),
        (MIRROR, False),
        ("http://mirror.example/20261101/debian", False),
        ("http://snapshot.example/archive/debian/20261101T000000Z", True),
        ("http://snapshot.example/archive/debian/20261101T000000Z/", True),
        ("http://snapshot.example/20261101T000000Z/debian", True),
    ],
)
def test_a_mirror_of_one_moment_is_known_by_the_time_in_its_address(mirror: str | None, *, snapshot: bool) -> None:
    assert is_snapshot(mirror) is snapshot
