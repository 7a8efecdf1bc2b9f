"""Ask the real Apache every question of the table and compare with the stored answers.

    python tests/unit/expr/record_apache.py            print what differs, exit 1 if anything does
    python tests/unit/expr/record_apache.py --write    store Apache's answers

Needs `apache2` with its modules. Everything happens in a scratch folder, on one loopback port, as a child of this process.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import expr_answers as answers
import expr_world as world
from expr_answers import Row

MODULES = ("mpm_event", "authz_core", "headers", "env", "setenvif", "alias", "mime", "include")
SERVER_CONFIG = """
ServerRoot {root}
Listen 127.0.0.1:{port}
PidFile {run}/pid
ErrorLog {run}/error.log
ErrorLogFormat "%M"
LogLevel warn
Mutex file:{run} default
ServerName site.example:8088
ServerAdmin admin@site.example
DocumentRoot {root}
TypesConfig {run}/mime.types
{modules}
{user}
SetEnvIf Host . early=E1 both=request void=
Header always set X-Out out

AddType text/plain .txt
AliasMatch "^/p[0-9]+/(.*)" {root}/$1
AliasMatch "^/ht([0-9]+)/(.*)" {run}/ht/$1/$2
Alias /ssi/ {run}/ssi/
<Directory {run}/ht>
AllowOverride All
</Directory>
<Directory {run}/ssi>
Options +Includes
SetOutputFilter INCLUDES
</Directory>
<Location /denied/>
Require all denied
</Location>
"""
START_NOISE = ("AH00526", "AH00558", "AH00489", "AH00094", "AH10159", "AH02155")


def quote(text: str) -> str:
    """An argument of a directive."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def section(row: Row, number: int, expression: str) -> str:
    """The lines that ask one question of the server's configuration."""
    answer = "Header always set R"
    body = {
        "test": f"{answer} true {quote('expr=' + expression)}",
        "if": f"<If {quote(expression)}>\n{answer} true\n</If>",
        "text": f"{answer} {quote('expr=' + expression)}",
        "word": f'SetEnvIfExpr {quote(word_question(expression))} W=$1\n{answer} "%{{W}}e"',
    }[row.place]
    return f'<Location "/p{number}/">\n{body}\n</Location>\n'


def word_question(expression: str) -> str:
    """A condition that holds a word's octets in `$1`."""
    return f"base64({expression}) =~ m#^(.*)$#"


class Apache:
    """One scratch server and the questions for it."""

    def __init__(self, scratch: Path, modules: Path) -> None:
        self.run = scratch / "run"
        self.root = scratch / "site"
        self.answers: dict[int, Row] = {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        scratch.chmod(0o755)
        for folder in (self.run, self.root, self.run / "ht", self.run / "ssi"):
            folder.mkdir()
        (self.run / "mime.types").touch()
        self.make_files()
        loads = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in MODULES)
        user = "User daemon\nGroup daemon" if os.geteuid() == 0 else ""
        self.base = SERVER_CONFIG.format(root=self.root, run=self.run, port=self.port, modules=loads, user=user)

    def make_files(self) -> None:
        for name, content in world.FILES.items():
            path = self.root / name
            if content is None:
                path.mkdir()
            else:
                path.write_bytes(content)
                path.chmod(0o644 | world.EXECUTABLE.get(name, 0))
                os.utime(path, (1577934245, 1577934245))
        for name, target in world.LINKS.items():
            (self.root / name).symlink_to(target)

    def clean(self, text: str) -> str:
        """A message without the scratch folder and this server's prefixes."""
        return " ".join(text.replace(str(self.root), "{root}").split())

    def text(self, value: bytes) -> str:
        return answers.quoted(value.replace(str(self.root).encode(), b"{root}"))

    def refusal(self, lines: str) -> str | None:
        """Apache's message if it does not start with these lines."""
        path = self.run / "try.conf"
        path.write_text(self.base + lines, "utf-8", "surrogateescape")
        tried = subprocess.run(["apache2", "-t", "-f", str(path)], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return None
        said = [line for line in tried.stderr.split("\n") if line and not line.startswith(START_NOISE)]
        said = [re.sub(r'^(Can.t|Cannot|Could not) parse .*?(clause/expression|expression|clause|".*") ?: ', "", s) for s in said]
        return self.clean(" ".join(said))

    def record(self, rows: list[Row]) -> list[Row]:
        config = self.base
        for number, row in enumerate(rows):
            expression = world.expand(row.expression, str(self.root))
            if row.place == "htaccess":
                folder = self.run / "ht" / str(number)
                folder.mkdir()
                shutil.copy2(self.root / "f.txt", folder / "f.txt")
                lines = f"<If {quote(expression)}>\nHeader always set R true\n</If>\n"
                (folder / ".htaccess").write_text(lines, "utf-8", "surrogateescape")
            elif row.place == "include":
                directive = '<!--#if expr="' + expression.replace('"', '\\"') + '" -->true<!--#else -->false<!--#endif -->'
                lines = f'<!--#set var="set" value="SET" -->{directive}'
                (self.run / "ssi" / f"{number}.txt").write_text(lines, "utf-8", "surrogateescape")
            else:
                lines = section(row, number, expression)
                if (message := self.refusal(lines)) is not None:
                    self.answers[number] = row.answered(f"refused: {message}")
                    continue
                config += lines
        (self.run / "server.conf").write_text(config, "utf-8", "surrogateescape")
        with self.serving(), (self.run / "error.log").open(encoding="utf-8", errors="surrogateescape") as log:
            for number, row in enumerate(rows):
                if number not in self.answers:
                    self.answers[number] = self.ask(number, row, log)
        return [self.answers[number] for number in range(len(rows))]

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        environment = {**os.environ, **world.PROCESS_ENV}
        command = ["apache2", "-f", str(self.run / "server.conf"), "-DFOREGROUND"]
        server = subprocess.Popen(command, env=environment)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                    break
                time.sleep(0.05)
            yield
        finally:
            server.terminate()
            server.wait()

    def ask(self, number: int, row: Row, log: Iterator[str]) -> Row:
        target = {"htaccess": f"/ht{number}/f.txt", "include": f"/ssi/{number}.txt"}.get(row.place, f"/p{number}/f.txt")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", f"{target}?a=1&b=two", headers=world.HEADERS)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        said = [line.strip() for line in log if not line.startswith(START_NOISE)]
        vary = response.getheader("Vary") or ""
        if failed := [line for line in said if line.startswith("Evaluation of expression from ")]:
            return row.answered("error: " + self.clean(failed[0].partition(" failed: ")[2]))
        value = response.getheader("R")
        if row.place == "text":
            return row.answered(self.text((value or "").encode("latin-1")), vary)
        if row.place == "word":
            return row.answered(self.text(base64.b64decode(value or "")), vary)
        if row.place == "include":
            refused = [line.partition(".txt: ")[2] for line in said if line.startswith("AH01337")]
            return row.answered(f"refused: {refused[0]}" if refused else body)
        if row.place == "htaccess" and response.status == 500:
            return row.answered("refused: " + said[0].partition("condition clause: ")[2])
        return row.answered("true" if value == "true" else "false", vary)


def main() -> int:
    """Compare, print, perhaps store."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="store Apache's answers")
    parser.add_argument("--modules", type=Path, default=Path("/usr/lib/apache2/modules"))
    options = parser.parse_args()
    stored = answers.load()
    with tempfile.TemporaryDirectory(prefix="expr-") as scratch:
        recorded = Apache(Path(scratch), options.modules).record(stored)
    changed = [(old, new) for old, new in zip(stored, recorded, strict=True) if old != new]
    for old, new in changed:
        print(f"line {old.line}: {old.place} {old.expression}\n  stored {old.answer} {old.vary}\n  Apache {new.answer} {new.vary}")
    if options.write:
        answers.save(recorded)
    print(f"{len(stored)} rows, {len(changed)} differ")
    return 1 if changed and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
