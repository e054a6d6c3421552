"""What tools in a container with network are given of this machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from factory.errors import UsageError
from factory.host import Host, read_host
from factory.sessions.services import CERTIFICATES, certificate_files, loopback_hint, network_env, without_logins


def host_with(folder: Path, certificates: Path | None) -> Host:
    return replace(read_host({"HOME": str(folder)}), certificates=certificates)


def test_without_certificates_there_is_no_file_and_no_variable_for_one(tmp_path: Path) -> None:
    host = host_with(tmp_path, None)

    assert certificate_files(host) == ()
    assert "SSL_CERT_FILE" not in network_env(host)


def test_certificates_are_copied_in_and_named_for_each_tool(tmp_path: Path) -> None:
    bundle = tmp_path / "ours.pem"
    bundle.write_bytes(b"a certificate\n")

    host = host_with(tmp_path, bundle)

    (file,) = certificate_files(host)
    assert (CERTIFICATES.name, file.content) == (str(file.path), b"a certificate\n")
    variables = network_env(host)
    assert {variables[name] for name in ("SSL_CERT_FILE", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO")} == {str(CERTIFICATES)}


def test_certificates_that_cannot_be_read_are_refused_with_the_variable_that_names_them(tmp_path: Path) -> None:
    host = host_with(tmp_path, tmp_path / "gone.pem")

    with pytest.raises(UsageError, match=r"gone\.pem cannot be read") as caught:
        certificate_files(host)

    assert "SSL_CERT_FILE" in caught.value.hint


def test_a_recipes_commands_get_a_proxy_without_its_password() -> None:
    env = without_logins({"https_proxy": "http://user:pa55word@proxy.example:3128", "LANG": "C"})

    assert env == {"https_proxy": "http://proxy.example:3128", "LANG": "C"}


def test_a_loopback_address_is_named_with_the_variables_that_lead_there() -> None:
    hint = loopback_hint(["https_proxy", "http_proxy"])

    assert hint.startswith("https_proxy and http_proxy names this machine's loopback address")
