"""The image's configuration and STOPSIGNAL under load: no request is lost, and the server ends by itself.

The places of the image are replaced by those of the test; `python -m deploy.rehearse` does the same with the image itself.
"""

import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.dockerfile import read
from deploy.drain import Load

from coachwhip.testing.site import free_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
IMAGE = read((DEPLOY / "Dockerfile").read_text())[-1].image
WAIT = 60.0
#: Enough that a download lasts over the whole stop.
SIZE = 20 << 20


def laid_out(root: Path, port: int) -> Path:
    text = (DEPLOY / "container/httpd.conf").read_text()
    for place in ("/etc/coachwhip", "/run/coachwhip", "/srv/www"):
        text = re.sub(rf'{place}(?=[/"\s])', f"{root}{place}", text)
        (root / place[1:]).mkdir(parents=True)
    text = text.replace("Listen 8080", f"Listen 127.0.0.1:{port}").replace("8081", str(free_port()))
    conf = root / "etc/coachwhip/httpd.conf"
    conf.write_text(f"{text}\nUser www-data\nGroup www-data\n")
    (root / "etc/coachwhip/mime.types").write_text("text/html html\n")
    (root / "srv/www/index.html").write_text("hello\n")
    with (root / "srv/www/long").open("wb") as long:
        long.truncate(SIZE)
    return conf


def test_a_stop_under_load_loses_nothing() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="coachwhip-drain-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        conf = laid_out(root, port)
        command = [sys.executable, "-m", "coachwhip", *IMAGE.entrypoint[1:-1], str(conf)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            try:
                _until_there(root / "run/coachwhip/httpd.pid")
                load = Load(port, "/", "/long", keeping=6, opening=3, downloading=3)
                load.begin()
                time.sleep(2)
                load.leave()
                server.send_signal(signal.Signals[IMAGE.stop_signal])
                status = server.wait(WAIT)
            finally:
                server.kill()
            load.end()
    assert (status, load.failed, load.stale) == (0, [], 0)
    assert load.answered > 100


def _until_there(path: Path) -> None:
    end = time.monotonic() + WAIT
    while not path.exists():
        assert time.monotonic() < end, "the server does not start"
        time.sleep(0.05)
    # The file is written before the first worker serves; what comes until then waits in the backlog.
