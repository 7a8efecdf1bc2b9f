"""The lossless tree: printing gives the bytes that were parsed, sections nest, and nothing makes parsing fail."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.config import Container, Leaf, parse_file

DEBIAN = sorted(path for path in Path("/etc/apache2").rglob("*") if path.is_file()) if Path("/etc/apache2").is_dir() else []

NAME = st.sampled_from(["Directory", "IfModule", "Files", "If", "Macro", "Listen", "Options"])
BLANK = st.sampled_from(["", " ", "\t", "   "])
END = st.sampled_from(["\n", "\r\n", "\\\n", " \n", "\n\n"])
LINE = st.one_of(
    st.tuples(BLANK, NAME, st.just(" a b")).map("".join),
    st.tuples(BLANK, st.just("<"), NAME, st.sampled_from([" x>", ">", "", ' "a b">', "> x"])).map("".join),
    st.tuples(BLANK, st.just("</"), NAME, st.sampled_from([">", "", " >"])).map("".join),
    st.tuples(BLANK, st.just("#"), st.text(max_size=5)).map("".join),
    st.text(max_size=8),
)
FILES = st.lists(st.tuples(LINE, END).map("".join)).map("".join)


@pytest.mark.skipif(not DEBIAN, reason="no Apache configuration here")
@pytest.mark.parametrize("path", DEBIAN, ids=str)
def test_debians_files_come_back_as_they_are(path: Path) -> None:
    data = path.read_bytes()
    assert bytes(parse_file(data, str(path))) == data


@given(FILES)
def test_any_file_comes_back_as_it_is(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    assert bytes(parse_file(data, "x")) == data


@given(st.binary())
def test_any_bytes_come_back_as_they_are(data: bytes) -> None:
    assert bytes(parse_file(data, "x")) == data


def test_sections_nest_and_comments_are_nodes() -> None:
    file = parse_file(b'# top\n\n<Directory "/a b">\n  Options None\n  <Files x>\n  </Files>\n</DIRECTORY>\nListen 80\n', "f")
    comment, blank, directory, listen = file.items
    assert isinstance(comment, Leaf) and comment.name == "" and comment.line.text == "# top"
    assert isinstance(blank, Leaf) and blank.line.is_blank
    assert isinstance(directory, Container)
    assert (directory.name, directory.args, str(directory.location)) == ("Directory", '"/a b"', "f:3")
    assert [item.name for item in directory.items] == ["Options", "Files"]
    assert directory.close is not None and str(directory.close.location) == "f:7"
    assert isinstance(listen, Leaf) and (listen.name, listen.args, str(listen.location)) == ("Listen", "80", "f:8")


def test_a_bracket_closes_what_was_left_open_inside() -> None:
    (outer,) = parse_file(b"<A>\n<B>\n</A>\n", "f").items
    assert isinstance(outer, Container) and outer.close is not None
    (inner,) = outer.items
    assert isinstance(inner, Container) and inner.close is None


def test_a_bracket_that_closes_nothing_stays_a_line() -> None:
    (item,) = parse_file(b"</A>\n", "f").items
    assert isinstance(item, Leaf) and item.name == "</A>"


def test_nesting_is_bounded_by_memory_alone() -> None:
    data = b"<A>\n" * 5000 + b"</A>\n" * 5000
    assert bytes(parse_file(data, "f")) == data


def test_brackets_that_close_nothing_are_not_searched_for_in_all_that_is_open() -> None:
    count = 60_000
    data = b"<Open>\n" * count + b"</Other>\n" * count + b"</Open>\n"
    file = parse_file(data, "x")
    assert bytes(file) == data
    (outermost,) = file.items
    assert isinstance(outermost, Container)
    assert outermost.close is None
