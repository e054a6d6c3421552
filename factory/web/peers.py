"""Servers that are never contacted, recognized by the address of a connection's other end instead of by name."""

from collections.abc import Callable
from socket import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from factory.errors import SourceError

Forbidden = Callable[[str], bool]


def refuse_peer(address: str, is_forbidden: Forbidden) -> None:
    """Refuse a forbidden address.

    Raises:
        SourceError: it is forbidden.
    """
    if is_forbidden(address):
        raise SourceError(
            f"refused to connect to {address}: link-local and cloud metadata addresses are blocked",
            hint="use an address that other machines can reach",
        )


class PeerAdapter(HTTPAdapter):
    """Connects as requests does, but sends nothing to a forbidden address; a proxy may have any address."""

    def __init__(self, is_forbidden: Forbidden) -> None:
        self._pools = _pools(is_forbidden)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- requests' own signature
        """Make the pools of direct connections; those to proxies are made elsewhere."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


def _pools(is_forbidden: Forbidden) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket:
            return _checked(super()._new_conn(), is_forbidden)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket:
            return _checked(super()._new_conn(), is_forbidden)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _checked(connection: socket, is_forbidden: Forbidden) -> socket:
    """Return a new connection, over which nothing was sent so far; close and refuse one to a forbidden address."""
    try:
        refuse_peer(connection.getpeername()[0], is_forbidden)
    except SourceError:
        connection.close()
        raise
    return connection
