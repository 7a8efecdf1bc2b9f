"""Small tables whose keys compare without case and keep their first spelling."""

from coachwhip.util.tables import find, put, remove


def test_keys_compare_without_case():
    table = {"Foo": "1"}
    assert (find(table, "Foo"), find(table, "fOO"), find(table, "bar")) == ("1", "1", None)


def test_the_first_spelling_stays():
    table = {"Foo": "1"}
    put(table, "FOO", "2")
    put(table, "bar", "3")
    assert table == {"Foo": "2", "bar": "3"}


def test_removing():
    table = {"Foo": "1", "bar": "2"}
    remove(table, "foo")
    remove(table, "none")
    assert table == {"bar": "2"}
