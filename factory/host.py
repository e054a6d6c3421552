"""The only reader of this machine's environment: indexes, proxies, certificates, credentials, folders; one value.

What is read here is handed on explicitly. It never enters a key, a label or a log: credentials may stand in any URL.
"""

import configparser
import netrc
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

import platformdirs
import uv

from factory.errors import FactoryError, UsageError
from factory.origins import Origin, is_loopback_host, origin_of, place_of

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_BUNDLE_HINT = "name a PEM bundle that you may read in SSL_CERT_FILE"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CARGO_TOKEN = re.compile(r"CARGO_REGISTRIES_(?P<name>\w+)_TOKEN")
_WAY_OUT = "mend this configuration of pip's (`pip config debug` lists its files), or name another in PIP_CONFIG_FILE"

_finding_uv = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What this machine is configured with. None means: the tool's own default.

    `index_url` and `extra_index_urls` are PEP 503 roots; `apt_mirror` is our own `FACTORY_APT_MIRROR`, `image_lock` our
    `FACTORY_IMAGE_LOCK`: the pins of pulled images; `certificates` is a PEM bundle; `proxies` maps lowercase variable
    names to their values. `netrc` holds users and passwords by host name (netrc(5)); `cargo_tokens` are registries'
    tokens by `registry_id`. `variables` are the whole environment, of which recipes may ask for some by name.
    Only those of `pass_env` are given to one: the caller allows names in `FACTORY_PASS_ENV` or on the command line.
    `locks` is a folder of this user's alone, for locks that all of his stores share.
    """

    index_url: str | None
    extra_index_urls: tuple[str, ...]
    apt_mirror: str | None
    image_lock: Path | None
    certificates: Path | None
    proxies: Mapping[str, str]
    netrc: Path | None
    cargo_home: Path
    cargo_tokens: Mapping[str, str]
    store: Path
    docker: Mapping[str, str]
    step_summary: Path | None
    home: Path
    ssh_agent: str | None
    path: str
    is_ci: bool
    locks: Path
    variables: Mapping[str, str] = field(repr=False)
    pass_env: frozenset[str] = frozenset()

    def variable(self, name: str) -> str | None:
        """Return a variable of the environment that a recipe asks for by name."""
        return self.variables.get(name)

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

    @property
    def loopback_proxies(self) -> tuple[str, ...]:
        """The proxy variables that name this machine's own loopback address, which is another one in a container."""
        named = {name: value for name, value in self.proxies.items() if name != "no_proxy"}
        return tuple(name for name, value in sorted(named.items()) if is_loopback(value))

    @property
    def index_origins(self) -> tuple[str, ...]:
        """Where the indexes are, in the order in which they are asked, for keys: without credentials."""
        return (
            *map(place_of, self.extra_index_urls),
            "default" if self.index_url is None else place_of(self.index_url),
        )

    @property
    def credentials(self) -> Mapping[Origin, tuple[str, str]]:
        """User and password for each server that an index's or the mirror's URL names: the URL's own, else netrc's.

        No other server gets any, and none goes by plain http beyond the loopback interface.

        Raises:
            UsageError: the netrc file is needed and cannot be read.
        """
        named: dict[Origin, tuple[str, str]] = {}
        unnamed: list[Origin] = []
        for url in filter(None, (self.index_url, *self.extra_index_urls, self.apt_mirror)):
            parts, origin = urlsplit(url), origin_of(url)
            if parts.username is not None and origin.is_private:
                named[origin] = (unquote(parts.username), unquote(parts.password or ""))
            elif origin.is_private:
                unnamed.append(origin)
        logins = {origin: login for origin in unnamed if (login := self._login(origin.host)) is not None}
        return MappingProxyType({**logins, **named})

    def _login(self, hostname: str) -> tuple[str, str] | None:
        found = None if self.netrc is None else _netrc(self.netrc).authenticators(hostname)
        return None if found is None else (found[0], found[2])

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and token that is known here, as it stands in its file or URL and as it is meant."""
        urls = [self.index_url, *self.extra_index_urls, self.apt_mirror, *self.proxies.values()]
        passwords = [password for url in urls if url for password in _password(url)]
        if self.netrc is not None:
            passwords += [password for _, _, password in _netrc(self.netrc).hosts.values()]
        return frozenset(secret for secret in (*passwords, *self.cargo_tokens.values()) if secret)


def read_host(environ: Mapping[str, str] | None = None) -> Host:
    """Read the environment and pip's configuration files once.

    Raises:
        UsageError: a file of pip's or cargo's tokens are malformed, or they or the certificates may not be read.
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME", "/"))
    pip = _pip_settings(env, home)
    proxies = {name: value for name in _PROXIES if (value := env.get(name) or env.get(name.upper()))}
    cargo_home = Path(env.get("CARGO_HOME") or home / ".cargo")
    index = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL") or pip.get("index-url")
    extra = env.get("UV_EXTRA_INDEX_URL") or pip.get("extra-index-url", "")
    mirror = env.get("FACTORY_APT_MIRROR")
    return Host(
        index_url=None if index is None else checked_url(index, "the package index"),
        extra_index_urls=tuple(checked_url(url, "an extra package index") for url in extra.split()),
        apt_mirror=None if mirror is None else checked_url(mirror, "the Debian mirror"),
        image_lock=Path(lock) if (lock := env.get("FACTORY_IMAGE_LOCK")) else None,
        certificates=_certificates(env, pip),
        proxies=MappingProxyType(proxies),
        netrc=next((path for path in _netrc_files(env, home) if _is_file(path, "netrc")), None),
        cargo_home=cargo_home,
        cargo_tokens=MappingProxyType(dict(_cargo_tokens(env, cargo_home))),
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


def checked_url(url: str, what: str) -> str:
    """Refuse a URL whose credentials could be read on their way, without quoting them.

    Raises:
        UsageError: it has a user or a password, and leads by plain http beyond the loopback interface; or is malformed.
    """
    try:
        origin = origin_of(url)
    except ValueError:
        raise UsageError(f"the URL of {what} is malformed", hint="write it as https://host:port/path") from None
    if urlsplit(url).username is not None and not origin.is_private:
        raise UsageError(
            f"the URL of {what} has a user or a password and begins with {origin.scheme}://{origin.host}",
            hint="use https, or remove user and password: plain http sends them unencrypted",
        )
    return url


def variable_names(texts: Iterable[str], where: str) -> frozenset[str]:
    """Read names of variables, with commas or blanks between them.

    Raises:
        UsageError: one is not a variable's name.
    """
    names = [name for text in texts for name in re.split(r"[,\s]+", text) if name]
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise UsageError(
                f"{name[:80]!r} in {where} is not the name of a variable", hint="write names such as TOKEN,KEY"
            )
    return frozenset(names)


def registry_id(name: str) -> str:
    """Return a registry's name as cargo's variables spell it ("Environment variables" in the Cargo book)."""
    return name.upper().replace("-", "_")


def is_loopback(url: str) -> bool:
    """Whether a URL, or an address without scheme, names this machine's loopback interface."""
    try:
        name = urlsplit(url if "//" in url else f"//{url}").hostname
    except ValueError:  # it is no URL, and names no host
        return False
    return is_loopback_host(name or "")


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


def _cache_folder(env: Mapping[str, str], home: Path, name: str) -> Path:
    if env is os.environ:
        return platformdirs.user_cache_path(name)
    return Path(env.get("XDG_CACHE_HOME") or home / ".cache") / name


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


def _password(url: str) -> Iterator[str]:
    """Yield the secret of a URL: its password, or where it has none its user, as tokens are given so."""
    user, _, password = urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[0].partition(":")
    yield from {password or user, unquote(password or user)}


def _netrc_files(env: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    return (Path(env["NETRC"]),) if env.get("NETRC") else (home / ".netrc", home / "_netrc")


def _netrc(path: Path) -> netrc.netrc:
    """Parse a file of users and passwords; what is wrong with it is not quoted."""
    hint = "mend it (netrc(5)), or name another in NETRC"
    try:
        return netrc.netrc(str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except (netrc.NetrcParseError, UnicodeDecodeError) as error:
        line = error.lineno if isinstance(error, netrc.NetrcParseError) else None
        raise UsageError(f"{path}{f':{line}' if line else ''} is no netrc file", hint=hint) from None


def _cargo_tokens(env: Mapping[str, str], cargo_home: Path) -> Iterator[tuple[str, str]]:
    """Yield tokens as cargo finds them: in its two files, then in variables, which win."""
    for path in (cargo_home / "credentials", cargo_home / "credentials.toml"):
        if _is_file(path, "cargo's tokens"):
            yield from _tokens_in(path)
    for name, value in env.items():
        if match := _CARGO_TOKEN.fullmatch(name):
            yield match["name"], value


def _tokens_in(path: Path) -> Iterator[tuple[str, str]]:
    try:
        registries = tomllib.loads(path.read_text(encoding="utf-8")).get("registries", {})
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="cargo reads it, too") from error
    except ValueError:
        raise UsageError(f"{path} is not valid TOML", hint="write it anew with `cargo login`") from None
    for name, entry in registries.items() if isinstance(registries, dict) else ():
        if isinstance(entry, dict) and isinstance(token := entry.get("token"), str):
            yield registry_id(name), token


def _certificates(env: Mapping[str, str], pip: Mapping[str, str]) -> Path | None:
    named = [env.get("FACTORY_CERTIFICATES"), env.get("SSL_CERT_FILE"), env.get("REQUESTS_CA_BUNDLE"), pip.get("cert")]
    candidates = [*(Path(name) for name in named if name), *(Path(name) for name in _BUNDLES)]
    return next((path for path in candidates if _is_file(path, "certificates")), None)


def _is_file(path: Path, what: str) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        hint = _BUNDLE_HINT if what == "certificates" else f"name a path that can be read for {what}"
        raise UsageError(f"the {what} {path} cannot be read: {error.strerror}", hint=hint) from error
