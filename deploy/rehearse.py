"""Carries out deploy/Dockerfile and runs what comes of it, without a container engine: `python -m deploy.rehearse`.

The base image is this machine's own system, under an overlay in memory that nobody else sees and that is gone afterwards. Every `RUN`
is run as it is written, `COPY` copies, and the last stage is started as a container is: its file system read-only, its user without
any privilege, a network of its own. Then it is probed, and stopped under load by what deploy/kubernetes says.
Linux, root, and the package index are wanted. What an engine has besides: another base system, cgroups, and a seccomp profile.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from conformance.namespace import bring_up_loopback

from coachwhip.mpm.privileges import Rights, drop_privileges
from deploy.dockerfile import Image, read
from deploy.drain import Load
from deploy.overlay import PATH, CannotBuild, build, mount

__all__ = ["main"]

HERE = Path(__file__).resolve().parent
#: Seconds for a container to serve.
START = 30.0


class Failed(Exception):
    """Something is not as it should be; the text says what."""


def main(words: Sequence[str] | None = None) -> int:
    """Rehearse; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.rehearse", description="Try deploy/Dockerfile without a container engine.")
    parser.add_argument("--python", default=os.path.realpath(sys.executable), help="the interpreter of the base image")
    parser.add_argument("--part", choices=["build", "run"], help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    image = read((HERE / "Dockerfile").read_text())
    try:
        if asked.part == "run":
            _rehearse(image[-1].image, asked.root)
        elif asked.part == "build":
            root = build(image, HERE.parent, asked.root, asked.python)
            mount("-o", "remount,ro", str(root))
            return _again("--net", "--pid", "--fork", "--mount-proc", part="run", root=str(root))
        else:
            return _in_a_room(asked.python)
    except (CannotBuild, Failed) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    return 0


def _in_a_room(python: str) -> int:
    """Build in a folder that is empty for everybody but the new namespace, whose mounts end with it."""
    room = tempfile.mkdtemp(prefix="coachwhip-image-")
    try:
        return _again("--mount", part="build", python=python, root=room)
    finally:
        os.rmdir(room)


def _again(*namespaces: str, **options: str) -> int:
    """This program in namespaces of its own."""
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = ["unshare", *namespaces, sys.executable, "-m", "deploy.rehearse", *words]
    return subprocess.run(command, cwd=HERE.parent, check=False).returncode  # noqa: S603


# -- the container


class Container:
    """The image, started."""

    def __init__(self, image: Image, root: Path) -> None:
        self.image, self.root = image, root
        #: As with an engine, standard output is root's, and has no name by which the container's user could open it.
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 -- open for as long as the container runs
        self.process = self.start(image.entrypoint)

    def run(self, words: Sequence[str]) -> int:
        """A command in the container, as probes and hooks are run; its exit status."""
        return self.start(words).wait()

    def start(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """As `run`, without waiting for its end."""
        path = self.image.environment.get("PATH", PATH).replace("$PATH", PATH)
        uid, gid = (int(word) for word in self.image.user.split(":"))
        rights = Rights((uid, gid, None), chroot=str(self.root), core_folder=self.image.folder)
        return subprocess.Popen(  # noqa: S603
            ["/usr/bin/env", *words],
            env={"PATH": path},
            preexec_fn=lambda: drop_privileges(rights),
            stdout=self.output,
            stderr=self.output,
        )


def _rehearse(image: Image, root: Path) -> None:
    bring_up_loopback()
    uid, gid = image.user.split(":")
    mount("-t", "proc", "proc", str(root / "proc"))
    mount("-t", "tmpfs", "-o", f"uid={uid},gid={gid},mode=0755,size=1m", "tmpfs", str(root / "run/coachwhip"))
    pod = yaml.safe_load((HERE / "kubernetes/deployment.yaml").read_text())["spec"]["template"]["spec"]
    port = int(image.ports[0])
    container = Container(image, root)
    try:
        _probe(container, pod["containers"][0], port)
        _drain(container, pod, port)
    except Failed:
        container.output.seek(0)
        sys.stderr.write(container.output.read().decode(errors="replace")[-4000:])
        raise
    finally:
        container.process.kill()


def _probe(container: Container, spec: Mapping[str, Any], port: int) -> None:
    _until(lambda: _status(port, spec["startupProbe"]["httpGet"]["path"]) == 200, "the startup probe")
    for probe in ("readinessProbe", "livenessProbe"):
        _check(_status(port, spec[probe]["httpGet"]["path"]) == 200, probe)
    _check(_status(port, "/") == 200, "the first page")
    _check(_status(port, "/server-status") == 404, "the status page is not for everybody")
    _check(container.run(container.image.health) == 0, "HEALTHCHECK")
    _check(container.run(["touch", "/etc/coachwhip/made"]) != 0, "the file system is read-only")
    said = Path(f"/proc/{container.process.pid}/status").read_text()
    _check(f"Uid:\t{container.image.user.split(':')[0]}\t" in said, "USER")
    _check(container.run(["coachwhip", "ctl", "configtest", *container.image.entrypoint[-2:]]) == 0, "the configuration")


def _drain(container: Container, pod: Mapping[str, Any], port: int) -> None:
    """A pod's end: preStop, at whose end no more connections come; the signal; and the time that all of it may take."""
    load = Load(port)
    load.begin()
    time.sleep(2)
    limit = time.monotonic() + pod["terminationGracePeriodSeconds"]
    command = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    _check(container.run(command) == 0, "preStop")
    load.leave()
    container.process.send_signal(signal.Signals[container.image.stop_signal])
    status = container.process.wait(limit - time.monotonic())
    load.end()
    print(f"  {load.answered} answered, {len(load.failed)} failed, {load.stale} closed while idle")
    _check(status == 0, f"the end, with status 0 (it was {status})")
    _check(not load.failed and load.answered > 0, f"every request is answered ({load.failed[:3]})")


def _status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + START
    while not true():
        if time.monotonic() > end:
            raise Failed(what)
        time.sleep(0.1)
    print(f"  ok: {what}", flush=True)


def _check(is_so: bool, what: str) -> None:
    if not is_so:
        raise Failed(what)
    print(f"  ok: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
