"""Step 15 hands over to Coachwhip, or says plainly that it is not installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from stepping import Running, script


def test_it_says_so_when_coachwhip_is_not_installed() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", script(15)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr.startswith("Coachwhip is not installed: ")


def test_coachwhip_serves_the_same_folder(start: Callable[..., Running]) -> None:
    step = start(15)
    assert step.get("/").endswith((step.root / "index.html").read_bytes())
    assert step.get("/big.html").endswith(b"My WebServer\n" * 4000)
    assert step.end() == 0
