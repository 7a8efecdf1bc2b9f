"""Response fields: the index of names says the same as the list of fields, whatever was done to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.headers import MAX_LENGTH, MAX_NAMES, Headers, HeadersIn
from coachwhip.api.record import Record

NAMES = st.sampled_from(["A", "a", "B", "Set-Cookie", "set-cookie"])
STEPS = st.lists(st.tuples(st.sampled_from(["set", "add", "unset", "merge"]), NAMES, st.sampled_from(["1", "2"])), max_size=12)


def made(steps: list[tuple[str, str, str]]) -> tuple[Headers, list[tuple[str, str]]]:
    """Fields after these steps, and the same steps done on a plain list."""
    fields, plain = Headers(), []
    for step, name, value in steps:
        places = [at for at, (other, _) in enumerate(plain) if other.lower() == name.lower()]
        if step == "unset":
            fields.unset(name)
            plain = [field for at, field in enumerate(plain) if at not in places]
            continue
        getattr(fields, step)(name, value)
        if step == "merge" and places:
            value = f"{plain[places[0]][1]}, {value}"
        if step == "add" or not places:
            plain.append((name, value))
        else:
            plain[places[0]] = (name, value)
            plain = [field for at, field in enumerate(plain) if at not in places[1:]]
    return fields, plain


def check(fields: Headers, plain: list[tuple[str, str]]) -> None:
    assert fields.items() == plain
    for name in ("a", "b", "SET-COOKIE"):
        values = [value for other, value in plain if other.lower() == name.lower()]
        assert (fields.get_all(name), fields.get(name), name in fields) == (values, values[0] if values else None, bool(values))
        only = frozenset((name.lower(),))
        assert fields.has_any(only) is bool(values)
        assert fields.items_but(only) == [field for field in plain if field[0].lower() != name.lower()]
        assert fields.copy().set(name, "x") is not bool(values)


@given(STEPS, STEPS)
def test_any_steps(steps: list[tuple[str, str, str]], more: list[tuple[str, str, str]]) -> None:
    fields, plain = made(steps)
    check(fields, plain)
    check(fields.copy(), plain)
    others, other_plain = made(more)
    names = {name.lower() for name, _ in plain}
    check(fields.over(others), plain + [field for field in other_plain if field[0].lower() not in names])
    both = fields.copy()
    both.add_all(others)
    check(both, plain + other_plain)
    both.set("a", "3")
    both.unset("b")
    check(both, made([("add", name, value) for name, value in plain + other_plain] + [("set", "a", "3"), ("unset", "b", "")])[1])
    check(fields, plain)


@given(st.lists(st.tuples(NAMES, st.text("\x00ÿab", max_size=3)), max_size=6))
def test_fields_from_the_wire_are_those_of_their_text(fields: list[tuple[str, str]]) -> None:
    octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    assert HeadersIn.from_wire(octets, Record()).items() == HeadersIn(fields, Record()).items()


def test_names_are_told_apart_however_many_there_were_before() -> None:
    names = [f"X-{number}" for number in range(MAX_NAMES + 1)] + ["x" * 2 * MAX_LENGTH]
    seen = HeadersIn.from_wire([(name.encode("ascii"), b"1") for name in names], Record())
    out = Headers((name, "1") for name in names)
    for name in names:
        assert seen.get(name.lower()) == seen.get(name.upper()) == out.get(name.lower()) == out.get(name.upper()) == "1"
    assert [name for name, _ in seen.items()] == [name for name, _ in out.items()] == names
