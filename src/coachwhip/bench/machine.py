"""Facts about the machine that figures depend on. What cannot be found out is left out."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from coachwhip.util.cores import usable_cores

__all__ = ["facts"]


def facts() -> dict[str, str]:
    """Name → value, in the order to be shown."""
    found = {
        "processor": _first(r"^model name\s*:\s*(.+)$", "/proc/cpuinfo"),
        "cores": str(usable_cores()),
        "memory": _memory(),
        "system": _first(r'^PRETTY_NAME="(.+)"$', "/etc/os-release"),
        "kernel": f"{platform.system()} {platform.release()}",
        # The day and the compiler tell builds of one version apart, whose speed may differ.
        "python": f"{platform.python_implementation()} {sys.version}",
        "event loop": "uvloop" if find_spec("uvloop") else "asyncio",
        "wrk": _said(["wrk", "-v"], r"wrk \S+"),
        "ab": _said(["ab", "-V"], r"Version [0-9.]+"),
        "load average at start": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }
    return {name: value for name, value in found.items() if value}


def _first(pattern: str, file: str) -> str:
    try:
        match = re.search(pattern, Path(file).read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    except OSError:
        return ""
    return match[1].strip() if match else ""


def _memory() -> str:
    kib = _first(r"^MemTotal:\s+([0-9]+) kB$", "/proc/meminfo")
    return f"{int(kib) / (1 << 20):.1f} GiB" if kib else ""


def _said(command: list[str], pattern: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(pattern, done.stdout + done.stderr)
    return match[0] if match else ""
