"""`Table`: keys in any case, in the spelling in which they came first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.table import Table

KEYS = st.sampled_from(["a", "A", "b", "Ab", "aB", "AB"])


def test_the_first_spelling_stays() -> None:
    table = Table({"Name": "1"})
    table["NAME"] = "2"
    assert dict(table) == {"Name": "2"}
    assert (table["name"], table.get("nAme"), "naMe" in table, 5 in table) == ("2", "2", True, False)


def test_absent_keys() -> None:
    table = Table()
    assert (table.get("x"), table.get("x", "y"), table.pop("x", "z")) == (None, "y", "z")
    for act in (table.__getitem__, table.__delitem__, table.pop):
        with pytest.raises(KeyError):
            act("x")


def test_copies_are_independent() -> None:
    table = Table([("a", "1")])
    twin = table.copy()
    twin["A"] = "2"
    table |= {"B": "3"}
    assert (dict(table), dict(twin)) == ({"a": "1", "B": "3"}, {"a": "2"})


@given(st.lists(st.tuples(st.sampled_from(["set", "del", "pop", "default", "update", "clear"]), KEYS, st.text(max_size=2))))
def test_it_is_a_dict_of_lower_case_keys(steps: list[tuple[str, str, str]]) -> None:
    table, model = Table(), dict[str, str]()
    for step, key, value in steps:
        if step == "set":
            table[key] = model[key.lower()] = value
        elif step == "del" and key in table:
            del table[key], model[key.lower()]
        elif step == "pop":
            assert table.pop(key, None) == model.pop(key.lower(), None)
        elif step == "default":
            assert table.setdefault(key, value) == model.setdefault(key.lower(), value)
        elif step == "update":
            table.update({key: value})
            model[key.lower()] = value
        elif step == "clear":
            table.clear()
            model.clear()
        assert {k.lower(): v for k, v in table.items()} == model
        assert len(table) == len(model)
