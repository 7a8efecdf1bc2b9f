"""Ask the installed Apache about every command line of `commands.py` and write its answers to `recorded/`.

python tests/cli/record_apache.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from commands import CASES, RECORDED, lay_out, run

from coachwhip.testing.site import free_port


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        root = Path(folder).resolve()
        root.chmod(0o755)
        lay_out(root, port)
        for case in CASES:
            (RECORDED / f"{case.name}.txt").write_text(run(["/usr/sbin/apache2"], case, root, port))


if __name__ == "__main__":
    main()
