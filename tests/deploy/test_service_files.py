"""The files for systemd and logrotate: the programs they are for accept them, and the server works as they start it.

Where they name the places of an installation, these are replaced by those of the test; nothing else of them is changed.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coachwhip.testing.raw import Client
from coachwhip.testing.site import free_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = (DEPLOY / "systemd/coachwhip.service").read_text()
WAIT = 30.0

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a service starts as root")


#: `MemoryDenyWriteExecute`, where the kernel has it, and then the command that follows.
DENY = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, *map(ctypes.c_ulong, (1, 0, 0, 0)))
os.execv(sys.argv[1], sys.argv[1:])
"""


def values(name: str, unit: str = UNIT) -> list[str]:
    """What a unit says of a setting, in order."""
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


class Installation:
    """The places of an installation in a folder of the test."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        root.chmod(0o755)
        for folder in ("etc", "run", "log", "www"):
            (root / folder).mkdir()
        (root / "www/index.html").write_text("hello\n")
        self.conf = root / "etc/httpd.conf"
        self.conf.write_text(self.placed((DEPLOY / "systemd/httpd.conf").read_text()))
        (root / "etc/mime.types").write_text("text/html html\n")
        self.processes: list[subprocess.Popen[str]] = []

    def placed(self, text: str) -> str:
        """`text` with the places of this installation."""
        places = {
            "/opt/coachwhip/bin/coachwhip": f"{sys.executable} -m coachwhip",
            "/etc/coachwhip": self.root / "etc",
            "/etc/mime.types": self.root / "etc/mime.types",
            "/run/coachwhip": self.root / "run",
            "/var/log/coachwhip": self.root / "log",
            "/var/www/html": self.root / "www",
            "Listen 80\n": f"Listen 127.0.0.1:{self.port}\n",
        }
        for place, mine in places.items():
            text = text.replace(place, str(mine))
        return text

    def command(self, setting: str) -> list[str]:
        """A command of the unit, as systemd would run it."""
        (line,) = values(setting)
        return self.placed(line).replace("${COACHWHIP_CONF}", str(self.conf)).replace("$COACHWHIP_FLAGS", "").split()

    def start(self, *before: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([*before, *self.command("ExecStart")], stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        until((self.root / "run/httpd.pid").exists)
        return process

    def get(self) -> int:
        with Client("127.0.0.1", self.port) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = client.read_response(b"GET")
        return answer.status if answer is not None else 0


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def installation() -> Iterator[Installation]:
    # Whoever a worker becomes cannot enter pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="coachwhip-service-") as root:
        made = Installation(Path(root))
        yield made
        for process in made.processes:
            process.terminate()
            process.communicate(timeout=WAIT)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    for name in ("coachwhip.service", "coachwhip.socket"):
        text = (DEPLOY / "systemd" / name).read_text().replace("/opt/coachwhip/bin/coachwhip", "/bin/true")
        (tmp_path / name).write_text(text)
    drop_in = tmp_path / "coachwhip.service.d"
    drop_in.mkdir()
    shutil.copy(DEPLOY / "systemd/debian-apache2.conf", drop_in)
    units = [str(tmp_path / name) for name in ("coachwhip.service", "coachwhip.socket")]
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_root
def test_the_service_works_with_no_more_rights_than_its_unit_leaves_it(installation: Installation) -> None:
    setpriv = program("setpriv")
    (kept,) = values("CapabilityBoundingSet")
    bounds = ",".join(["-all", *[f"+{name.removeprefix('CAP_').lower()}" for name in kept.split()]])
    assert subprocess.run(installation.command("ExecStartPre"), capture_output=True, check=False).returncode == 0
    process = installation.start(setpriv, "--bounding-set", bounds, "--no-new-privs", sys.executable, "-c", DENY)
    assert installation.get() == 200
    assert subprocess.run(installation.command("ExecReload"), capture_output=True, check=False).returncode == 0
    assert installation.get() == 200
    process.send_signal(signal.Signals[values("KillSignal")[0]])
    assert process.wait(WAIT) == 0


@needs_root
@pytest.mark.parametrize("right", ["setuid", "setgid"])
def test_without_the_right_to_give_up_root_it_ends_and_never_serves(installation: Installation, right: str) -> None:
    setpriv = program("setpriv")
    process = subprocess.Popen(
        [setpriv, "--bounding-set", f"-{right}", *installation.command("ExecStart")], stderr=subprocess.PIPE, text=True
    )
    assert process.wait(WAIT) == 1
    process.communicate()
    assert "a worker ended: PrivilegeError: cannot become user" in (installation.root / "log/error.log").read_text()
    assert not (installation.root / "log/access.log").read_text()


def test_the_server_ends_before_systemd_kills_it() -> None:
    found = re.search(r"^GracefulShutdownTimeout ([0-9]+)$", (DEPLOY / "systemd/httpd.conf").read_text(), re.MULTILINE)
    assert found is not None and int(found[1]) + 5 <= int(values("TimeoutStopSec")[0])


def test_debians_configuration_of_apache_is_accepted(tmp_path: Path) -> None:
    """With the variables of the drop-in in place of those of envvars."""
    if not Path("/etc/apache2/apache2.conf").exists():
        pytest.skip("apache2 is not installed")
    drop_in = (DEPLOY / "systemd/debian-apache2.conf").read_text().replace("/run/coachwhip", str(tmp_path))
    environment = dict(pair.split("=", 1) for line in values("Environment", drop_in) for pair in shlex.split(line))
    command = [sys.executable, "-m", "coachwhip", "httpd", "-f", environment["COACHWHIP_CONF"], *environment["COACHWHIP_FLAGS"].split()]
    done = subprocess.run([*command, "-t"], env=os.environ | environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "Syntax OK")


@needs_root
def test_logs_are_rotated_without_losing_a_line(installation: Installation) -> None:
    """By the script itself, without systemd: `ctl graceful`."""
    logrotate = program("logrotate")
    text = installation.placed((DEPLOY / "logrotate/coachwhip").read_text()).replace("/run/systemd/system", "/nonexistent")
    conf = installation.root / "etc/logrotate"
    conf.write_text(text)
    conf.chmod(0o644)
    installation.start()
    assert installation.get() == 200
    log = installation.root / "log"
    until(lambda: (log / "access.log").read_text().count("\n") == 1)
    rotate = [logrotate, "--force", "--state", str(installation.root / "state"), str(conf)]
    assert subprocess.run(rotate, capture_output=True, text=True, check=False).returncode == 0
    until(lambda: installation.get() == 200 and (log / "access.log").read_text())
    answered = (log / "access.log.1").read_text() + (log / "access.log").read_text()
    assert answered.count('"GET / HTTP/1.1" 200') >= 2
    assert (log / "access.log").stat().st_mode & 0o777 == 0o640
