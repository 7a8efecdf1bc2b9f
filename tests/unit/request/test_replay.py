"""Kept answers: the date and count in their bytes, and who has to go when there is no room."""

from collections import OrderedDict
from types import SimpleNamespace

from coachwhip.request.replay import Entry, Replay, Spec, Table, _least_used, _second_chance

HEAD = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nKeep-Alive: timeout=5, max=100\r\nX-Date: y\r\n\r\n"
LATER = b"Mon, 23 Nov 2026 10:22:22 GMT"


def entry(head=HEAD, **fields):
    made = Entry(
        wire=head + b"body", file=None, close=False, head=head, request=None, files={},
        spec=Spec(Table(9), (b"", None)), variant=(), size=1, log=(),
    )  # fmt: skip
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_the_date_is_put_in_its_place_and_nowhere_else():
    made = entry(b"HTTP/1.1 200 OK\r\nX-Date: Sun\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
    made.renew(LATER, 0)
    assert made.wire == b"HTTP/1.1 200 OK\r\nX-Date: Sun\r\nDate: " + LATER + b"\r\n\r\nbody"


def test_the_count_of_requests_left_is_put_in_its_place():
    at = HEAD.index(b"100")
    made = entry(left=(at, at + 3))
    for left in (99, 7, 100):
        made.renew(LATER, left)
        assert made.wire == HEAD.replace(b"100", b"%d" % left).replace(HEAD[23:52], LATER) + b"body"
        assert made.length == len(made.wire)


def test_variants_differ_by_the_fields_that_were_read_and_by_the_client_if_it_was():
    spec = Spec(Table(9), (b"", None), ("accept", "connection"))
    assert spec.variant({"accept": "a", "cookie": "c"}, "1.2.3.4") == ("a", None)
    spec.by_client = True
    assert spec.variant({"accept": "a"}, "1.2.3.4") == ("a", None, "1.2.3.4")


def test_a_short_cut_that_leads_elsewhere_by_now_is_nothing_to_the_entry_it_led_to():
    replay, table = Replay(1 << 20), Table(9)
    first, second = entry(), entry()
    for found in (first, second, first, second):
        table.raw.remember(b"head", SimpleNamespace(entry=found))
    assert (first.short_cuts, list(second.short_cuts)) == ({}, [b"head"])
    replay.drop(first)
    assert table.raw[b"head"].entry is second
    replay.drop(second)
    assert not table.raw


def test_the_oldest_that_was_not_asked_for_lately_goes():
    entries = [entry(used=used) for used in (1, 3, 0, 1)]
    queue = OrderedDict.fromkeys(entries)
    assert _second_chance(queue) is entries[2]
    assert [one.used for one in entries] == [0, 0, 0, 1]
    assert list(queue) == [entries[2], entries[3], entries[0], entries[1]]


def test_the_variant_that_was_given_again_the_least_goes_and_use_fades():
    entries = [entry(used=used) for used in (9, 1, 2)]
    assert _least_used(entries) is entries[1]
    assert [one.used for one in entries] == [4, 0, 0]
    assert _least_used(entries) is entries[1]
    assert [one.used for one in entries] == [4, 0, 0]
