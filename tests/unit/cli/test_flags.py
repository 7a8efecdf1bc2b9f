"""The flags are cut as getopt cuts them, and mean what Apache's manual says."""

import pytest

from coachwhip.cli.flags import FlagsError, parse_flags


def test_values_stand_in_the_next_word_or_in_the_same() -> None:
    flags = parse_flags(["-d", "/a", "-f/b", "-C", "Listen 1", "-cListen 2", "-D", "X", "-DY=z"])
    assert (flags.server_root, flags.config_file) == ("/a", "/b")
    assert (flags.before, flags.after, flags.defines) == (["Listen 1"], ["Listen 2"], ["X", "Y=z"])


def test_flags_may_share_a_dash_with_a_value_at_the_end() -> None:
    flags = parse_flags(["-tTDFOO"])
    assert flags.tests
    assert not flags.check_document_root
    assert flags.defines == ["FOO"]


def test_a_value_may_look_like_a_flag() -> None:
    assert parse_flags(["-D", "-t"]).defines == ["-t"]


def test_S_and_M_are_names_of_dumps() -> None:
    assert parse_flags(["-MS"]).defines == ["DUMP_MODULES", "DUMP_VHOSTS", "DUMP_RUN_CFG"]
    assert parse_flags(["-MS"]).dumps == ["DUMP_VHOSTS", "DUMP_RUN_CFG", "DUMP_MODULES"]


@pytest.mark.parametrize(("words", "page"), [(["-v", "-l"], "v"), (["-lv"], "l"), (["-V", "-v"], "v"), (["-h", "-z"], "h"), (["-?"], "h")])
def test_the_first_page_that_needs_no_configuration_wins(words: list[str], page: str) -> None:
    assert parse_flags(words).page == page


@pytest.mark.parametrize("words", [["-X"], ["-DFOREGROUND"], ["-D", "NO_DETACH"]])
def test_what_stays_in_the_foreground(words: list[str]) -> None:
    assert parse_flags(words).in_foreground
    assert not parse_flags([]).in_foreground


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-z"], "illegal option -- z"),
        (["-tz"], "illegal option -- z"),
        (["-f"], "option requires an argument -- f"),
        (["-k", "foo"], "illegal option -- k"),
        (["-e", "loud"], "-e: loud is none of"),
        (["more"], ""),
        (["-t", "--", "more"], ""),
        (["-"], ""),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], complaint: str) -> None:
    with pytest.raises(FlagsError, match=f"^{complaint}"):
        parse_flags(words)


def test_e_shows_its_level_and_what_is_worse() -> None:
    flags = parse_flags(["-e", "Error"])
    assert [level for level in ("crit", "error", "warn", "debug") if flags.show_level(level)] == ["crit", "error"]
    assert parse_flags(["-e", "trace8"]).show_level("debug")
