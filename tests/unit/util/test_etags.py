"""Entity tags. Tags were recorded from Apache 2.4.71 with each ``FileETag``."""

import pytest

from coachwhip.util.etags import (
    ETagFlag,
    content_digest,
    is_weak,
    make_digest_etag,
    make_etag,
    parse_etag_list,
    strong_match,
    weak_match,
)

I, M, S = ETagFlag.INODE, ETagFlag.MTIME, ETagFlag.SIZE  # noqa: E741


@pytest.mark.parametrize(
    ("flags", "tag"),
    [
        (M | S, b'"7-660edfd8b4423"'),
        (I | M | S, b'"212115-7-660edfd8b4423"'),
        (I, b'"212115"'),
        (S, b'"7"'),
        (M, b'"660edfd8b4423"'),
        (I | S, b'"212115-7"'),
        (ETagFlag.NONE, None),
    ],
)
def test_file_etag(flags: ETagFlag, tag: bytes | None) -> None:
    assert make_etag(7, 1795425137542179, 2171157, flags=flags) == tag


def test_weak_tags_and_suffixes() -> None:
    assert make_etag(50, 1795512997000000, weak=True) == b'W/"32-6610272603340"'
    assert make_etag(7, 1795425137542179, suffix="-gzip") == b'"7-660edfd8b4423-gzip"'


def test_digest_etag() -> None:
    assert make_digest_etag(content_digest(b"FILE-A\n")) == b'"3zKcVYRMYXa6WnJoJaX4ni0m348="'


def test_a_file_is_weak_for_a_second_after_its_change() -> None:
    assert is_weak(10_000_000, 10_700_000)
    assert is_weak(10_000_000, 9_000_000)
    assert not is_weak(10_000_000, 11_300_000)


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (b'"a"', [b'"a"']),
        (b'"a", W/"b" ,"c"', [b'"a"', b'W/"b"', b'"c"']),
        (b'"a,b", "c"', [b'"a,b"', b'"c"']),
        (b',, "a" ,', [b'"a"']),
        (b"", []),
        (b"*", [b"*"]),
        (b'x"a"', [b'x"a"']),
        (b'"a" "b"', [b'"a" "b"']),
        (b'"open, "x"', [b'"open, "x"']),
    ],
)
def test_lists(value: bytes, tags: list[bytes]) -> None:
    assert parse_etag_list(value) == tags


@pytest.mark.parametrize(
    ("value", "etag", "strong", "weak"),
    [
        (b'"a"', b'"a"', True, True),
        (b'W/"a"', b'"a"', False, True),
        (b'"a"', b'W/"a"', False, True),
        (b'W/"a"', b'W/"a"', False, True),
        (b'"x", "a"', b'"a"', True, True),
        (b'"x"', b'"a"', False, False),
        (b'x"a"', b'"a"', False, False),
        (b'"x" "a"', b'"a"', False, False),
        (b"a", b'"a"', False, False),
        (b"", b'"a"', False, False),
    ],
)
def test_comparison(value: bytes, etag: bytes, strong: bool, weak: bool) -> None:
    assert strong_match(value, etag) is strong
    assert weak_match(value, etag) is weak
