"""What a heartbeat says, and the file of them: as Apache's, and strict about numbers."""

from __future__ import annotations

import pytest

from coachwhip.modules.cluster.mod_heartmonitor.beats import (
    MOST_SERVERS,
    SEEN,
    Beat,
    Malformed,
    aged,
    fresh,
    parse_beat,
    parse_lines,
    write_lines,
)

#: A file that Apache 2.4.71 wrote.
APACHES = """\
127.0.0.1 &ready=77&busy=3&lastseen=1&port=80
127.0.0.2 &ready=8&busy=1&lastseen=7&port=80
127.0.0.3 &ready=11&busy=9&lastseen=3&port=8080
"""


@pytest.mark.parametrize(
    ("text", "beat"),
    [
        ("v=1&ready=5&busy=3", Beat("::1", 5, 3)),
        ("v=2&ready=8&busy=1&x=3", Beat("::1", 8, 1)),
        ("v=1&busy=3&ready=%31", Beat("::1", 1, 3)),
        ("v=1&ready=11&busy=9&port=8080", Beat("::1", 11, 9, 8080)),
        ("v=1&ready=11&busy=9&port=99999", Beat("::1", 11, 9, 80)),
        ("v=1&ready=11&busy=9&port=x", Beat("::1", 11, 9, 80)),
    ],
)
def test_messages(text: str, beat: Beat) -> None:
    assert parse_beat(text, "::1") == beat


@pytest.mark.parametrize(
    "text",
    ["", "garbage", "ready=7&busy=1", "v=1&ready=9", "v=1&busy=9", "v=1&ready=x&busy=1", "v=1&ready=1&busy=-4", "v=1&ready=&busy=1",
     "v=1&ready=1&busy=" + "9" * 5000, "v=1&ready=1&busy=٣", "&".join(["v=1&ready=1&busy=1"] * 100)],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(Malformed):
        parse_beat(text, "::1")


def test_a_posted_one_needs_no_version() -> None:
    assert parse_beat("ready=1&busy=2", "::1", needs_version=False) == Beat("::1", 1, 2)


def test_the_file_is_apaches() -> None:
    beats = parse_lines(APACHES, 0)
    assert beats["127.0.0.3"] == Beat("127.0.0.3", 11, 9, 8080, 3)
    assert write_lines(beats) == APACHES


def test_time_goes_on_in_the_file() -> None:
    assert parse_lines(APACHES, 2.5)["127.0.0.2"].age == 9.5


def test_lines_that_are_none_are_left_out() -> None:
    assert list(parse_lines("x\n\n127.0.0.1 &ready=x&busy=3&lastseen=1&port=80\n" + APACHES, 0)) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_the_youngest_of_each_server_counts() -> None:
    ours = {"a": Beat("a", 1, 1, age=4.9), "b": Beat("b", 1, 1, age=9)}
    theirs = {"a": Beat("a", 2, 2, age=4), "b": Beat("b", 2, 2, age=7), "c": Beat("c", 2, 2, age=1)}
    assert {ip: beat.ready for ip, beat in fresh(ours, theirs).items()} == {"a": 1, "b": 2, "c": 2}


def test_servers_that_were_not_heard_of_are_left_out() -> None:
    assert list(fresh({"a": Beat("a", 1, 1, age=SEEN), "b": aged(Beat("b", 1, 1, age=SEEN), 0.1)})) == ["a"]


def test_their_number_is_bounded() -> None:
    assert len(fresh({str(n): Beat(str(n), 1, 1) for n in range(MOST_SERVERS + 10)})) == MOST_SERVERS
