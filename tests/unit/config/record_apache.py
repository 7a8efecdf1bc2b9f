"""Ask the installed Apache about every case of `recorded/` and write its words into the tables.

python tests/unit/config/record_apache.py [table …]
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from config_cases import ARROW, HTACCESS, MODULES, NEWLINE, PRELUDE, TABLES, lay_out, shorten

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


def record_htaccess() -> None:
    """One server, one folder a case; what Apache says stands in its error log."""
    path = TABLES / f"{HTACCESS}.txt"
    lines = path.read_text("utf-8").rstrip("\n").split("\n")
    cases = {number: line.split(ARROW) for number, line in enumerate(lines) if line and not line.startswith("# ")}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        root.chmod(0o755)
        answers = _serve(root, {number: parts[0] for number, parts in cases.items()})
    for number, (text, _apache, *ours) in (
        (number, [*parts, ""][:3] if len(parts) > 1 else [*parts, ""]) for number, parts in cases.items()
    ):
        lines[number] = ARROW.join([text, answers[number], *[word for word in ours if word]])
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _serve(root: Path, cases: dict[int, str]) -> dict[int, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    modules = (*MODULES, "dir")
    config = "".join(f"LoadModule {name}_module {SHARED_OBJECTS}/mod_{name}.so\n" for name in modules)
    config += f"ServerName h\nPidFile {root}/pid\nErrorLog {root}/log\nListen 127.0.0.1:{port}\nDocumentRoot {root}\n"
    config += 'User nobody\nDefine NAMED 5\n<Macro Server $x>\nSetEnv a $x\n</Macro>\nErrorLogFormat "%M"\n'
    for number, text in cases.items():
        said, _, htaccess = text.partition(" | ")
        (root / str(number)).mkdir()
        (root / str(number) / ".htaccess").write_text(htaccess.replace(NEWLINE, "\n") + "\n")
        config += f"<Directory {root}/{number}>\n{said.replace(NEWLINE, chr(10))}\n</Directory>\n"
    (root / "c.conf").write_text(config)
    server = subprocess.Popen([APACHE, "-d", str(root), "-f", str(root / "c.conf"), "-DFOREGROUND"], env={})
    try:
        return {number: _htaccess_answer(root, port, number) for number in cases}
    finally:
        server.terminate()
        server.wait()


def _htaccess_answer(root: Path, port: int, number: int) -> str:
    for _attempt in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port)) as client:
                before = len((root / "log").read_text().split("\n"))
                client.sendall(f"GET /{number}/x HTTP/1.0\r\nHost: h\r\n\r\n".encode())
                client.recv(65536)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    said = [
        _htaccess_line(line, f"{root}/{number}/.htaccess: ")
        for line in (root / "log").read_text().split("\n")[before - 1 :]
        if line
    ]
    said += [] if any(not line.startswith("warn ") for line in said) else ["ok"]
    return shorten("\n".join(said), f"{root}/{number}")


def _htaccess_line(line: str, place: str) -> str:
    return line.removeprefix(place) if line.startswith(place) else f"warn {line}"


if __name__ == "__main__":
    if sys.argv[1:] in ([], [HTACCESS]):
        record_htaccess()
    for name in sys.argv[1:] or [path.stem for path in sorted(TABLES.glob("*.txt")) if path.stem != HTACCESS]:
        if name != HTACCESS:
            record(TABLES / f"{name}.txt")
