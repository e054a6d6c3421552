"""URLs without their credentials."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
BLOCKED = (
    "169.254.0.0/16",  # link-local (RFC 3927): the metadata of nearly every cloud, and services of the host itself
    "fe80::/10",  # the same in IPv6 (RFC 4291)
    "fd00:ec2::/32",  # Amazon's metadata and name server in IPv6
    "fd20:ce::254/128",  # Google's metadata in IPv6
    "100.100.100.200/32",  # Alibaba's metadata
    "168.63.129.16/32",  # Azure's host
    "192.0.0.192/32",  # Oracle's metadata
)
"""Where clouds give machines their credentials: neither the factory nor its containers connect there."""
_NETWORKS = tuple(map(ip_network, BLOCKED))


@dataclass(frozen=True, slots=True)
class Origin:
    """The server that credentials are for: scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int | None

    @property
    def is_private(self) -> bool:
        """Whether nobody in between can read what is sent: over TLS, or on this machine's loopback interface."""
        return self.scheme == "https" or is_loopback_host(self.host)


def origin_of(url: str) -> Origin:
    """Return a URL's origin.

    Raises:
        ValueError: its port or its address is malformed.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return Origin(scheme, parts.hostname or "", parts.port or _PORTS.get(scheme))


def place_of(url: str) -> str:
    """Return scheme, host, port and path of a URL in one spelling, for keys, without user, password, query or fragment.

    Raises:
        ValueError: its port or its address is malformed.
    """
    origin = origin_of(url)
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    port = "" if origin.port in (None, _PORTS.get(origin.scheme)) else f":{origin.port}"
    return urlunsplit((origin.scheme, f"{host}{port}", urlsplit(url).path.rstrip("/"), "", ""))


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address is this machine's loopback interface."""
    return _LOOPBACK.fullmatch(host) is not None


def is_metadata(host: str) -> bool:
    """Whether a host is a link-local or another address at which clouds give a machine its credentials."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_metadata(str(address.ipv4_mapped))
    return address.is_multicast or any(address in network for network in _NETWORKS)
