"""Public or private: what kind of address a server has. Pure.

Private is everything that a stranger's playlist has no business with: this machine, its network,
the provider's, and what is reserved. Addresses that carry another one inside are judged by that.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

#: NAT64 (RFC 6052): the last 32 bits are an IPv4 address.
_NAT64 = IPv6Network("64:ff9b::/96")

#: What `ipaddress` takes for global, in one version or another: protocol assignments (one provider
#: serves its machines' secrets there), relays of 6to4 and Teredo, examples (RFC 9637), site-local
#: addresses, and the address at which another provider speaks to its machines.
_PRIVATE = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
    IPv6Network("fec0::/10"),
)


def is_private(address: str) -> bool:
    """Whether `address`, as a socket names it, is not one of the public Internet.

    Raises ValueError for what is no address.
    """
    found = ip_address(address.partition("%")[0])  # without the scope of a link
    if isinstance(found, IPv6Address):
        found = _inside(found)
    return (
        not found.is_global
        or found.is_multicast
        or found.is_reserved
        or any(found in network for network in _PRIVATE)
    )


def _inside(address: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that `address` stands for, or itself."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
