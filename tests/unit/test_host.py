"""What is read of pip's configuration, and how a broken file is said."""

from pathlib import Path

import pytest
import uv

from factory.errors import FactoryError, UsageError
from factory.host import find_uv, read_host

ADDRESS = "https://index.example/simple"


def write(folder: Path, content: bytes) -> dict[str, str]:
    """Write pip's file of this machine; return the environment that names it."""
    path = folder / "pip.conf"
    path.write_bytes(content)
    return {"HOME": str(folder), "PIP_CONFIG_FILE": str(path)}


def test_pips_file_names_the_index(tmp_path: Path) -> None:
    host = read_host(write(tmp_path, f"[global]\nindex-url = {ADDRESS}\n".encode()))

    assert host.index_url == ADDRESS


def test_a_home_without_any_file_of_pips_is_fine(tmp_path: Path) -> None:
    env = {"HOME": "/dev/null", "PIP_CONFIG_FILE": str(tmp_path / "absent"), "UV_DEFAULT_INDEX": ADDRESS}

    assert read_host(env).index_url == ADDRESS


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"index-url = x\n", 1, id="no section"),
        pytest.param(b"[global]\n\nindex-url\n", 3, id="no value"),
        pytest.param(b"[global]\ncert = a\ncert = b\n", 3, id="a name twice"),
        pytest.param(b"[global]\n[global]\n", 2, id="a section twice"),
        pytest.param("[global]\nfile = ü\n".encode("latin-1"), 2, id="not UTF-8"),
    ],
)
def test_a_malformed_file_is_named_with_its_line_and_a_way_out(tmp_path: Path, content: bytes, line: int) -> None:
    with pytest.raises(UsageError) as caught:
        read_host(write(tmp_path, content))

    assert caught.value.message.startswith(f"{tmp_path}/pip.conf:{line} ")
    assert "pip" in caught.value.hint


def test_a_file_that_cannot_be_read_is_no_absent_one(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").symlink_to(tmp_path / "pip.conf")

    with pytest.raises(UsageError, match=r"pip.conf cannot be read: Too many levels") as caught:
        read_host({"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")})

    assert caught.value.hint


def test_certificates_that_cannot_be_looked_at_are_named(tmp_path: Path) -> None:
    bundle = tmp_path / ("a" * 300)

    with pytest.raises(UsageError, match="cannot be read: File name too long") as caught:
        read_host({"HOME": str(tmp_path), "SSL_CERT_FILE": str(bundle)})

    assert "SSL_CERT_FILE" in caught.value.hint


def test_uv_that_is_not_installed_is_an_error_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> str:
        raise FileNotFoundError("Could not find the uv binary in any of the following locations:\n - /usr/bin")

    monkeypatch.setattr(uv, "find_uv_bin", absent)

    with pytest.raises(FactoryError, match=r"^uv is not installed beside the factory$") as caught:
        find_uv()

    assert "install" in caught.value.hint
