"""Blocks address ranges in a network namespace, in which hosts give away secrets; runs in a container of ours.

    block_ranges.py RANGE…

A RANGE is an address with a prefix's length. Rules (ip-rule(8), over rtnetlink(7)) make everything in it unreachable
except port 53: some hosts' name servers are there. Who shares the namespace without CAP_NET_ADMIN cannot remove them.
It needs Python 3.9 or later, and nothing but its standard library.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]  # noqa: UP007 -- Python 3.9 has no other spelling

NEW_RULE = 32  # RTM_NEWRULE
REQUEST = 0x1 | 0x4 | 0x400  # NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE
LOOK_UP, UNREACHABLE = 1, 7  # FR_ACT_TO_TBL, FR_ACT_UNREACHABLE
MAIN_TABLE = 254
DESTINATION, PRIORITY, PROTOCOL, PORTS = 1, 6, 22, 24  # FRA_DST, FRA_PRIORITY, FRA_IP_PROTO, FRA_DPORT_RANGE
FIRST, SECOND = 10, 20
DNS = 53
ALREADY = (0, errno.EEXIST)
NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EOPNOTSUPP)  # a kernel without IPv6, or without rules for it


def family_of(network: Network) -> socket.AddressFamily:
    """Return the family of a range's addresses."""
    return socket.AF_INET if isinstance(network, ipaddress.IPv4Network) else socket.AF_INET6


def attribute(kind: int, content: bytes) -> bytes:
    """Pack one attribute of a message, padded to four bytes."""
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def rule(network: Network, action: int, priority: int, *attributes: bytes) -> bytes:
    """Pack the message that adds one rule."""
    family = family_of(network)
    table = MAIN_TABLE if action == LOOK_UP else 0
    body = struct.pack("=8BI", family, network.prefixlen, 0, 0, table, 0, 0, action, 0)
    body += attribute(DESTINATION, network.network_address.packed)
    body += attribute(PRIORITY, struct.pack("=I", priority))
    body += b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), NEW_RULE, REQUEST, 1, 0) + body


def rules(network: Network) -> Iterator[bytes]:
    """Yield the rules of one range: first those for its name servers."""
    for protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        port = (attribute(PROTOCOL, bytes([protocol])), attribute(PORTS, struct.pack("=HH", DNS, DNS)))
        yield rule(network, LOOK_UP, FIRST, *port)
    yield rule(network, UNREACHABLE, SECOND)


def close(network: Network) -> None:
    """Add the rules of one range."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        for message in rules(network):
            kernel.send(message)
            code = -struct.unpack_from("=i", kernel.recv(4096), 16)[0]
            if code not in ALREADY:
                raise OSError(code, os.strerror(code))


def is_open(network: Network) -> bool:
    """Return whether the kernel would send something into a range; nothing is sent."""
    try:
        with socket.socket(family_of(network), socket.SOCK_DGRAM) as probe:
            probe.connect((str(network[-1]), 80))
    except OSError:
        return False
    return True


def main() -> None:
    """Block every range, and check that it is blocked."""
    for text in sys.argv[1:]:
        network = ipaddress.ip_network(text)
        try:
            close(network)
        except OSError as error:
            if isinstance(network, ipaddress.IPv4Network) or error.errno not in NO_SUCH_FAMILY:
                sys.exit(f"{network} cannot be blocked: {error}")
        if is_open(network):
            sys.exit(f"{network} is still reachable after it was blocked")


if __name__ == "__main__":
    main()
