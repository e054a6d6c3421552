"""The environment and the files it names, read once."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import platformdirs

from factory.errors import UsageError
from factory.host.cargo import cargo_tokens
from factory.host.files import is_file
from factory.host.machine import Host
from factory.host.pip import pip_settings
from factory.host.urls import checked_url

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_host(environ: Mapping[str, str] | None = None) -> Host:
    """Read the environment and pip's configuration files once.

    Raises:
        UsageError: a file of pip's or cargo's is malformed, or one of theirs or the certificates cannot be read.
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME", "/"))
    pip = pip_settings(env, home)
    proxies = {name: value for name in _PROXIES if (value := env.get(name) or env.get(name.upper()))}
    cargo_home = Path(env.get("CARGO_HOME") or home / ".cargo")
    index = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL") or pip.get("index-url")
    extra = env.get("UV_EXTRA_INDEX_URL") or pip.get("extra-index-url", "")
    mirror, rust = env.get("FACTORY_APT_MIRROR"), env.get("RUSTUP_DIST_SERVER")
    return Host(
        index_url=None if index is None else checked_url(index, "the package index"),
        extra_index_urls=tuple(checked_url(url, "an extra package index") for url in extra.split()),
        apt_mirror=None if mirror is None else checked_url(mirror, "the Debian mirror"),
        rust_server=checked_url(rust, "the Rust project's server") if rust else None,
        image_lock=Path(lock) if (lock := env.get("FACTORY_IMAGE_LOCK")) else None,
        certificates=_certificates(env, pip),
        proxies=MappingProxyType(proxies),
        netrc=next((path for path in _netrc_files(env, home) if is_file(path, "netrc")), None),
        cargo_home=cargo_home,
        cargo_tokens=MappingProxyType(dict(cargo_tokens(env, cargo_home))),
        store=Path(env.get("FACTORY_STORE") or _cache_folder(env, home, "wheel-factory")),
        docker=MappingProxyType({name: value for name, value in env.items() if name.startswith("DOCKER_")}),
        step_summary=Path(env["GITHUB_STEP_SUMMARY"]) if env.get("GITHUB_STEP_SUMMARY") else None,
        home=home,
        ssh_agent=env.get("SSH_AUTH_SOCK"),
        path=env.get("PATH", os.defpath),
        is_ci=bool(env.get("CI")),
        locks=_cache_folder(env, home, "wheel-factory-locks"),
        variables=env,
        pass_env=variable_names((env.get("FACTORY_PASS_ENV", ""),), "FACTORY_PASS_ENV"),
    )


def variable_names(texts: Iterable[str], where: str) -> frozenset[str]:
    """Read names of variables, separated by commas or blanks.

    Raises:
        UsageError: a name is not one of a variable.
    """
    names = [name for text in texts for name in re.split(r"[,\s]+", text) if name]
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise UsageError(
                f"{name[:80]!r} in {where} is not the name of a variable", hint="write names such as TOKEN,KEY"
            )
    return frozenset(names)


def _cache_folder(env: Mapping[str, str], home: Path, name: str) -> Path:
    if env is os.environ:
        return platformdirs.user_cache_path(name)
    return Path(env.get("XDG_CACHE_HOME") or home / ".cache") / name


def _certificates(env: Mapping[str, str], pip: Mapping[str, str]) -> Path:
    named = [env.get("FACTORY_CERTIFICATES"), env.get("SSL_CERT_FILE"), env.get("REQUESTS_CA_BUNDLE"), pip.get("cert")]
    candidates = [*(Path(name) for name in named if name), *(Path(name) for name in _BUNDLES)]
    return next((path for path in candidates if is_file(path, "certificates")), None) or _bundle_of_python()


def _bundle_of_python() -> Path:
    """Return the bundle that comes with the factory, for a system that has none."""
    import certifi  # noqa: PLC0415 -- most systems have a bundle, and a plan needs none

    return Path(certifi.where())


def _netrc_files(env: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    return (Path(env["NETRC"]),) if env.get("NETRC") else (home / ".netrc", home / "_netrc")
