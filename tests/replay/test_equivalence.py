"""Replay on equals replay off: a short piece of `python -m fuzz.equivalence`."""

from fuzz.equivalence import Tally, search


def test_replay_answers_as_the_server_without_it_does():
    Tally.hits = Tally.asked = Tally.ready = 0
    search(300, derandomize=True)
    assert Tally.hits > Tally.asked / 20, "hardly anything was answered by replay, so nothing was compared"
    assert Tally.ready > Tally.hits / 20, "hardly any replay went the shortest way, so that was not compared"
