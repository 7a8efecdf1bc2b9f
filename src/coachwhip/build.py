"""What this build is made of, as `-V`, server-status and server-info say it. Nothing heavy is imported."""

from __future__ import annotations

import os
import platform
import sys
import time

__all__ = ["FEATURES", "architecture", "build_time", "python_version"]

#: Apache's names of what its binary was compiled with, as far as this server can do the same.
FEATURES = ("APR_HAS_SENDFILE", "APR_HAVE_IPV6 (IPv4-mapped addresses enabled)", "AP_HAVE_RELIABLE_PIPED_LOGS")

#: Asked when this is imported: a worker below `ChrootDir`, or whose `User` may not read this, does not find the file.
_INSTALLED = os.stat(__file__).st_mtime


def build_time() -> str:
    """When this was installed, as Apache writes when it was compiled: "2026-11-12T08:58:41"."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(_INSTALLED))


def python_version() -> str:
    """The interpreter's name and version."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def architecture() -> str:
    """ "64-bit" or "32-bit"."""
    return f"{64 if sys.maxsize > 1 << 32 else 32}-bit"
