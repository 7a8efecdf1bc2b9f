"""Stages of a Dockerfile as folders: an overlay over this machine's system for each, in a mount namespace that is ours alone.

Whoever uses this has left the mounts of everybody else (`unshare --mount`); all that is mounted here goes with the namespace.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from deploy.dockerfile import Copy, Run, Stage

__all__ = ["PATH", "CannotBuild", "build", "mount"]

#: Where programs are found in the images of Docker's library.
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What an image's shell has around it.
_ENVIRONMENT = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}


class CannotBuild(Exception):
    """A step failed; the text says which."""


def mount(*words: str) -> None:
    """mount(8). Raises subprocess.CalledProcessError."""
    subprocess.run(["mount", *words], check=True)  # noqa: S603, S607


def build(stages: list[Stage], tree: Path, room: Path, python: str) -> Path:
    """Carry out all stages; returns the root folder of the last one. `room`: an empty folder; `python`: the base's interpreter.

    Raises:
        CannotBuild: a command failed, or what is to be copied is not there.
    """
    mount("-t", "tmpfs", "tmpfs", str(room))
    roots: dict[str | None, Path] = {}
    root = room
    for number, stage in enumerate(stages):
        root = roots[stage.name] = _base(room / str(number), python)
        for step in stage.steps:
            if isinstance(step, Run):
                print(f"  RUN {step.command}", flush=True)
                _run(step, root)
            else:
                print(f"  COPY {' '.join(step.sources)} {step.target}", flush=True)
                _copy(step, roots[step.stage] if step.stage is not None else tree, root, stage.image.folder)
    return root


def _base(folder: Path, python: str) -> Path:
    """This machine's system, to be written to; `python3` in it is the interpreter, readable by everybody."""
    upper, work, root = folder / "upper", folder / "work", folder / "root"
    for made in (upper, work, root):
        made.mkdir(parents=True)
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", str(root))
    mount("-t", "proc", "proc", str(root / "proc"))
    mount("-t", "tmpfs", "tmpfs", str(root / "tmp"))
    _make_devices(root / "dev")
    for above in Path(python).parents:
        inside = root / str(above).lstrip("/")
        inside.chmod(inside.stat().st_mode | 0o055)
    # Not a link: an interpreter that is called by one looks for its library from there, and may find that of another.
    command = root / "usr/local/bin/python3"
    command.unlink(missing_ok=True)
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(python)} "$@"\n')
    command.chmod(0o755)
    return root


def _make_devices(folder: Path) -> None:
    """Those that a container has."""
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(folder))
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (folder / name).touch()
        mount("--bind", f"/dev/{name}", str(folder / name))
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (folder / name).symlink_to(f"/proc/self/{target}")


def _run(step: Run, root: Path) -> None:
    (root / step.folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    command = ["chroot", str(root), "sh", "-c", f"cd {step.folder} && {step.command}"]
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotBuild(f"RUN {step.command}\n{done.stdout}{done.stderr}")


def _copy(step: Copy, source: Path, root: Path, folder: str) -> None:
    """A folder's content goes into the target; a file goes there by its name, if the target is a folder."""
    target = root / str(Path(folder, step.target)).lstrip("/")
    for name in step.sources:
        found = source / name.lstrip("/")
        if not found.exists():
            raise CannotBuild(f"COPY {name}: there is no such file")
        if found.is_dir():
            shutil.copytree(found, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            continue
        into = target / found.name if step.target.endswith("/") else target
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, into)
