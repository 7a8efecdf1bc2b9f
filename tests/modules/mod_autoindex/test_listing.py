"""Listings, compared with what Apache 2.4.71 wrote for the same settings, names and times (UTC)."""

from __future__ import annotations

import time

import pytest

from coachwhip.api import DirectiveError
from coachwhip.modules.generators.mod_autoindex import MODULE
from coachwhip.modules.generators.mod_autoindex.listing import Entry, natural_key, ordered, view_of
from coachwhip.modules.generators.mod_autoindex.matching import IgnoreFilter, ItemFinder, find_description
from coachwhip.modules.generators.mod_autoindex.render import cut_description, render, size_text
from coachwhip.modules.generators.mod_autoindex.settings import AutoindexDir, IndexOption
from coachwhip.modules.generators.mod_autoindex.titles import title_in
from coachwhip.testing.settings import settings

FOLDER = "/srv/d/"
DAY = 1704164645  # 2024-01-02 03:04:05 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def conf(*sections: str) -> AutoindexDir:
    return settings(MODULE, AutoindexDir, *sections, path=FOLDER)


def html(lines: str, *entries: Entry, query: str | None = None) -> str:
    found = conf(lines)
    view = view_of(found, query)
    return "".join(render(found, view, ordered(entries, view), None))


def names(lines: str, *listed: str, query: str | None = None) -> list[str]:
    view = view_of(conf(lines), query)
    return [entry.name for entry in ordered([Entry(name) for name in listed], view)]


def test_a_plain_list() -> None:
    assert html("", Entry("b b.html"), Entry("a:b"), Entry("/")) == (
        '<ul><li><a href="/"> Parent Directory</a></li>\n'
        '<li><a href="./a:b"> a:b</a></li>\n<li><a href="b%20b.html"> b b.html</a></li>\n</ul>\n'
    )


def test_fancy_lines() -> None:
    assert html("IndexOptions FancyIndexing", Entry("/"), Entry("a.txt", 1, DAY), Entry("sub/", -1, DAY)) == (
        '<pre>      <a href="?C=N;O=D">Name</a>                    <a href="?C=M;O=A">Last modified</a>      '
        '<a href="?C=S;O=A">Size</a>  <a href="?C=D;O=A">Description</a><hr>'
        '      <a href="/">Parent Directory</a>                             -   \n'
        '      <a href="a.txt">a.txt</a>                   2024-01-02 03:04    1   \n'
        '      <a href="sub/">sub/</a>                    2024-01-02 03:04    -   \n<hr></pre>\n'
    )


def test_a_table() -> None:
    assert html("IndexOptions FancyIndexing HTMLTable", Entry("a.txt", 1, DAY)) == (
        '  <table>\n   <tr><th valign="top">&nbsp;</th><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">'
        'Last modified</a></th><th><a href="?C=S;O=A">Size</a></th><th><a href="?C=D;O=A">Description</a></th></tr>\n'
        '   <tr><th colspan="5"><hr></th></tr>\n'
        '<tr><td valign="top">&nbsp;</td><td><a href="a.txt">a.txt</a>                  </td><td align="right">'
        '2024-01-02 03:04  </td><td align="right">  1 </td><td>&nbsp;</td></tr>\n'
        '   <tr><th colspan="5"><hr></th></tr>\n</table>\n'
    )


def test_a_long_name_is_cut_and_marked() -> None:
    line = html("IndexOptions FancyIndexing", Entry("longlonglonglonglonglonglonglong.txt", 1, DAY)).split("\n")[0]
    assert ">longlonglonglonglong..&gt;</a> 2024-01-02 03:04" in line


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (-1, "  - "), (0, "  0 "), (972, "972 "), (973, "1.0K"), (1500, "1.5K"), (10240, " 10K"), (996351, "973K"),
        (996352, "1.0M"), (1500000, "1.4M"),
    ],
)  # fmt: skip
def test_sizes_take_four_characters(size: int, text: str) -> None:
    assert size_text(size) == text


def test_version_sort_counts_as_apache_does() -> None:
    expected = ["é.txt".encode().decode("latin-1"), "s9", "s10"]
    assert names("IndexOptions VersionSort", "s10", "s9", expected[0]) == expected


@pytest.mark.parametrize(("low", "high"), [("a9", "a10"), ("a09", "a9"), ("a01", "a010"), ("x 1", "x2"), ("a", "a1")])
def test_natural_order(low: str, high: str) -> None:
    assert natural_key(low) < natural_key(high)


def test_the_parent_comes_first_whatever_the_order() -> None:
    assert names("", "a", "/", "b", query="C=N;O=D") == ["/", "b", "a"]


def test_a_query_stops_counting_where_it_makes_no_sense() -> None:
    view = view_of(conf(""), "C=S;nonsense;O=D")
    assert (view.key, view.order) == ("S", "A")


def test_column_links_keep_format_version_and_pattern() -> None:
    assert view_of(conf(""), "P=*%3C*.txt;V=1;F=1").kept == ";F=1;V=1;P=*%3c*.txt"


def test_ignore_client_hides_the_query() -> None:
    assert view_of(conf("IndexOptions IgnoreClient"), "C=S;O=D").key == "N"


def test_relative_options_change_the_outer_ones() -> None:
    value = conf("IndexOptions FancyIndexing", "IndexOptions +VersionSort").options.value
    assert value == IndexOption.FANCY_INDEXING | IndexOption.VERSION_SORT


def test_absolute_options_replace_the_outer_ones() -> None:
    assert conf("IndexOptions FancyIndexing", "IndexOptions XHTML").options.value == IndexOption.XHTML


def test_a_relative_option_beside_an_absolute_one_waits_for_an_inner_section() -> None:
    line = "IndexOptions FancyIndexing +HTMLTable"
    assert conf(line).options.value == IndexOption.FANCY_INDEXING
    assert conf(line, "DefaultIcon /x").options.value == IndexOption.FANCY_INDEXING | IndexOption.HTML_TABLE


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("IndexOptions Nonsense", "Invalid directory indexing option"),
        ("IndexOptions None FancyIndexing", "Cannot combine other IndexOptions keywords with 'None'"),
        ("IndexOptions NameWidth=3", "NameWidth value must be greater than 5"),
        ("IndexOptions -IconWidth=3", "Cannot combine '-' with IconWidth=n"),
        ("AddIcon (X,/x .txt", "missing closing paren"),
        ("FancyIndexing On", "The FancyIndexing directive is no longer supported. Use IndexOptions FancyIndexing."),
    ],
)
def test_refused(line: str, message: str) -> None:
    with pytest.raises(DirectiveError) as error:
        conf(line)
    assert error.value.message == message


def test_icons_are_found_by_name_before_type_in_the_order_of_the_lines() -> None:
    found = conf("AddIcon /i/name.gif README\nAddIconByType /i/text.gif text/*\nAddIconByEncoding /i/gz.gif x-gzip")
    finder = ItemFinder(found.icons, FOLDER)
    assert finder.find(FOLDER + "README", "text/plain", path_only=False) == "/i/name.gif"
    assert finder.find(FOLDER + "x.txt", "text/plain", path_only=False) == "/i/text.gif"
    assert finder.find(FOLDER + "x.gz", "text/plain", "x-gzip", path_only=False) == "/i/gz.gif"
    assert finder.find(FOLDER + "sub", path_only=True) is None


def test_index_ignore_compares_whole_names() -> None:
    ignored = IgnoreFilter(conf("IndexIgnore README *~ .??*").ignored.names, FOLDER)
    assert [name for name in ("README", "README.txt", "a~", ".hidden", ".x") if name in ignored] == ["README", "a~", ".hidden"]


def test_descriptions_go_by_containment_or_wildcard() -> None:
    found = conf('AddDescription "text file" *.txt\nAddDescription "has a zed" z')
    assert find_description(found.descriptions, FOLDER + "a.txt") == "text file"
    assert find_description(found.descriptions, FOLDER + "oz") == "has a zed"


def test_a_description_is_cut_at_its_width_without_counting_tags() -> None:
    text = "a <b>desc</b> that &amp; is really rather long for it"
    assert cut_description(conf(""), IndexOption.NOTHING, text) == "a <b>desc</b> that &amp; is reall>"
    assert cut_description(conf("IndexOptions DescriptionWidth=*"), IndexOption.NOTHING, text) == text


def test_a_title_is_one_line_of_plain_bytes() -> None:
    assert title_in(b"<html><TITLE>\nHi\nthere</TITLE>") == "Hi there"
    assert title_in(b"no title") is None
