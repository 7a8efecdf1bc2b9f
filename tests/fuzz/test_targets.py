"""A short piece of every search of `python -m fuzz`: the seeds, some mutations and some cases of the grammar."""

import pytest
from fuzz.search import search_apart
from fuzz.target import escaped, seeds, unescaped
from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_no_case_of_a_short_search_is_a_fault(name):
    outcome = search_apart(TARGETS[name], 400, seed=11)
    assert outcome.found is None, f"{outcome.found.story}\n{escaped(outcome.found.data)}"
    assert outcome.cases == 400
    assert len(outcome.kinds) > 8, "hardly anything but one kind of end was met"


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_written_as_they_are_read(name):
    cases = seeds(name)
    assert cases
    assert [unescaped(escaped(case)) for case in cases] == cases
