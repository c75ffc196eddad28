"""What kind of address a server has."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.addresses import is_private

PUBLIC = ["93.184.216.34", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
]


#: Blocks of the registries of special addresses (RFC 6890 and its successors), and of multicast,
#: that a stranger has no business with.
BLOCKS = {
    "this network": "0.0.0.0/8",
    "private use, 10": "10.0.0.0/8",
    "the provider's network": "100.64.0.0/10",
    "loopback": "127.0.0.0/8",
    "link local": "169.254.0.0/16",
    "private use, 172": "172.16.0.0/12",
    "protocols": "192.0.0.0/24",
    "examples, 192": "192.0.2.0/24",
    "relays of 6to4": "192.88.99.0/24",
    "private use, 192": "192.168.0.0/16",
    "benchmarks": "198.18.0.0/15",
    "examples, 198": "198.51.100.0/24",
    "examples, 203": "203.0.113.0/24",
    "multicast": "224.0.0.0/4",
    "reserved, and broadcast": "240.0.0.0/4",
    "IPv6: none, loopback, IPv4 in all old ways": "::/95",
    "IPv6: NAT64 of a network": "64:ff9b:1::/48",
    "IPv6: discard": "100::/64",
    "IPv6: protocols, and Teredo": "2001::/23",
    "IPv6: examples": "2001:db8::/32",
    "IPv6: longer examples": "3fff::/20",
    "IPv6: segment routing": "5f00::/16",
    "IPv6: unique local": "fc00::/7",
    "IPv6: link local": "fe80::/10",
    "IPv6: site local": "fec0::/10",
    "IPv6: multicast": "ff00::/8",
}

#: What lies beside those blocks, and is as public as any address.
NEIGHBOURS = [
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255",
    "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
    "2001:db7:ffff::", "2001:db9::", "2001:200::", "2000::1", "3ffe:ffff::1", "168.63.129.15",
    "168.63.129.17",
]  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_private_blocks(block: str) -> None:
    """From the first address to the last, on every version of Python."""
    network = ip_network(block)

    for place in (0, 1, network.num_addresses // 2, -2, -1):
        assert is_private(str(network[place])), network[place]


@pytest.mark.parametrize("address", NEIGHBOURS)
def test_neighbours_of_private_blocks(address: str) -> None:
    """They end where they end."""
    assert not is_private(address)


@given(st.ip_addresses())
def test_any_address_has_an_answer(address: object) -> None:
    """However it is written out."""
    whole = ip_address(str(address)).exploded

    assert is_private(whole) is is_private(str(address))


@pytest.mark.parametrize("text", ["", "host", "1.2.3", "::g", "127.0.0.1/8"])
def test_what_is_no_address(text: str) -> None:
    """Sockets have none but these."""
    with pytest.raises(ValueError, match="does not appear to be"):
        is_private(text)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    """What anybody may connect to."""
    assert not is_private(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    """What a stranger's playlist has no business with."""
    assert is_private(address)


@given(st.ip_addresses(v=4))
def test_addresses_inside_others(address: object) -> None:
    """Mapped into IPv6 in any way, an address stays what it is."""
    plain = is_private(str(address))
    first, second = (f"{int(part):x}" for part in divmod(int(address), 1 << 16))  # type: ignore[call-overload]

    assert is_private(f"::ffff:{address}") is plain
    assert is_private(f"64:ff9b::{address}") is plain
    assert is_private(f"2002:{first}:{second}::1") is plain
