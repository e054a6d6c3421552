"""Which addresses a container with network does not reach, and what the kernel is told of them."""

import struct
from ipaddress import ip_address, ip_network

import pytest

from factory.engine.egress import bridge
from factory.guests import block_ranges
from factory.origins import BLOCKED

NETWORKS = tuple(ip_network(text) for text in BLOCKED)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
    ],
)
def test_what_hosts_tell_their_own_programs_is_closed(address: str) -> None:
    assert any(ip_address(address) in network for network in NETWORKS)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.17.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.11", "203.0.113.1", "fd12::1", "2001:db8::1"],
)
def test_where_mirrors_and_proxies_lie_is_open(address: str) -> None:
    assert not any(ip_address(address) in network for network in NETWORKS)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_range_has_two_rules_for_port_53_before_the_one_that_closes_it(network: block_ranges.Network) -> None:
    messages = list(block_ranges.rules(network))

    assert [len(message) for message in messages] == [struct.unpack_from("=I", message)[0] for message in messages]
    actions = [message[16 + 7] for message in messages]
    assert actions == [block_ranges.LOOK_UP, block_ranges.LOOK_UP, block_ranges.UNREACHABLE]
    assert all(network.network_address.packed in message for message in messages)
    ports = struct.pack("=HH", 53, 53)
    assert [ports in message for message in messages] == [True, True, False]


def test_a_network_is_without_ipv6_and_keeps_containers_apart() -> None:
    body = bridge({"owner": "mine"})

    assert (body["EnableIPv6"], body["Labels"]) == (False, {"owner": "mine"})
    assert body["Options"] == {"com.docker.network.bridge.enable_icc": "false"}
