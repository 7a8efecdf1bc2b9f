"""Ask the installed Apache about every case of `recorded/` and write its words into the tables.

    python tests/unit/config/record_apache.py [table …]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from config_cases import ARROW, MODULES, NEWLINE, PRELUDE, TABLES, lay_out, shorten

APACHE = "/usr/sbin/apache2"
SHARED_OBJECTS = "/usr/lib/apache2/modules"


def ask(configuration: bytes, root: Path) -> str:
    loads = "".join(f"LoadModule {name}_module {SHARED_OBJECTS}/mod_{name}.so\n" for name in MODULES)
    (root / "prelude.conf").write_text(loads + PRELUDE)
    (root / "c.conf").write_bytes(configuration)
    command = [APACHE, "-d", str(root), "-f", str(root / "c.conf"), "-C", f"Include {root}/prelude.conf", "-t"]
    answer = subprocess.run(command, capture_output=True, check=False, env={})
    return "\n".join(_plain(line) for line in (answer.stdout + answer.stderr).decode("utf-8", "replace").rstrip("\n").split("\n"))


def _plain(line: str) -> str:
    line = re.sub(r"^\[[^\]]*\] \[[a-z_]*:[a-z0-9]*\] \[pid [^\]]*\] (?:\([^)]*\)[^:]*: )?", "warn ", line)
    line = re.sub(r"^(AH[0-9]{5}: (?!Syntax error))", r"warn \1", line)
    return "ok" if line == "Syntax OK" else line.removeprefix("apache2: ")


def record(path: Path) -> None:
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        lay_out(root)
        for line in path.read_text("utf-8").rstrip("\n").split("\n"):
            if line and not line.startswith("# "):
                text, _apache, *ours = [*line.split(ARROW), ""][:3] if ARROW in line else [line, ""]
                configuration = text.replace(NEWLINE, "\n").replace("\\0", "\0").encode() + b"\n"
                parts = [text, shorten(ask(configuration, root), str(root)), *[word for word in ours if word]]
                line = ARROW.join(parts)
            lines.append(line)
    path.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or [path.stem for path in sorted(TABLES.glob("*.txt"))]:
        record(TABLES / f"{name}.txt")
