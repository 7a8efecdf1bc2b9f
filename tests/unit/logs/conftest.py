"""A main server with settings of our choice, without a configuration file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api.core import CoreDir, CoreServer
from coachwhip.api.server import Server


class _Settings:
    def __init__(self, core: CoreServer) -> None:
        self._core = core
        self.core = CoreDir()

    def get(self, config: type[Any]) -> Any:
        return self._core if config is CoreServer else config()

    def sources(self, config: type[Any], field: str) -> tuple[()]:
        return ()


@pytest.fixture
def make_server() -> Callable[..., Server]:
    return lambda **core: Server(_Settings(CoreServer(server_name="main.example", **core)), is_virtual=False, location=None)
