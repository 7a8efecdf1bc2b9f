"""Which virtual host answers: by address first, then by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MakeWorld = Callable[..., Any]
CONFIG = """
<VirtualHost *:80>
    ServerName star.test
</VirtualHost>
<VirtualHost 127.0.0.1:80>
    ServerName first.test
    ServerAlias *.test
</VirtualHost>
<VirtualHost 127.0.0.1:80 127.0.0.2:*>
    ServerName second.test
    ServerPath /second/
</VirtualHost>
"""


@pytest.mark.parametrize(
    ("ip", "port", "name", "found"),
    [
        ("127.0.0.1", 80, "first.test", "first.test"),
        # Within one host names come before wildcards; among hosts the first that matches at all.
        ("127.0.0.1", 80, "second.test", "first.test"),
        ("127.0.0.1", 80, "other.example", None),
        ("127.0.0.2", 81, "second.test", "second.test"),
        ("127.0.0.3", 80, "star.test", "star.test"),
        ("127.0.0.3", 80, "first.test", None),
        ("127.0.0.3", 81, "star.test", None),
    ],
)
def test_by_name(world: MakeWorld, ip: str, port: int, name: str, found: str | None) -> None:
    server = world(CONFIG).pipeline.hosts.by_name(ip, port, name)
    assert (server.name if server else None) == found


@pytest.mark.parametrize(
    ("ip", "port", "found"),
    [("127.0.0.1", 80, "first.test"), ("127.0.0.2", 99, "second.test"), ("10.0.0.1", 80, "star.test"), ("10.0.0.1", 81, "localhost")],
)
def test_by_address(world: MakeWorld, ip: str, port: int, found: str) -> None:
    assert world(CONFIG).pipeline.hosts.by_address(ip, port).name == found


@pytest.mark.parametrize(("path", "found"), [("/second/a", "second.test"), ("/second", None), ("/secondary", None), ("/", None)])
def test_by_path(world: MakeWorld, path: str, found: str | None) -> None:
    server = world(CONFIG).pipeline.hosts.by_path("127.0.0.1", 80, path)
    assert (server.name if server else None) == found
