"""`coachwhip serve`: any folder by any name, and errors that say what to type instead."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.cli import serve
from coachwhip.mpm.listeners import BindError
from coachwhip.util.paths import fnmatch, is_fnmatch
from coachwhip.util.words import cut_words

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).map(lambda name: f"/{name}")


@given(NAMES)
def test_a_path_survives_the_quotes(path: str) -> None:
    assert cut_words(f'"{serve.quoted(path)}"') == [path]


@given(NAMES)
def test_the_pattern_of_a_path_matches_it_and_no_neighbour(path: str) -> None:
    (word,) = cut_words(f'"{serve.pattern(path)}"')
    if is_fnmatch(word):
        assert fnmatch(word, path, pathname=True)
        assert not fnmatch(word, f"{path}x", pathname=True)
    else:
        assert word == path


@pytest.mark.parametrize("words", [["--port", "0"], ["--port", "65536"], ["--port", "x"], ["--port", "１"]])
def test_a_port_is_a_number(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        serve.run(words)
    assert leaving.value.code == 2
    assert "is no port: a number from 1 to 65535 is" in capsys.readouterr().err


def test_what_is_no_folder_is_named_without_control_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.run([f"{tmp_path}/no\x1b[31m"]) == 1
    assert capsys.readouterr().err == f"coachwhip serve: '{tmp_path}/no\\x1b[31m' is not a folder\n"


def test_a_port_in_use_comes_with_one_that_is_free(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        text = serve._explain(BindError(errno.EADDRINUSE, "x"), "127.0.0.1", taken)
    said, _, free = text.rpartition(" ")
    assert said == f"port {taken} is in use by another program; try --port"
    assert int(free) > taken


def test_an_address_of_another_machine() -> None:
    text = serve._explain(BindError(errno.EADDRNOTAVAIL, "x"), "192.0.2.1", 80)
    assert text == "192.0.2.1 is no address of this machine; try --host 127.0.0.1"
