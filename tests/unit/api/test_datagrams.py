"""`api.datagrams`: addresses of one shape, sockets that never wait."""

from __future__ import annotations

import socket
import time

import pytest

from coachwhip.api.datagrams import Address, DatagramListener, DatagramSender, NoAddress, find_address


@pytest.mark.parametrize(
    ("text", "found"),
    [("127.0.0.1:27999", ("127.0.0.1", 27999)), ("239.0.0.1:1", ("239.0.0.1", 1)), ("localhost:80", ("127.0.0.1", 80))],
)
def test_addresses(text: str, found: Address) -> None:
    assert find_address(text) == found


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("27999", "No host provided"), ("127.0.0.1", "No port provided"), ("127.0.0.1:80x", "No port provided"), (":80", "Unable to parse"),
        ("127.0.0.1:0", "Unable to parse"), ("127.0.0.1:65536", "Unable to parse"), ("127.0.0.1:" + "9" * 5000, "Unable to parse"),
        ("[::1]:80", "failed"), ("no such host:80", "failed"), ("." * 300 + ":80", "failed"),
    ],
)  # fmt: skip
def test_what_is_no_address(text: str, missing: str) -> None:
    with pytest.raises(NoAddress, match=missing):
        find_address(text)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_there_and_back() -> None:
    address = ("127.0.0.1", free_port())
    listener = DatagramListener(address)
    assert listener.receive(10) == []
    sender = DatagramSender(address)
    sender.send(b"one")
    sender.send(b"more than ten bytes")
    found: list[tuple[bytes, Address]] = []
    for _ in range(1000):
        found += listener.receive(10)
        if len(found) == 2:
            break
        time.sleep(0.005)
    assert [data for data, _ in found] == [b"one", b"more than "]
    assert {ip for _, (ip, _) in found} == {"127.0.0.1"}
    sender.close()
    listener.close()


def test_an_address_that_is_taken_or_not_ours() -> None:
    with pytest.raises(OSError):
        DatagramListener(("192.0.2.1", 1))
