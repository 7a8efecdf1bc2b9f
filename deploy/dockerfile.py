"""A Dockerfile as data: its stages, and what one becomes when it is run.

Knows the instructions that deploy/Dockerfile uses, and refuses others. Carrying them out is the business of `rehearse.py`.
Source: Docker's "Dockerfile reference".
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Copy", "Image", "Run", "Stage", "read"]

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


@dataclass(frozen=True, slots=True)
class Run:
    """A command for the shell."""

    command: str
    folder: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Files from the tree, or from an earlier stage, and where they go."""

    sources: tuple[str, ...]
    target: str
    stage: str | None


@dataclass(slots=True)
class Image:
    """What a container is started with."""

    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    ports: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    health: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


@dataclass(slots=True)
class Stage:
    """One `FROM` and what follows it."""

    base: str
    name: str | None
    steps: list[Run | Copy] = field(default_factory=list)
    image: Image = field(default_factory=Image)


def read(text: str) -> list[Stage]:
    """The stages in order; the last one is the image.

    Raises:
        ValueError: an instruction is not known here, or is written in a way that is not.
    """
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for word, rest in _instructions(text):
        if word == "ARG" and not stages:
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "FROM":
            base, _, name = _filled(rest, arguments).partition(" AS ")
            stages.append(Stage(base, name or None))
        elif stages:
            _take(stages[-1], word, rest)
        else:
            raise ValueError(f"{word} before FROM")
    return stages


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.split("\n") if line and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n[ \t]*", "", "\n".join(lines)).split("\n"):
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def _filled(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], ""), text)


def _take(stage: Stage, word: str, rest: str) -> None:
    image = stage.image
    if word == "RUN":
        stage.steps.append(Run(rest, image.folder))
    elif word == "COPY":
        words = rest.split()
        source = words.pop(0).removeprefix("--from=") if rest.startswith("--from=") else None
        stage.steps.append(Copy(tuple(words[:-1]), words[-1], source))
    elif word == "ENV":
        name, _, value = rest.partition("=")
        image.environment[name] = value
    elif word == "WORKDIR":
        image.folder = rest
    elif word == "USER":
        image.user = rest
    elif word == "EXPOSE":
        image.ports = tuple(rest.split())
    elif word == "STOPSIGNAL":
        image.stop_signal = rest
    elif word == "HEALTHCHECK":
        image.health = _words(rest.partition("CMD ")[2])
    elif word == "ENTRYPOINT":
        image.entrypoint = _words(rest)
    else:
        raise ValueError(f"{word} is not known here")


def _words(rest: str) -> tuple[str, ...]:
    """The exec form, which runs without a shell.

    Raises:
        ValueError: it is the other one.
    """
    if not rest.startswith("["):
        raise ValueError(f"not a list of words: {shlex.quote(rest)}")
    return tuple(json.loads(rest))
