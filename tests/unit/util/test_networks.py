"""Networks and addresses: what the table of recorded answers does not say by itself."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.util.networks import Address, Subnet, parse_address, parse_subnet


@pytest.mark.parametrize(
    ("text", "subnet"),
    [
        ("10", Subnet(4, 0x0A000000, 0xFF000000)),
        ("10.1.", Subnet(4, 0x0A010000, 0xFFFF0000)),
        ("10.1.2.3", Subnet(4, 0x0A010203, 0xFFFFFFFF)),
        ("10.1.2.3/8", Subnet(4, 0x0A000000, 0xFF000000)),
        ("10.1.2.3/255.0.255.0", Subnet(4, 0x0A000200, 0xFF00FF00)),
        ("::/1", Subnet(6, 0, 1 << 127)),
    ],
)
def test_networks(text: str, subnet: Subnet) -> None:
    assert parse_subnet(text) == subnet


@pytest.mark.parametrize(
    "text", ["", "/8", "10/8", "10.0.0.0/0", "::/0", "1.2.3.4.5", "256", "a", "١", "::ffff:1.2.3.4", "::1%1", "1.2.3.4/²"]
)
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError):
        parse_subnet(text)


def test_families_do_not_match_each_other() -> None:
    assert not Subnet(6, 0, 0).contains(Address(4, 0))


@given(st.ip_addresses(v=4), st.integers(1, 32))
def test_ipv4_networks_agree_with_the_standard_library(address: ipaddress.IPv4Address, bits: int) -> None:
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
    parsed = parse_subnet(f"{address}/{bits}")
    for inside in (network[0], network[-1]):
        found = parse_address(str(inside))
        assert found is not None
        assert parsed.contains(found)
    outside = Address(4, int(network[0]) ^ (1 << (32 - bits)))
    assert not parsed.contains(outside)


@given(st.ip_addresses())
def test_addresses_agree_with_the_standard_library(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None) or address
    assert parse_address(str(address)) == Address(mapped.version, int(mapped))


@given(st.text())
def test_any_text_is_a_network_or_a_value_error(text: str) -> None:
    parse_address(text)
    try:
        parse_subnet(text)
    except ValueError:
        return
    assert text.isascii()
