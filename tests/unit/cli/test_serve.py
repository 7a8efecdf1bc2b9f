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


def refusal(monkeypatch: pytest.MonkeyPatch, uid: int, *words: str) -> str:
    """What a user with this number is told instead of being served; "" if nothing."""
    monkeypatch.setattr(serve.os, "geteuid", lambda: uid)
    return serve._wrong_with_user(serve._parser().parse_args(list(words)))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_root_may_serve_himself(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, 0, "--host", host) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.test"])
def test_root_must_say_that_he_means_to_serve_others(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--allow-root" in refusal(monkeypatch, 0, "--host", host)
    for told in (["--allow-root"], ["--user", "nobody"]):
        assert refusal(monkeypatch, 0, "--host", host, *told) == ""
    assert refusal(monkeypatch, 1000, "--host", host) == ""


def test_only_root_becomes_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "only root" in refusal(monkeypatch, 1000, "--user", "nobody")


def test_a_user_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(serve.os, "geteuid", lambda: 0)
    assert serve.run(["--user", "no such name"]) == 1
    assert capsys.readouterr().err == "coachwhip serve: AH00543: httpd: bad user name no such name\n"
