"""Validators of a file, and what the clock has to do with them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api import phases
from coachwhip.api.module import Module
from coachwhip.api.outcome import Outcome

MakeWorld = Callable[..., Any]
DATE = "Tue, 02 Jan 2024 06:04:05 GMT"


@pytest.mark.parametrize(
    ("config", "tag"),
    [
        ("", '"4-60df04408bf40"'),
        ("FileETag None", None),
        ("FileETag Size", '"4"'),
        ("FileETag -Size", '"60df04408bf40"'),
        ("FileETag Digest", '"lxxBndYJMxND3uEF//0PRgjcC/I="'),
    ],
)
def test_tags(world: MakeWorld, config: str, tag: str | None) -> None:
    w = world(config, {"htdocs/f": "file"})
    os.utime(w.root / "htdocs/f", (1704175445, 1704175445))
    fields = w.ask("/f").fields
    assert (fields["Last-Modified"], fields.get("ETag")) == (DATE, tag)


def test_a_file_that_has_just_changed_has_a_weak_tag_for_a_moment(world: MakeWorld) -> None:
    w = world("", {"htdocs/f": "file"})
    os.utime(w.root / "htdocs/f")
    answer = w.ask("/f")
    assert answer.fields["ETag"].startswith('W/"')
    assert answer.record.volatile is not None


def test_a_file_from_the_future(world: MakeWorld) -> None:
    w = world("", {"htdocs/f": "file"})
    os.utime(w.root / "htdocs/f", (time.time() + 1000,) * 2)
    answer = w.ask("/f")
    assert answer.fields["Last-Modified"] == answer.fields["Date"]
    assert answer.record.volatile is not None


def test_the_tag_of_a_chosen_variant_names_the_list(world: MakeWorld) -> None:
    """It lacks its last quotation mark, as Apache's does; so no entity tag of a client equals it."""
    made = Module("probe_module", "mod_probe.c", replayable=True)

    @made.hook(phases.fixups)
    def choose(r: Any) -> Outcome:
        r.vlist_validator = "list"
        return Outcome.OK

    w = world("", {"htdocs/f": "file"}).add(made)
    tag = w.ask("/f").fields["ETag"]
    assert tag.endswith(";list")
    assert w.ask("/f", {"If-None-Match": tag + '"'}).status == 200


@pytest.mark.parametrize(
    ("line", "fields", "status"),
    [
        ("/f", {"If-None-Match": "{tag}"}, 304),
        ("HEAD /f", {"If-None-Match": '"other", {tag}'}, 304),
        ("POST /f", {"If-None-Match": "{tag}"}, 412),
        ("/f", {"If-Match": '"other"'}, 412),
        ("/f", {"If-Modified-Since": "{date}"}, 304),
        ("/f", {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 412),
        ("/f", {"If-Range": "{tag}", "Range": "bytes=0-0"}, 206),
        ("/f", {"If-Range": '"other"', "Range": "bytes=0-0"}, 200),
    ],
)
def test_conditions(world: MakeWorld, line: str, fields: dict[str, str], status: int) -> None:
    w = world("", {"htdocs/f": "file"})
    plain = w.ask("/f").fields
    filled = {k: v.replace("{tag}", plain["ETag"]).replace("{date}", plain["Last-Modified"]) for k, v in fields.items()}
    answer = w.ask(line, filled)
    assert answer.status == status
    # The validators go out even where the body does not (RFC 9110 §15.4.5).
    assert answer.fields["ETag"] == plain["ETag"]
    assert answer.record.volatile is None


def test_a_date_in_the_future_is_not_replayed(world: MakeWorld) -> None:
    answer = world("", {"htdocs/f": "file"}).ask("/f", {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"})
    assert answer.record.volatile == "date in the future"


def test_content_md5(world: MakeWorld) -> None:
    assert world("ContentDigest On", {"htdocs/f": "file"}).ask("/f").fields["Content-MD5"] == "jH3ZIq1HSU/ALDiOEsAOrA=="
