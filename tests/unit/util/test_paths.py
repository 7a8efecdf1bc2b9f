"""Canonical paths. Every answer was recorded from Apache 2.4.71's own functions."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.util.paths import EncodedSlashes, PathError, normalize_path, unescape_path

# target, with MergeSlashes On, with Off; None is 400
NORMALIZED = [
    (b"/", b"/", b"/"),
    (b"/a.txt", b"/a.txt", b"/a.txt"),
    (b"/./a.txt", b"/a.txt", b"/a.txt"),
    (b"//a.txt", b"/a.txt", b"//a.txt"),
    (b"///a//b//", b"/a/b/", b"///a//b//"),
    (b"/%2e/a.txt", b"/a.txt", b"/a.txt"),
    (b"/x/%2e%2e/a.txt", b"/a.txt", b"/a.txt"),
    (b"/x/..%2fa.txt", b"/x/..%2fa.txt", b"/x/..%2fa.txt"),
    (b"/%61.txt", b"/a.txt", b"/a.txt"),
    (b"/a%2etxt", b"/a.txt", b"/a.txt"),
    (b"/a.txt/", b"/a.txt/", b"/a.txt/"),
    (b"/a.txt/..", b"/", b"/"),
    (b"/a.txt/.", b"/a.txt/", b"/a.txt/"),
    (b"/a/b/../../c", b"/c", b"/c"),
    (b"/...", b"/...", b"/..."),
    (b"/.../a", b"/.../a", b"/.../a"),
    (b"/..;/a", b"/..;/a", b"/..;/a"),
    (b"/x;y/../a", b"/a", b"/a"),
    (b"/%252e%252e/a", b"/%252e%252e/a", b"/%252e%252e/a"),
    (b"/%5c..%5ca", b"/%5c..%5ca", b"/%5c..%5ca"),
    (b"/%c0%af", b"/%c0%af", b"/%c0%af"),
    (b"/%7ex", b"/~x", b"/~x"),
    (b"/%7Ex%2D%5F", b"/~x-_", b"/~x-_"),
    (b"/a%20b", b"/a%20b", b"/a%20b"),
    (b"/%3b%3B", b"/%3b%3B", b"/%3b%3B"),
    (b"/a/b/.%2e/.%2E/c/", b"/c/", b"/c/"),
    (b"/.a/..b/c..", b"/.a/..b/c..", b"/.a/..b/c.."),
    (b"/a/..//b", b"/b", b"//b"),
    (b"/a//../b", b"/b", b"/a/b"),
    (b"/a/./../b/.", b"/b/", b"/b/"),
    (b"*", b"*", b"*"),
    (b"/%00", b"/%00", b"/%00"),
    (b"/\xc3\xa9/..", b"/", b"/"),
    (b"/a%2Fb/../c", b"/c", b"/c"),
    (b"/..", None, None),
    (b"/../a.txt", None, None),
    (b"/a/../../a.txt", None, None),
    (b"/%2e%2e/a.txt", None, None),
    (b"/.%2e/a", None, None),
    (b"/x/y/../../../a", None, None),
    (b"/%2E%2E/%2e./.%2E/a", None, None),
    (b"//..", None, b"/"),
    (b"/%zz", None, None),
    (b"/%", None, None),
    (b"/a%", None, None),
    (b"/a%4", None, None),
    (b"/%4g", None, None),
    (b"", None, None),
    (b"a", None, None),
    (b"a/b", None, None),
    (b".", None, None),
    (b"*/", None, None),
]


def normalized(path: bytes, merge_slashes: bool) -> bytes | None:
    try:
        return normalize_path(path, merge_slashes=merge_slashes)
    except PathError as error:
        assert (error.status, error.log_id) == (400, "AH10244")
        return None


@pytest.mark.parametrize(("path", "merged", "unmerged"), NORMALIZED)
def test_normalize(path: bytes, merged: bytes | None, unmerged: bytes | None) -> None:
    assert normalized(path, True) == merged
    assert normalized(path, False) == unmerged


@pytest.mark.parametrize(
    ("path", "result"),
    [(b"a/../../b", b"b"), (b"a/./b", b"a/b"), (b"../x", b"x"), (b"a//b", b"a/b"), (b"/../x", b"/x"), (b"a/..", b"")],
)
def test_relative_paths_stay_below_their_start(path: bytes, result: bytes) -> None:
    assert normalize_path(path, allow_relative=True, allow_above_root=True) == result


def test_encoded_dots_stay_encoded_when_they_were_decoded_before() -> None:
    assert normalize_path(b"/%2e%2e/%zz", decode_unreserved=False) == b"/%2e%2e/%zz"


segments = st.lists(
    st.sampled_from([b"/", b"//", b".", b"..", b"%2e", b"%2E", b"%2f", b"a", b"b;c", b"%41", b"%25", b"%7e", b"*"]), max_size=12
)


@given(segments.map(lambda parts: b"/" + b"".join(parts)), st.booleans())
def test_normalizing_is_idempotent_and_never_leads_above_the_root(path: bytes, merge: bool) -> None:
    try:
        once = normalize_path(path, merge_slashes=merge)
    except PathError:
        return
    assert once.startswith(b"/")
    assert not {b".", b".."} & set(once.split(b"/"))
    assert normalize_path(once, merge_slashes=merge) == once


@given(st.binary())
def test_any_bytes_give_a_path_or_a_path_error(path: bytes) -> None:
    for mode in get_args(EncodedSlashes):
        try:
            unescape_path(normalize_path(path), allow_encoded_slashes=mode)
        except PathError as error:
            assert error.status in (400, 404)


@pytest.mark.parametrize(
    ("raw", "off", "on", "nodecode"),
    [
        (b"/a", b"/a", b"/a", b"/a"),
        (b"/%c3%a9+%20", b"/\xc3\xa9+ ", b"/\xc3\xa9+ ", b"/\xc3\xa9+ "),
        (b"/%25zz%252f", b"/%zz%2f", b"/%zz%2f", b"/%zz%2f"),
        (b"/a%5cb", b"/a\\b", b"/a\\b", b"/a\\b"),
        (b"/a%2fb", 404, b"/a/b", b"/a%2fb"),
        (b"/a%2Fb", 404, b"/a/b", b"/a%2Fb"),
        (b"/a%00", 404, 404, 404),
        (b"/a%zz%2f", 400, 400, 400),
        (b"/a%2f%", 400, 400, 400),
        (b"/a%4", 400, 400, 400),
    ],
)
def test_unescape(raw: bytes, off: bytes | int, on: bytes | int, nodecode: bytes | int) -> None:
    modes: dict[EncodedSlashes, bytes | int] = {"off": off, "on": on, "nodecode": nodecode}
    for mode, answer in modes.items():
        if isinstance(answer, bytes):
            assert unescape_path(raw, allow_encoded_slashes=mode) == answer
        else:
            with pytest.raises(PathError) as caught:
                unescape_path(raw, allow_encoded_slashes=mode)
            assert caught.value.status == answer
