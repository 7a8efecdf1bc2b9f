"""`Methods`: what `<Limit>` and `<LimitExcept>` leave of a line, and their unions."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.auth import Methods

NAMES = ["GET", "POST", "PUT", "FOO"]
METHODS = st.builds(Methods, st.frozensets(st.sampled_from(NAMES)), st.booleans())


def test_of_a_line():
    assert "ANY" in Methods.of(SimpleNamespace(limit=None, limit_except=None))
    limited = Methods.of(SimpleNamespace(limit=frozenset({"POST"}), limit_except=None))
    assert "POST" in limited
    assert "GET" not in limited
    rest = Methods.of(SimpleNamespace(limit=None, limit_except=frozenset({"POST"})))
    assert "POST" not in rest
    assert "FOO" in rest


def test_head_is_get():
    for name in ("GET", "HEAD"):
        limited = Methods.of(SimpleNamespace(limit=frozenset({name}), limit_except=None))
        assert "GET" in limited
        assert "HEAD" in limited


@given(METHODS, METHODS, st.sampled_from(NAMES))
def test_a_union_has_what_either_has(one, other, name):
    assert (name in (one | other)) == (name in one or name in other)
