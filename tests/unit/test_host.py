"""What is read of pip's configuration, and how a broken file is said."""

import re
from pathlib import Path
from typing import Any

import certifi
import pytest
import uv

from factory.errors import FactoryError, UsageError
from factory.host import find_uv, is_loopback, read_host, reading
from factory.origins import Origin

ADDRESS = "https://index.example/simple"


REFERENCE = Path(__file__).parents[2] / "docs/reference/environment.md"
BY_PATTERN = {"PIP_*", "DOCKER_*", "DOCKER_HOST", "CARGO_REGISTRIES_*_TOKEN"}
READ_BY_LIBRARIES = {"NO_COLOR", "COLUMNS", "TMPDIR"}


class Asked(dict[str, str]):
    """An environment that remembers which of its variables were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 -- dict's own signature
        self.names.add(name)
        return super().get(name, default)


def test_the_reference_names_every_variable_that_is_read_and_no_other() -> None:
    table = [
        line.split("|")[1] for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    documented = {name for cell in table for name in re.findall(r"`([A-Z_*]+|\w+_proxy)`", cell)}
    environment = Asked()

    read_host(environment)
    asked = {name.lower() if name.lower().endswith("_proxy") else name for name in environment.names}

    assert documented - BY_PATTERN - READ_BY_LIBRARIES == asked


def test_what_is_read_by_pattern_is_read(tmp_path: Path) -> None:
    host = read_host(
        {
            "HOME": str(tmp_path),
            "PIP_INDEX_URL": ADDRESS,
            "DOCKER_TLS_VERIFY": "1",
            "CARGO_REGISTRIES_CORP_TOKEN": "word",
        }
    )

    assert (host.index_url, dict(host.docker), dict(host.cargo_tokens)) == (
        ADDRESS,
        {"DOCKER_TLS_VERIFY": "1"},
        {"CORP": "word"},
    )


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


def test_a_system_without_certificates_gets_those_that_come_with_the_factory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_BUNDLES", (str(tmp_path / "none.pem"),))

    found = reading._certificates({}, {})

    assert found == Path(certifi.where())
    assert found.read_bytes().count(b"BEGIN CERTIFICATE") > 100


def test_netrc_is_the_users_or_the_one_that_is_named(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine index.example login me password word\n")
    (tmp_path / "other").write_text("machine index.example login you password other\n")

    found = read_host({"HOME": str(tmp_path), "UV_DEFAULT_INDEX": ADDRESS})
    named = read_host({"HOME": str(tmp_path), "UV_DEFAULT_INDEX": ADDRESS, "NETRC": str(tmp_path / "other")})

    assert found.credentials == {Origin("https", "index.example", 443): ("me", "word")}
    assert named.credentials == {Origin("https", "index.example", 443): ("you", "other")}


def test_credentials_are_for_the_scheme_host_and_port_of_a_configured_url_and_for_no_other(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(
        "machine index.example login me password word\nmachine elsewhere.example login me password other\n"
    )

    host = read_host(
        {
            "HOME": str(tmp_path),
            "UV_DEFAULT_INDEX": "https://index.example:8443/simple/",
            "UV_EXTRA_INDEX_URL": "https://t%40ken@Private.example/simple/ http://index.example/simple/",
            "FACTORY_APT_MIRROR": "http://me:mirror@127.0.0.1:8080/debian",
        }
    )

    assert host.credentials == {
        Origin("https", "index.example", 8443): ("me", "word"),
        Origin("https", "private.example", 443): ("t@ken", ""),
        Origin("http", "127.0.0.1", 8080): ("me", "mirror"),
    }, "no login of netrc goes by plain http, to another port, or to a server that only netrc names"


@pytest.mark.parametrize(
    ("variable", "what"),
    [
        ("UV_DEFAULT_INDEX", "the package index"),
        ("UV_INDEX_URL", "the package index"),
        ("PIP_INDEX_URL", "the package index"),
        ("UV_EXTRA_INDEX_URL", "an extra package index"),
        ("PIP_EXTRA_INDEX_URL", "an extra package index"),
        ("FACTORY_APT_MIRROR", "the Debian mirror"),
        ("RUSTUP_DIST_SERVER", "the Rust project's server"),
    ],
)
@pytest.mark.parametrize("user", ["me:s3cr3t@", "s3cr3t@"])
def test_credentials_in_a_url_of_plain_http_are_refused_without_quoting_them(
    variable: str, what: str, user: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_host({variable: f"http://{user}server.example/simple/"})

    assert caught.value.message == (f"the URL of {what} has a user or a password and begins with http://server.example")
    assert "https" in caught.value.hint
    assert read_host({variable: f"http://{user}localhost:8080/simple/"}).credentials


def test_a_malformed_url_of_an_index_is_refused_without_quoting_it() -> None:
    with pytest.raises(UsageError, match=r"^the URL of the package index is malformed$"):
        read_host({"UV_DEFAULT_INDEX": "https://me:s3cr3t@index.example:port/"})


def test_origins_of_indexes_are_in_the_order_in_which_they_are_asked_and_hold_no_credentials() -> None:
    env = {
        "UV_EXTRA_INDEX_URL": "https://me:word@Extra.example:443/simple/?token=word#x http://127.0.0.1:81/simple",
        "UV_DEFAULT_INDEX": "https://index.example:8443/simple/",
    }

    assert read_host(env).index_origins == (
        "https://extra.example/simple",
        "http://127.0.0.1:81/simple",
        "https://index.example:8443/simple",
    )
    assert read_host({}).index_origins == ("default",)


@pytest.mark.parametrize("text", ["TOKEN KEY", "TOKEN,KEY", " KEY,\n TOKEN ,"])
def test_the_names_that_recipes_may_read_come_with_commas_or_blanks(text: str) -> None:
    assert read_host({"FACTORY_PASS_ENV": text}).pass_env == {"TOKEN", "KEY"}


@pytest.mark.parametrize("text", ["TOKEN;KEY", "*", "A=b", "1A", "Ä"])
def test_what_is_no_name_of_a_variable_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"'{re.escape(text)}' in FACTORY_PASS_ENV is not the name of a variable"):
        read_host({"FACTORY_PASS_ENV": text})


def test_a_malformed_netrc_is_named_by_line_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine index.example\n login me pass s3cr3t\n")

    with pytest.raises(UsageError, match=r"\.netrc:2 is not a netrc file") as caught:
        _ = read_host({"HOME": str(tmp_path), "UV_DEFAULT_INDEX": ADDRESS}).credentials

    assert "s3cr3t" not in caught.value.message + caught.value.hint


def test_tokens_of_registries_come_from_cargos_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "credentials.toml").write_text('[registry]\ntoken = "a"\n[registries.my-corp]\ntoken = "b"\n')
    env = {"HOME": str(tmp_path), "CARGO_HOME": str(tmp_path)}

    assert read_host(env).cargo_tokens == {"MY_CORP": "b"}
    assert read_host({**env, "CARGO_REGISTRIES_MY_CORP_TOKEN": "c"}).cargo_tokens == {"MY_CORP": "c"}


def test_malformed_tokens_are_named_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "credentials.toml").write_text("[registries.corp]\ntoken = s3cr3t\n")

    with pytest.raises(UsageError, match=r"credentials\.toml is not valid TOML") as caught:
        read_host({"HOME": str(tmp_path), "CARGO_HOME": str(tmp_path)})

    assert "s3cr3t" not in caught.value.message + caught.value.hint


def test_every_secret_is_known(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine a login me password in-netrc\n")

    host = read_host(
        {
            "HOME": str(tmp_path),
            "UV_DEFAULT_INDEX": "https://me:in%20index@a/simple/",
            "UV_EXTRA_INDEX_URL": "https://a-token@b/simple/",
            "FACTORY_APT_MIRROR": "https://me:in-mirror@c/debian",
            "RUSTUP_DIST_SERVER": "https://me:in-rust@e/",
            "https_proxy": "me:in-proxy@d:3128",
            "CARGO_REGISTRIES_CORP_TOKEN": "in-cargo",
        }
    )

    assert host.secrets == {
        *("in%20index", "in index", "a-token", "in-mirror", "in-proxy", "in-rust", "in-cargo", "in-netrc"),
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://127.0.0.1:3128", ("https_proxy",)),
        ("http://me:word@localhost:3128", ("https_proxy",)),
        ("localhost:3128", ("https_proxy",)),
        ("http://[::1]:3128", ("https_proxy",)),
        ("http://10.0.0.1:3128", ()),
        ("http://localhost.example:3128", ()),
    ],
)
def test_a_proxy_on_the_loopback_interface_is_told_from_others(value: str, expected: tuple[str, ...]) -> None:
    assert read_host({"https_proxy": value, "no_proxy": "localhost"}).loopback_proxies == expected


@pytest.mark.parametrize("text", ["http://[", "http://[]/", "]", "[::1"])
def test_what_is_no_url_names_no_loopback_interface(text: str) -> None:
    assert not is_loopback(text)


def test_uv_that_is_not_installed_is_an_error_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> str:
        raise FileNotFoundError("Could not find the uv binary in any of the following locations:\n - /usr/bin")

    monkeypatch.setattr(uv, "find_uv_bin", absent)

    with pytest.raises(FactoryError, match=r"^uv is not installed beside the factory$") as caught:
        find_uv()

    assert "install" in caught.value.hint
