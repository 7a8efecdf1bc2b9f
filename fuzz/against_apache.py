"""The same bytes to the installed Apache and to us, on the same files.

`urls`: random targets. No answer of ours shows a file outside of what is granted, none is 5xx, and the status is Apache's; where it is
not, the reason is one of `REASONS`. `requests`: broken and half-broken requests, each followed by a good one. We never answer more of
them than Apache does: where it has seen enough and closes, so do we.

    python -m fuzz.against_apache urls --count 100000
    python -m fuzz.against_apache requests --count 100000 [--cases FILE.jsonl]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import socket
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from coachwhip.testing.launch import start_command
from fuzz import world
from fuzz.mutation import mutate
from fuzz.target import escaped, seeds, words
from fuzz.targets.paths import CONFIG, SECRET, generate, lay_out_site

APACHE = "/usr/sbin/apache2"
OURS = (sys.executable, "-m", "coachwhip", "httpd")
MODULES = tuple(name for name in world.MODULES if name not in ("log_config", "logio", "macro", "info", "mime_magic"))
CANARY = b"GET /canary.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#: Asked at once.
WIDTH = 8
BATCH = 2_000

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) ")

#: Why a status differs, ours, and what the target then begins with: `conformance/differences.md`.
REASONS: tuple[tuple[str, int, re.Pattern[bytes]], ...] = (
    ("an http address has a host", 400, re.compile(rb"(?i)https?:(?!//[^/?#:])")),
    ("no such port", 400, re.compile(rb"(?i)[a-z][a-z0-9+.-]*://[^/?#]*:[0-9]{5,}")),
)


@contextmanager
def servers() -> Iterator[tuple[int, int]]:
    """Both servers over the same files; gives their ports: Apache's, ours."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coachwhip-against-"))).resolve()
        folder.chmod(0o755)
        root = folder / "site"
        lay_out_site(root)
        (root / "htdocs/canary.txt").write_bytes(b"canary\n")
        ports = []
        for name, command in (("apache", (APACHE,)), ("ours", OURS)):
            port = _free_port()
            file = folder / f"{name}.conf"
            file.write_text(_configuration(folder, root, name, port))
            stack.callback(start_command([*command, "-d", str(folder), "-f", str(file)], port).stop)
            ports.append(port)
        yield ports[0], ports[1]


def _configuration(folder: Path, root: Path, name: str, port: int) -> str:
    loads = "".join(f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n" for module in MODULES)
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    base = f"ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {folder}/{name}.pid\nErrorLog {folder}/{name}.log\nLogLevel crit\n"
    limits = "TraceEnable Off\nMaxKeepAliveRequests 0\nTypesConfig /dev/null\n"
    return loads + base + f"DefaultRuntimeDir {folder}\n" + user + limits + CONFIG.replace("{root}", str(root))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def ask(port: int, data: bytes) -> bytes:
    """All that comes back for some bytes on a connection of their own, whose sending side is closed behind them."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        received = []
        try:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            while piece := line.recv(1 << 16):
                received.append(piece)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
        return b"".join(received)


class Tally:
    """What was found."""

    def __init__(self) -> None:
        self.asked = 0
        self.equal = 0
        #: Kind of difference → how many, and some of the bytes.
        self.listed: Counter[str] = Counter()
        self.examples: dict[str, list[bytes]] = defaultdict(list)
        self.faults: list[str] = []

    def differ(self, kind: str, data: bytes) -> None:
        """Count a difference."""
        self.listed[kind] += 1
        if len(self.examples[kind]) < 3:
            self.examples[kind].append(data)

    def fault(self, what: str, data: bytes) -> None:
        """Something that must not be."""
        if len(self.faults) < 20:
            self.faults.append(f"{what}: {escaped(data)}")


def _pairs(ports: tuple[int, int], cases: list[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    with ThreadPoolExecutor(WIDTH) as pool:
        theirs = pool.map(lambda data: ask(ports[0], data), cases)
        ours = pool.map(lambda data: ask(ports[1], data), cases)
        yield from zip(cases, theirs, ours, strict=True)


def urls(count: int, seed: int) -> Tally:
    """Ask for random targets."""
    chance = random.Random(seed)  # noqa: S311 -- a search, not a secret
    corpus = seeds("paths")
    tally = Tally()

    def target() -> bytes:
        made = generate(chance) if chance.random() < 0.8 else mutate(chance, chance.choice(corpus), words("paths"), corpus, 2_000)
        return re.sub(rb"[\r\n]", b"", made)

    with servers() as ports:
        while tally.asked < count:
            targets = [target() for _ in range(min(BATCH, count - tally.asked))]
            cases = [b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % made for made in targets]
            for made, (_, theirs, ours) in zip(targets, _pairs(ports, cases), strict=True):
                judge_url(tally, made, theirs, ours)
    return tally


def judge_url(tally: Tally, target: bytes, theirs: bytes, ours: bytes) -> None:
    """Count what Apache and we answered to a target."""
    tally.asked += 1
    if SECRET in ours or b"root:" in ours:
        tally.fault("shows what is not granted", target)
    apache, own = _status(theirs), _status(ours)
    if own >= 500 or own == 0:
        tally.fault(f"answered {own}", target)
    if apache == own:
        tally.equal += 1
        return
    reason = next((text for text, status, pattern in REASONS if status == own and pattern.match(target)), "for no known reason")
    tally.differ(f"{apache} from Apache, {own} from us: {reason}", target)


def _status(answer: bytes) -> int:
    found = _STATUS.match(answer)
    if found is None:
        return 9 if answer else 0
    return int(found[1])


def requests(count: int, seed: int, cases: Path | None) -> Tally:
    """Send broken requests, each followed by one that asks for a file of its own."""
    chance = random.Random(seed)  # noqa: S311 -- a search, not a secret
    corpus = _requests(cases)
    vocabulary = (*words("heads"), *words("chunks"))
    tally = Tally()
    with servers() as ports:
        while tally.asked < count:
            batch = [
                mutate(chance, chance.choice(corpus), vocabulary, corpus, 12_000) + CANARY for _ in range(min(BATCH, count - tally.asked))
            ]
            for data, theirs, ours in _pairs(ports, batch):
                judge_request(tally, data, theirs, ours)
    return tally


def _requests(cases: Path | None) -> list[bytes]:
    head = b"POST /a.txt HTTP/1.1\r\nHost: localhost\r\n"
    corpus = seeds("heads") + [head + b"Transfer-Encoding: chunked\r\n\r\n" + body for body in seeds("chunks")]
    corpus.append(head + b"Content-Length: 5\r\n\r\nhello")
    for line in cases.read_text("utf-8").split("\n") if cases is not None else ():
        case = json.loads(line) if line else {}
        if case.get("raw") and case.get("proto") != "h2c":
            corpus.append(case["raw"].encode("latin-1"))
    return corpus


def judge_request(tally: Tally, data: bytes, theirs: bytes, ours: bytes) -> None:
    """Count what Apache and we answered to some requests on one connection."""
    tally.asked += 1
    apache, own = (tuple(status for status in map(int, _STATUS.findall(answer)) if status >= 200) for answer in (theirs, ours))
    # To refuse what comes next and close is not to answer it.
    if len(own) > len(apache) and own[len(apache) :] != (400,):
        tally.fault(f"{own} from us, {apache} from Apache", data)
    if any(status >= 500 and status != 501 for status in own):
        tally.fault(f"answered {own}", data)
    if apache == own:
        tally.equal += 1
    else:
        tally.differ(f"{apache} from Apache, {own} from us", data)


def _report(tally: Tally, least: float) -> int:
    print(f"{tally.asked} asked, {tally.equal} alike ({100 * tally.equal / tally.asked:.3f} %), {len(tally.faults)} faults")
    for kind, times in tally.listed.most_common(40):
        print(f"  {times:6} {kind}")
        for data in tally.examples[kind]:
            print(f"           {escaped(data)[:200]}")
    for fault in tally.faults:
        print(f"FAULT {fault[:3000]}")
    return 1 if tally.faults or tally.equal < least * tally.asked else 0


def main() -> int:
    """The command; returns the exit status: 1 for a fault, 2 where there is no Apache."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.against_apache", description=__doc__)
    parser.add_argument("what", choices=("urls", "requests"))
    parser.add_argument("--count", type=int, default=100_000, help="how many (default 100000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=Path, metavar="FILE", help="more requests to begin with: lines of JSON with `raw`")
    asked = parser.parse_args()
    if shutil.which(APACHE) is None:
        print(f"no {APACHE} here", file=sys.stderr)
        return 2
    if asked.what == "urls":
        return _report(urls(asked.count, asked.seed), 0.999)
    return _report(requests(asked.count, asked.seed, asked.cases), 0.0)


if __name__ == "__main__":
    sys.exit(main())
