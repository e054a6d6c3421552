"""What this machine is configured with, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from factory.host.logins import logins_in
from factory.host.urls import is_loopback, password_in
from factory.origins import Origin, origin_of, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What this machine is configured with. None means the tool's own default.

    `index_url` and `extra_index_urls` are PEP 503 roots; `apt_mirror` is our own `FACTORY_APT_MIRROR`, `image_lock` our
    `FACTORY_IMAGE_LOCK`: the pins of pulled images; `rust_server` is rustup's `RUSTUP_DIST_SERVER`; `certificates` is a
    PEM bundle; `proxies` maps lowercase variable names to their values. `netrc` holds users and passwords by host name
    (netrc(5)); `cargo_tokens` are registries' tokens by `registry_id`. `variables` are the whole environment, of which
    recipes may ask for some by name. They get only those in `pass_env`, which `FACTORY_PASS_ENV` or the command line
    allows.
    `locks` is a private folder of this user, for locks that all of the user's stores share.
    """

    index_url: str | None
    extra_index_urls: tuple[str, ...]
    apt_mirror: str | None
    rust_server: str | None
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
        """The proxy variables that name this machine's loopback interface, which a container cannot reach."""
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
        """User and password for each server that an index's, the mirror's or Rust's URL names: its own, else netrc's.

        No other server gets any, and they never go by plain http beyond the loopback interface.

        Raises:
            UsageError: the netrc file is needed but cannot be read.
        """
        named: dict[Origin, tuple[str, str]] = {}
        unnamed: list[Origin] = []
        for url in filter(None, self._servers):
            parts, origin = urlsplit(url), origin_of(url)
            if parts.username is not None and origin.is_private:
                named[origin] = (unquote(parts.username), unquote(parts.password or ""))
            elif origin.is_private:
                unnamed.append(origin)
        logins = {origin: login for origin in unnamed if (login := self._login(origin.host)) is not None}
        return MappingProxyType({**logins, **named})

    @property
    def _servers(self) -> tuple[str | None, ...]:
        return (self.index_url, *self.extra_index_urls, self.apt_mirror, self.rust_server)

    def _login(self, hostname: str) -> tuple[str, str] | None:
        login = None if self.netrc is None else logins_in(self.netrc).authenticators(hostname)
        return None if login is None else (login[0], login[2])

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and token that is known here, as its file or URL spells it and decoded."""
        urls = [*self._servers, *self.proxies.values()]
        passwords = [password for url in urls if url for password in password_in(url)]
        if self.netrc is not None:
            passwords += [password for _, _, password in logins_in(self.netrc).hosts.values()]
        return frozenset(secret for secret in (*passwords, *self.cargo_tokens.values()) if secret)
