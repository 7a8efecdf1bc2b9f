"""Small changes of bytes: what a search makes new cases with. Knows nothing of what the bytes mean but a list of words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

__all__ = ["mutate"]

#: Octets that parsers stumble over.
_ODD = bytes(range(33)) + b"\x7f\x80\x85\xa0\xad\xc0\xe2\xff%/\\.:;,<>\"'$#*?-+=&{}()[]"
_NUMBERS = (
    b"0", b"-1", b"+1", b"00", b"1e9", b"0x10", b"1_0", b"\xb2", b"\xd9\xa1", b"65535", b"65536", b"2147483647", b"2147483648",
    b"4294967296", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"9" * 40, b"1" * 4400,
)  # fmt: skip
_DIGITS = re.compile(rb"[0-9]+")

Words = Sequence[bytes]
Corpus = Sequence[bytes]


def _span(chance: random.Random, data: bytes) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 1, 2, 4, 8, 16, 64)))


def _change(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes((chance.choice(_ODD),)) + data[at + 1 :]


def _insert(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + (bytes((chance.choice(_ODD),)) if chance.random() < 0.5 else chance.randbytes(1)) + data[at:]


def _delete(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _word(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + chance.choice(words) + data[start if chance.random() < 0.7 else end :]


def _repeat(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[start:end] * chance.choice((2, 2, 3, 10, 100, 1000)) + data[end:]


def _move(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    start, end = _span(chance, data)
    rest = data[:start] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def _number(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    found = list(_DIGITS.finditer(data))
    if not found:
        return _word(chance, data, words, corpus)
    start, end = chance.choice(found).span()
    return data[:start] + chance.choice(_NUMBERS) + data[end:]


def _case(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[start:end].swapcase() + data[end:]


def _splice(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    other = chance.choice(corpus)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _cut(chance: random.Random, data: bytes, words: Words, corpus: Corpus) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


_WAYS: tuple[Callable[[random.Random, bytes, Words, Corpus], bytes], ...] = (
    _change, _change, _insert, _insert, _delete, _delete, _word, _word, _word, _repeat, _move, _number, _case, _splice, _splice, _cut,
)  # fmt: skip


def mutate(chance: random.Random, data: bytes, words: Words, corpus: Corpus, longest: int) -> bytes:
    """`data` with some small changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
        data = chance.choice(_WAYS)(chance, data, words, corpus)[:longest]
    return data
