"""What kind of address a server has."""

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
