"""The only reader of this machine's environment: indexes, mirror, proxies, certificates, folders; one value.

What is read here is handed on explicitly. It never enters a key, a label or a log: credentials may stand in any URL.
"""

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType

import platformdirs
import uv

from factory.errors import FactoryError, UsageError

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_WAY_OUT = "mend this configuration of pip's (`pip config debug` lists its files), or name another in PIP_CONFIG_FILE"

_finding_uv = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What this machine is configured with. None means: the tool's own default.

    `index_url` and `extra_index_urls` are PEP 503 roots; `apt_mirror` is our own `FACTORY_APT_MIRROR`;
    `certificates` is a PEM bundle; `proxies` maps lowercase variable names to their values.
    """

    index_url: str | None
    extra_index_urls: tuple[str, ...]
    apt_mirror: str | None
    certificates: Path | None
    proxies: Mapping[str, str]
    cargo_home: Path
    store: Path
    docker: Mapping[str, str]
    path: str
    is_ci: bool
    uid: int

    @property
    def tool_env(self) -> Mapping[str, str]:
        """The whole environment for a tool of ours on this machine: path, proxies, certificates; nothing else."""
        env = {"PATH": self.path, "LC_ALL": "C.UTF-8", **self.network_env}
        if self.certificates is not None:
            env |= {"SSL_CERT_FILE": str(self.certificates), "REQUESTS_CA_BUNDLE": str(self.certificates)}
        return MappingProxyType(env)

    @property
    def network_env(self) -> Mapping[str, str]:
        """Proxy variables in both spellings, for tools on this machine and in containers with network."""
        upper = {name.upper(): value for name, value in self.proxies.items()}
        return MappingProxyType({**self.proxies, **upper})


def read_host(environ: Mapping[str, str] | None = None) -> Host:
    """Read the environment and pip's configuration files once.

    Raises:
        UsageError: a file of pip's is malformed, or it or the certificates may not be read.
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME", "/"))
    pip = _pip_settings(env, home)
    proxies = {name: value for name in _PROXIES if (value := env.get(name) or env.get(name.upper()))}
    return Host(
        index_url=env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL") or pip.get("index-url"),
        extra_index_urls=tuple((env.get("UV_EXTRA_INDEX_URL") or pip.get("extra-index-url", "")).split()),
        apt_mirror=env.get("FACTORY_APT_MIRROR"),
        certificates=_certificates(env, pip),
        proxies=MappingProxyType(proxies),
        cargo_home=Path(env.get("CARGO_HOME") or home / ".cargo"),
        store=Path(env.get("FACTORY_STORE") or _cache_folder(env, home)),
        docker=MappingProxyType({name: value for name, value in env.items() if name.startswith("DOCKER_")}),
        path=env.get("PATH", os.defpath),
        is_ci=bool(env.get("CI")),
        uid=os.getuid(),
    )


def find_uv() -> str:
    """Return the path of the uv that is installed with the factory, from any thread.

    uv asks sysconfig, whose first answer in a process is None for a thread that asks while another does (CPython 3.11).

    Raises:
        FactoryError: it is not there.
    """
    with _finding_uv:
        try:
            return uv.find_uv_bin()
        except FileNotFoundError as error:  # its own UvNotFound is one, with a list of places over many lines
            hint = "install the factory again, into an environment of its own: uv comes with it"
            raise FactoryError("uv is not installed beside the factory", hint=hint) from error


def _cache_folder(env: Mapping[str, str], home: Path) -> Path:
    if env is os.environ:
        return platformdirs.user_cache_path("wheel-factory")
    return Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "wheel-factory"


def _pip_settings(env: Mapping[str, str], home: Path) -> dict[str, str]:
    """Read what pip would: global, user, site, then variables; later ones win (pip's documentation, Configuration)."""
    settings: dict[str, str] = {}
    user = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    for path in (Path("/etc/pip.conf"), home / ".pip/pip.conf", user, Path(env.get("PIP_CONFIG_FILE", os.devnull))):
        parser = _parsed(path)
        for section in ("global", "install", "download"):
            if parser.has_section(section):
                settings.update(parser.items(section))
    for name, value in env.items():
        if match := re.fullmatch(r"PIP_(\w+)", name):
            settings[match[1].lower().replace("_", "-")] = value
    return settings


def _parsed(path: Path) -> configparser.RawConfigParser:
    """Parse one file of pip's; one that is not there is empty."""
    parser = configparser.RawConfigParser()
    try:
        content = path.read_bytes()
        parser.read_string(content.decode())
    except (FileNotFoundError, NotADirectoryError):
        return parser
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_WAY_OUT) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line} is not UTF-8", hint=_WAY_OUT) from error
    except configparser.Error as error:
        raise UsageError(f"{path}:{_line_of(error)} is nothing that pip reads", hint=_WAY_OUT) from error
    return parser


def _line_of(error: configparser.Error) -> int:
    """Return the first line that an error is about; ParsingError alone has several."""
    match error:
        case configparser.MissingSectionHeaderError(lineno=int(line)):
            return line
        case configparser.ParsingError(errors=[(int(line), _), *_]):
            return line
        case configparser.DuplicateSectionError(lineno=int(line)) | configparser.DuplicateOptionError(lineno=int(line)):
            return line
        case _:
            return 1


def _certificates(env: Mapping[str, str], pip: Mapping[str, str]) -> Path | None:
    named = [env.get("FACTORY_CERTIFICATES"), env.get("SSL_CERT_FILE"), env.get("REQUESTS_CA_BUNDLE"), pip.get("cert")]
    candidates = [*(Path(name) for name in named if name), *(Path(name) for name in _BUNDLES)]
    return next((path for path in candidates if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        hint = "name a PEM bundle that you may read in SSL_CERT_FILE"
        raise UsageError(f"the certificates {path} cannot be read: {error.strerror}", hint=hint) from error
