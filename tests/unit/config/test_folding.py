"""Folding: the generic overlay equals the naive one, whatever the sections say."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api import Location, Options, Repeat, append, overlay, prepend, setting
from coachwhip.api.core import OptionSet, fold_options
from coachwhip.config import Folded, Folder, Section, SectionKind


@dataclass(frozen=True, slots=True)
class Record:
    plain: int = 7
    appended: tuple[int, ...] = setting((0,), fold=append)
    prepended: tuple[int, ...] = setting((), fold=prepend)
    laid: Mapping[str, int] = setting({"d": 0}, fold=overlay)


NUMBERS = st.integers(0, 5)
SAID = st.fixed_dictionaries(
    {},
    optional={
        "plain": NUMBERS,
        "appended": st.lists(NUMBERS, max_size=3).map(tuple),
        "prepended": st.lists(NUMBERS, max_size=3).map(tuple),
        "laid": st.dictionaries(st.sampled_from("dxyz"), NUMBERS),
    },
)


def section(said: Mapping[str, object], line: int = 1) -> Section:
    made = Section(SectionKind.DIRECTORY, "/", Location("f", line))
    for name, value in said.items():
        made.set(Record, name, value, made.location)
    return made


def naive(all_said: list[dict]) -> Record:
    record = Record()
    for said in all_said:
        record = Record(
            plain=said.get("plain", record.plain),
            appended=(*record.appended, *said.get("appended", ())),
            prepended=(*said.get("prepended", ()), *record.prepended),
            laid={**record.laid, **said.get("laid", {})},
        )
    return record


@given(st.lists(SAID, max_size=5))
def test_folding_equals_the_naive_overlay(all_said: list[dict]) -> None:
    sections = tuple(section(said) for said in all_said)
    assert Folded(sections).get(Record) == naive(all_said)


@given(st.lists(SAID, max_size=5))
def test_sources_are_the_lines_that_count(all_said: list[dict]) -> None:
    sections = tuple(section(said, line) for line, said in enumerate(all_said, 1))
    folded = Folded(sections)
    setting_plain = [line for line, said in enumerate(all_said, 1) if "plain" in said]
    setting_laid = [line for line, said in enumerate(all_said, 1) if "laid" in said]
    assert [source.line for source in folded.sources(Record, "plain")] == setting_plain[-1:]
    assert [source.line for source in folded.sources(Record, "laid")] == setting_laid


def test_a_section_keeps_what_repeats_by_the_rows_rule() -> None:
    made = section({"plain": 1, "appended": (1,), "laid": {"x": 1}})
    made.set(Record, "plain", 2, Location("f", 2))
    made.set(Record, "appended", (2,), Location("f", 2), Repeat.APPEND)
    made.set(Record, "laid", {"y": 2}, Location("f", 2), Repeat.UPDATE)
    assert made.values[Record] == {"plain": 2, "appended": (1, 2), "laid": {"x": 1, "y": 2}}
    assert [len(made.sources[Record, name]) for name in ("plain", "appended", "laid")] == [1, 2, 2]


def test_the_same_sections_are_folded_once_and_the_cache_is_bounded() -> None:
    folder = Folder(limit=2)
    first = (section({"plain": 1}),)
    assert folder.fold(first) is folder.fold(first)
    folder.fold((section({}),))
    kept = folder.fold(first)
    folder.fold((section({}),))
    assert folder.fold(first) is not kept


OPTION_SETS = st.builds(
    OptionSet,
    st.none() | st.sampled_from([Options.NONE, Options.ALL, Options.INDEXES]),
    st.sampled_from([Options.NONE, Options.INDEXES, Options.EXEC_CGI]),
    st.sampled_from([Options.NONE, Options.MULTI_VIEWS, Options.FOLLOW_SYM_LINKS]),
)


@given(OPTION_SETS, OPTION_SETS, OPTION_SETS)
def test_options_fold_in_any_grouping(a: OptionSet, b: OptionSet, c: OptionSet) -> None:
    assert fold_options(fold_options(a, b), c).value == fold_options(a, fold_options(b, c)).value
