"""What a fuzzer consists of: `Target`. The engine (`search`) knows targets only through it; a target knows nothing of the engine.

A check looks at nothing but its bytes, so whatever it finds can be found again from a file that holds them.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Check", "Fault", "Target", "escaped", "kind_of", "pieces", "pieces_of", "require", "seeds", "unescaped", "words", "words_of"]

SEEDS = Path(__file__).parent / "seeds"
WORDS = Path(__file__).parent / "words"
_SECTION = re.compile(r"<[^<>\n]*(?:>|$)")
_WORD = re.compile(r"(?:[a-zA-Z_-]{1,24}|<>)[.,:;]?")

#: Runs one case. Returns in a few words what became of it ("400 AH00566"), so that a new kind of end can be told from an old one.
#: Raises whatever is a fault.
Check = Callable[[bytes], str]


class Fault(Exception):
    """A promise that did not hold."""


def require(holds: bool, promise: str) -> None:
    """Raise `Fault` unless the promise holds."""
    if not holds:
        raise Fault(promise)


@dataclass(frozen=True, slots=True)
class Target:
    """A part of the server that takes bytes from outside."""

    name: str
    #: Words that mean something there; mutations insert them.
    words: tuple[bytes, ...]
    #: Makes a case by the grammar, or near it.
    generate: Callable[[random.Random], bytes]
    #: Makes the check, once for each search; gets an empty folder of its own.
    prepare: Callable[[Path], Check]
    #: Octets of the longest case.
    longest: int = 4096


def seeds(name: str) -> list[bytes]:
    """The cases that a search begins with: one a line, written with escapes."""
    return _lines(SEEDS / f"{name}.txt")


def words(name: str) -> tuple[bytes, ...]:
    """The words of a target: one a line, written with escapes."""
    return tuple(_lines(WORDS / f"{name}.txt"))


def words_of(lines: Iterable[str]) -> tuple[bytes, ...]:
    """The words that some lines of configuration consist of."""
    return tuple({word.encode(): None for line in lines for word in line.replace("\n", " ").split(" ") if word})


def _lines(path: Path) -> list[bytes]:
    return [unescaped(line) for line in path.read_text("ascii").split("\n") if line]


def unescaped(line: str) -> bytes:
    """The bytes of a line of a seed file."""
    return line.encode("ascii").decode("unicode_escape").encode("latin-1")


def escaped(data: bytes) -> str:
    """Bytes as a line of a seed file."""
    return data.decode("latin-1").encode("unicode_escape").decode("ascii")


def kind_of(message: str, root: Path, data: bytes, words: Container[bytes]) -> str:
    """What a message says, without what it repeats of the case, or else every end would be one of a new kind; known `words` are kept."""
    said = _SECTION.sub("<>", message.replace(str(root), "").partition("'")[0]).split(" ")
    shown = ["*" if _WORD.fullmatch(word) is None or _is_echo(word.encode(), data, words) else word for word in said]
    return " ".join(word for word, before in zip(shown, ["", *shown], strict=False) if word != "*" or before != "*")[:60]


def _is_echo(word: bytes, data: bytes, words: Container[bytes]) -> bool:
    return word in data and word not in words


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """`data` in pieces of `size` octets."""
    return (data[at : at + size] for at in range(0, len(data), size))


def pieces_of(data: bytes) -> int:
    """A size of pieces to cut `data` into, which depends on the data alone."""
    return (1, 2, 3, 5, 7, 64, 1000)[zlib.crc32(data) % 7]
