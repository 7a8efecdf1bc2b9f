"""mod_hello, asked over HTTP: a real server from a configuration string."""

import sys
from pathlib import Path

import pytest

from coachwhip.testing import Site, StartFailed

HERE = str(Path(__file__).parent)
COMMAND = [sys.executable, "-m", "coachwhip", "httpd"]
LOAD = "LoadModule hello_module python:hello\n"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", HERE)


def ask(config, target, method="GET"):
    with Site(config=LOAD + config).start(COMMAND) as site:
        return site.ask(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())


def test_it_greets_with_the_words_of_the_configuration():
    answer = ask('<Location "/hello">\nSetHandler hello\nHelloGreeting "Good day"\n</Location>\n', "/hello?name=you")
    assert (answer.status, answer.body) == (200, b"<p>Good day, you!</p>\n")


def test_an_inner_section_changes_one_setting_and_keeps_the_other():
    config = (
        '<Location "/">\nSetHandler hello\nHelloGreeting "Good day"\n</Location>\n<Location "/loud">\nHelloShout On\n</Location>\n'
    )
    assert ask(config, "/loud").body == b"<p>GOOD DAY, WORLD!</p>\n"


def test_what_a_client_sends_is_escaped():
    assert b"<b>" not in ask('<Location "/hello">\nSetHandler hello\n</Location>\n', "/hello?name=<b>").body


def test_another_method_is_refused():
    answer = ask('<Location "/hello">\nSetHandler hello\n</Location>\n', "/hello", "DELETE")
    assert answer.status == 405


def test_a_mistake_is_reported_with_its_line():
    with pytest.raises(StartFailed) as refused, Site(config=LOAD + 'HelloGreeting "..."\n') as site:
        site.start(COMMAND)
    assert "line 2 of" in str(refused.value)
    assert "does not greet anybody" in str(refused.value)
