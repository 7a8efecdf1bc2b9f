"""What is asked: every URL of a scenario, and for each the whole matrix of request headers.

`targets` walks the trees; `first_questions` are those that need no knowledge of the answer; `further_questions`
(conditional and range requests) are built from the validators in *Apache's* answers, so both servers get the same
bytes. The matrix is the two tables below; nothing else decides what is sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from conformance.answers import Answer
from conformance.asking import Question
from conformance.manual_site import Tree

Fields = tuple[tuple[bytes, bytes], ...]

LANGUAGES: tuple[bytes, ...] = (b"", b"fr", b"de;q=0.8, ja, en;q=0.5", b"pt-BR", b"*", b"xx")
GZIP = (b"Accept-Encoding", b"gzip")
LISTING_QUERIES = (b"C=N;O=D", b"C=M;O=A", b"C=S;O=D", b"C=D;O=A", b"F=0", b"F=1", b"F=2", b"P=*.html", b"V=1", b"x=<y>")

LONG_AGO = b"Sat, 29 Oct 1994 19:43:31 GMT"
FAR_AHEAD = b"Fri, 01 Jan 2038 00:00:00 GMT"


@dataclass(frozen=True, slots=True)
class _Validators:
    """What the plain answer, and the one to those who take gzip, offered to be conditional on."""

    etag: bytes
    packed_etag: bytes
    modified: bytes


Row = tuple[str, bytes, Callable[[_Validators], Fields]]

# category, method, header fields made from the validators of the answer to a plain GET.
_CONDITIONAL: tuple[Row, ...] = (
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", v.etag),)),
    ("if-none-match", b"HEAD", lambda v: ((b"If-None-Match", v.etag),)),
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", b"W/" + v.etag),)),
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", b'"other", ' + v.etag),)),
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", b"*"),)),
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", b'"other"'),)),
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", v.etag), GZIP)),
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", v.packed_etag), GZIP)),
    ("if-none-match", b"GET", lambda v: ((b"If-None-Match", b'"other"'), (b"If-Modified-Since", v.modified))),
    ("if-modified-since", b"GET", lambda v: ((b"If-Modified-Since", v.modified),)),
    ("if-modified-since", b"HEAD", lambda v: ((b"If-Modified-Since", v.modified),)),
    ("if-modified-since", b"GET", lambda v: ((b"If-Modified-Since", v.modified), GZIP)),
    ("if-modified-since", b"GET", lambda v: ((b"If-Modified-Since", LONG_AGO),)),
    ("if-modified-since", b"GET", lambda v: ((b"If-Modified-Since", FAR_AHEAD),)),
    ("if-modified-since", b"GET", lambda v: ((b"If-Modified-Since", b"yesterday"),)),
    ("if-match", b"GET", lambda v: ((b"If-Match", b'"other"'),)),
    ("if-match", b"GET", lambda v: ((b"If-Match", v.etag),)),
    ("if-match", b"GET", lambda v: ((b"If-Match", b"*"),)),
    ("if-match", b"HEAD", lambda v: ((b"If-Match", b'"other"'),)),
    ("if-unmodified-since", b"GET", lambda v: ((b"If-Unmodified-Since", LONG_AGO),)),
    ("if-unmodified-since", b"GET", lambda v: ((b"If-Unmodified-Since", v.modified),)),
)

_RANGES: tuple[Row, ...] = (
    ("range-one", b"GET", lambda v: ((b"Range", b"bytes=0-99"),)),
    ("range-one", b"GET", lambda v: ((b"Range", b"bytes=0-99"), GZIP)),
    ("range-one", b"HEAD", lambda v: ((b"Range", b"bytes=0-99"),)),
    ("range-one", b"GET", lambda v: ((b"Range", b"bytes=50-"),)),
    ("range-suffix", b"GET", lambda v: ((b"Range", b"bytes=-50"),)),
    ("range-suffix", b"GET", lambda v: ((b"Range", b"bytes=-999999999"),)),
    ("range-multi", b"GET", lambda v: ((b"Range", b"bytes=0-0,5-9,-5"),)),
    ("range-multi", b"GET", lambda v: ((b"Range", b"bytes=20-29,0-9"),)),
    ("range-overlap", b"GET", lambda v: ((b"Range", b"bytes=0-50,40-90,60-70"),)),
    ("range-unsatisfiable", b"GET", lambda v: ((b"Range", b"bytes=999999999-"),)),
    ("range-bad", b"GET", lambda v: ((b"Range", b"bytes=9-0"),)),
    ("range-bad", b"GET", lambda v: ((b"Range", b"lines=0-9"),)),
    ("if-range", b"GET", lambda v: ((b"Range", b"bytes=0-9"), (b"If-Range", v.etag))),
    ("if-range", b"GET", lambda v: ((b"Range", b"bytes=0-9"), (b"If-Range", b'"other"'))),
    ("if-range", b"GET", lambda v: ((b"Range", b"bytes=0-9"), (b"If-Range", v.modified))),
    ("if-range", b"GET", lambda v: ((b"Range", b"bytes=0-9"), (b"If-Range", LONG_AGO))),
)


def targets(trees: Sequence[Tree]) -> Iterator[bytes]:
    """Yield the request targets of a scenario: every file and folder, and the names that are only negotiated."""
    for tree in trees:
        seen: set[bytes] = set()
        for target in _targets_of(tree):
            if target not in seen:
                seen.add(target)
                yield target


def _targets_of(tree: Tree) -> Iterator[bytes]:
    for folder, folders, names in os.walk(os.fsencode(tree.folder)):
        folders.sort()
        below = os.path.relpath(folder, os.fsencode(tree.folder))
        path = tree.url.encode() + (b"" if below == b"." else b"/" + quote(below).encode())
        yield path
        yield path + b"/"
        yield path + b"/no-such-file"
        for name in sorted(names):
            yield path + b"/" + quote(name).encode()
            if tree.is_negotiated:
                yield from _negotiated(tree, path, name)


def _negotiated(tree: Tree, path: bytes, name: bytes) -> Iterator[bytes]:
    """The shorter names of `core.html.fr.utf8`, and one below a language prefix."""
    stem, dot, suffixes = name.partition(b".html.")
    if not dot:
        return
    base = quote(stem).encode()
    language = suffixes.partition(b".")[0]
    yield path + b"/" + base
    yield path + b"/" + base + b".html"
    yield path + b"/" + base + b"." + language
    yield path + b"/" + base + b".html." + language
    prefix = tree.url.encode()
    yield prefix + b"/fr" + path[len(prefix) :] + b"/" + base + b".html"


def first_questions(target: bytes) -> list[Question]:
    """Every Accept-Language with and without gzip, as GET and HEAD; the listing queries for a folder."""
    questions = []
    for language in LANGUAGES:
        for coding in (False, True):
            fields: Fields = ((b"Accept-Language", language),) if language else ()
            fields += (GZIP,) if coding else ()
            category = f"plain{' language' if language else ''}{' gzip' if coding else ''}"
            questions += [Question(category, method, target, fields) for method in (b"GET", b"HEAD")]
    if target.endswith(b"/"):
        questions += [Question("listing query", b"GET", target + b"?" + query) for query in LISTING_QUERIES]
    questions.append(Question("options", b"OPTIONS", target))
    return questions


def further_questions(target: bytes, plain: Answer, packed: Answer) -> list[Question]:
    """Conditional and range requests about a resource that gave `plain`, and `packed` to those who take gzip.

    None when the plain answer is no 200.
    """
    if plain.status != 200:
        return []
    etag, packed_etag = (answer.get(b"etag") or b'"none"' for answer in (plain, packed))
    validators = _Validators(etag, packed_etag, plain.get(b"last-modified") or LONG_AGO)
    rows = _CONDITIONAL + _RANGES
    return [Question(category, method, target, fields(validators)) for category, method, fields in rows]
