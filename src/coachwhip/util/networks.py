"""Networks as `-ipmatch`, `-R` and `Require ip` read them, and the addresses that are compared with them.

The notations are wider than the standard library's `ipaddress` takes, and in one respect narrower (no `/0`): all of it was
tried on 2.4.71. No name is looked up here.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

__all__ = ["Address", "Subnet", "parse_address", "parse_subnet"]

_OCTETS = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}\.?")
_FOUR_OCTETS = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){3}")
_BITS = re.compile(r"[ \t\n\v\f\r]*\+?0*([0-9]{1,3})")
_NUMBER_PARTS = re.compile(r"(?:0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,22})(?:\.(?:0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,22})){0,3}")


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address as a number; an IPv4-mapped IPv6 address is the IPv4 one."""

    version: int
    value: int


@dataclass(frozen=True, slots=True)
class Subnet:
    """A network: `value` and `mask` of an address of `version` 4 or 6."""

    version: int
    value: int
    mask: int

    def contains(self, address: Address) -> bool:
        """True if the address is of the same family and agrees in all bits of the mask."""
        return address.version == self.version and address.value & self.mask == self.value


def parse_subnet(text: str) -> Subnet:
    """Read `10.1`, `10.1.2.3`, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `2001:db8::1` or `2001:db8::/32`.

    Raises:
        ValueError: anything else, `/0` and IPv4-mapped addresses among it.
    """
    base, slash, mask_text = text.partition("/")
    if ":" in base:
        version, width, value = 6, 128, _ipv6(base)
        if value >> 32 == 0xFFFF:
            raise ValueError("write an IPv4-mapped network in its IPv4 form")
        mask = _prefix(mask_text, width) if slash else (1 << width) - 1
    elif slash:
        version, width, value = 4, 32, _four_octets(base)
        mask = _four_octets(mask_text) if _FOUR_OCTETS.fullmatch(mask_text) else _prefix(mask_text, width)
    else:
        version = 4
        value, mask = _partial(base)
    return Subnet(version, value & mask, mask)


def _octet(text: str) -> int:
    digits = text.lstrip("0")
    if len(digits) > 3 or int(digits or "0") > 255:
        raise ValueError("expected numbers from 0 to 255")
    return int(digits or "0")


def _four_octets(text: str) -> int:
    if not _FOUR_OCTETS.fullmatch(text):
        raise ValueError("expected an IP address")
    return int.from_bytes(bytes(_octet(part) for part in text.split(".")), "big")


def _partial(text: str) -> tuple[int, int]:
    if not _OCTETS.fullmatch(text):
        raise ValueError("expected an IP address or its first numbers")
    octets = [_octet(part) for part in text.rstrip(".").split(".")]
    missing = 8 * (4 - len(octets))
    return int.from_bytes(bytes(octets), "big") << missing, (0xFFFFFFFF >> missing) << missing


def _ipv6(text: str) -> int:
    if "%" in text:
        raise ValueError("a network has no scope")
    return int(ipaddress.IPv6Address(text))


def _prefix(text: str, width: int) -> int:
    found = _BITS.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= width:
        raise ValueError(f"expected a prefix length from 1 to {width}")
    host_bits = width - int(found[1])
    return ((1 << width) - 1) >> host_bits << host_bits


def parse_address(text: str) -> Address | None:
    """An address in any numeric notation that the C library takes (`127.1`, `0x7f000001`, `fe80::1%2`), or None."""
    if ":" in text:
        return _parse_ipv6(text)
    if not _NUMBER_PARTS.fullmatch(text):
        return None
    parts = [_c_number(part) for part in text.split(".")]
    if any(part is None for part in parts):
        return None
    *leading, last = [part for part in parts if part is not None]
    if any(part > 0xFF for part in leading) or last >= 1 << 8 * (4 - len(leading)):
        return None
    value = last
    for index, part in enumerate(leading):
        value |= part << 8 * (3 - index)
    return Address(4, value)


def _parse_ipv6(text: str) -> Address | None:
    try:
        value = int(ipaddress.IPv6Address(text))
    except ValueError:
        return None
    return Address(4, value & 0xFFFFFFFF) if value >> 32 == 0xFFFF else Address(6, value)


def _c_number(text: str) -> int | None:
    if text[:2] in ("0x", "0X"):
        return int(text[2:], 16)
    if text[0] == "0" and len(text) > 1:
        return int(text, 8) if re.fullmatch("[0-7]+", text) else None
    return int(text)
