"""`.htaccess` files on the way: when they are looked for, when they are read again, and what a bad one does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.hooks import NeedsThread
from coachwhip.request import htaccess

MakeWorld = Callable[..., Any]
ALL = '<Directory "{root}/htdocs">\nAllowOverride All\n</Directory>\n'


def test_deeper_files_win(world: MakeWorld) -> None:
    files = {"htdocs/.htaccess": "ForceType text/x-flat", "htdocs/d/.htaccess": "ForceType text/x-deep", "htdocs/d/f": "", "htdocs/f": ""}
    w = world(ALL, files)
    assert [w.ask(t).fields["Content-Type"] for t in ("/f", "/d/f")] == ["text/x-flat", "text/x-deep"]


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ("", 500),
        ("<Directory />\nAllowOverride None\n</Directory>", 200),
        ("<Directory />\nAllowOverride AuthConfig\n</Directory>", 500),
        ("<Directory />\nAllowOverride FileInfo\n</Directory>", 200),
        ("<Directory />\nAllowOverride None\nAllowOverrideList ForceType\n</Directory>", 200),
        ("<Directory />\nAllowOverride Nonfatal=Override\n</Directory>", 200),
    ],
)
def test_what_may_be_said(world: MakeWorld, config: str, status: int) -> None:
    """Without any AllowOverride the file is looked for and all in it refused, as in Apache."""
    assert world(config, {"htdocs/.htaccess": "ForceType text/x-a", "htdocs/f": ""}).ask("/f").status == status


def test_a_mistake_ends_the_request_and_is_told_to_the_log_alone(world: MakeWorld) -> None:
    answer = world(ALL, {"htdocs/.htaccess": "Nonsense secret", "htdocs/f": ""}).ask("/f")
    assert (answer.status, answer.log) == (500, ["core:1"])
    assert b"Nonsense" not in answer.body


def test_a_changed_file_counts_at_once(world: MakeWorld) -> None:
    w = world(ALL, {"htdocs/.htaccess": "ForceType text/x-a", "htdocs/f": ""})
    path = w.root / "htdocs/.htaccess"
    seen = []
    for name in "abca":
        path.write_text(f"ForceType text/x-{name}")
        seen.append(w.ask("/f").fields["Content-Type"])
    path.unlink()
    assert seen == ["text/x-a", "text/x-b", "text/x-c", "text/x-a"]
    assert "Content-Type" not in w.ask("/f").fields


def test_an_unchanged_file_is_parsed_once(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = world(ALL, {"htdocs/.htaccess": "ForceType text/x-a", "htdocs/f": ""})
    first = w.ask("/f").r.sections
    assert w.ask("/f").r.sections != first, "a change in the same tick of the clock could go unseen"
    monkeypatch.setattr(htaccess, "is_settled_time", lambda seen, looked: True)
    kept = w.ask("/f").r.sections
    assert w.ask("/f").r.sections == kept


def test_what_is_no_file_keeps_everybody_out(world: MakeWorld) -> None:
    """Fail closed: a folder or a pipe of that name may hide the rules."""
    answer = world(ALL, {"htdocs/.htaccess/x": "", "htdocs/f": ""}).ask("/f")
    assert (answer.status, answer.log) == (403, ["core:2 AH00529"])


def test_the_first_name_that_exists_is_read(world: MakeWorld) -> None:
    config = ALL + "AccessFileName .one .two\n"
    w = world(config, {"htdocs/.two": "ForceType text/x-two", "htdocs/f": ""})
    assert w.ask("/f").fields["Content-Type"] == "text/x-two"
    (w.root / "htdocs/.one").write_text("ForceType text/x-one")
    assert w.ask("/f").fields["Content-Type"] == "text/x-one"


def test_a_long_file_is_parsed_on_a_thread(world: MakeWorld) -> None:
    w = world(ALL, {"htdocs/.htaccess": "ForceType text/x-long\n" + "# long\n" * 3_000, "htdocs/f": ""})
    r, _ = w.begin("/f")
    r.may_block = False
    with pytest.raises(NeedsThread):
        next(w.pipeline.answer(r))
    assert w.ask("/f").fields["Content-Type"] == "text/x-long"
