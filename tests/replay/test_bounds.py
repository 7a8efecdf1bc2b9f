"""What replay may take, and what clients cannot take from each other."""

import contextlib
import itertools
import os
import resource
import tracemalloc

import pytest
from places import OLD, get, settle, warm

from coachwhip.request import replay as replay_room

GRANTED = "MaxKeepAliveRequests 0\n<Directory {root}/htdocs>\nAllowOverride All\nOptions +Indexes +FollowSymLinks\n</Directory>\n"


@pytest.fixture
def pages(place):
    for number in range(40):
        place.write(f"htdocs/{number}.txt", f"page {number}\n")
    settle()
    return place


def open_files(place):
    """How many descriptors of this process lead into the site's documents."""
    count = 0
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/self/fd/{fd}").startswith(f"{place.root}/htdocs/")
    return count


def attack(place, config, requests, every):
    """Send many requests, one of a good client among so many; returns the server, and how often the good client got no replay."""
    server = place.serve(GRANTED + config)
    good, bad = server.line(), server.line()
    warm(good, get("/0.txt", "User-Agent: good"))
    misses = 0
    for number, request in enumerate(requests):
        bad.ask(request)
        if number % every == 0:
            before = server.hits
            good.ask(get("/0.txt", "User-Agent: good"))
            misses += server.hits == before
    return server, misses


def test_ever_new_values_of_a_header_that_counts_cost_others_no_hit(pages):
    requests = (get("/0.txt", f'If-None-Match: "{number:040d}"') for number in range(10_000))
    server, misses = attack(pages, "", requests, every=20)
    assert misses == 0
    assert server.replay.count < 10, "what never came back was kept"


def test_values_that_come_back_cost_others_no_hit_and_no_more_than_the_variants_allowed(pages):
    values = itertools.chain.from_iterable(itertools.repeat(number, 3) for number in range(2_000))
    requests = (get("/0.txt", f'If-None-Match: "{number:040d}"') for number in values)
    server, misses = attack(pages, "ReplayVariants 8\n", requests, every=7)
    assert misses <= 2
    assert server.replay.count <= 8
    assert server.replay.counters.evictions > 1_000


def test_ever_new_urls_cost_others_no_hit_and_no_memory(pages):
    requests = (get(f"/0.txt?{number:0200d}") for number in range(10_000))
    server, misses = attack(pages, "", requests, every=20)
    assert misses == 0
    assert server.replay.count < 10
    assert sum(len(table.specs) for table in server.replay._tables.values()) < 10


def test_an_answer_that_is_larger_than_all_memory_for_answers_is_not_kept(pages):
    pages.write("htdocs/large.txt", b"x" * 30_000)
    server = pages.serve(GRANTED + "ReplayMemory 20K\n")
    line = server.line()
    warm(line, get("/0.txt"), times=4)
    assert server.hits == 2
    assert warm(line, get("/large.txt"), times=4).endswith(b"x")
    assert server.hits == 2
    assert server.replay.count == 1, "what had room must stay"


def test_memory_is_bounded_and_what_is_asked_for_stays(pages):
    limit = 200_000
    urls = itertools.chain.from_iterable(itertools.repeat(number, 2) for number in range(1_500))
    server, misses = attack(pages, f"ReplayMemory {limit}\n", (get(f"/1.txt?{number}") for number in urls), every=5)
    assert server.replay.memory <= limit
    assert server.replay.counters.evictions > 1_000
    assert misses <= 2


def test_what_an_entry_costs_is_counted_in_full(pages):
    server = pages.serve(GRANTED)
    line = server.line()
    for number in range(40):
        warm(line, get(f"/{number}.txt"))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    counted = server.replay.memory
    for number in range(1_000):
        warm(line, get(f"/{number % 40}.txt?{number}"), times=2)
    assert server.replay.count == 1_040
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert taken < 1.2 * (server.replay.memory - counted)


def test_kept_answers_in_memory_hold_no_file_open(pages):
    server = pages.serve(GRANTED)
    line = server.line()
    for number in range(40):
        warm(line, get(f"/{number}.txt"))
    assert server.replay.count == 40
    assert open_files(pages) <= 1


def test_files_held_open_by_kept_answers_are_few(pages, monkeypatch):
    monkeypatch.setattr("coachwhip.request.replay.MAX_FILES", 5)
    server = pages.serve(GRANTED + "ReplayMaxBody 1\n")
    line = server.line()
    for number in range(40):
        assert warm(line, get(f"/{number}.txt")).endswith(b"\r\n\r\npage %d\n" % number)
    assert server.hits == 40
    assert server.replay.count == 5
    assert open_files(pages) <= 6


@pytest.mark.parametrize(("limit", "most"), [(64, 8), (3, 1), (1024, 128), (1 << 20, 256), (resource.RLIM_INFINITY, 256)])
def test_kept_answers_take_a_small_share_of_the_descriptors(monkeypatch, limit, most):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    assert replay_room.Replay(1 << 20)._most_files == most


def test_a_file_that_is_not_small_goes_out_from_itself_while_few_files_are_open(pages, monkeypatch):
    monkeypatch.setattr("coachwhip.request.replay.MAX_FILES", 2)
    contents = [os.urandom(replay_room.SENDFILE_SIZE) for _ in range(4)]
    for number, content in enumerate(contents):
        pages.write(f"htdocs/{number}.bin", content)
    settle()
    server = pages.serve(GRANTED)
    line = server.line()
    assert all(warm(line, get(f"/{number}.bin")).endswith(content) for number, content in enumerate(contents))
    assert (server.hits, server.replay.count) == (4, 4)
    kept = server.replay._entries
    assert [entry.file is not None for entry in kept] == [True, True, False, False]
    assert [len(entry.wire) > replay_room.SENDFILE_SIZE for entry in kept] == [False, False, True, True]


def test_files_are_let_go_of_when_descriptors_are_short(pages):
    server = pages.serve(GRANTED + "ReplayMaxBody 1\n")
    line = server.line()
    for number in range(10):
        warm(line, get(f"/{number}.txt"))
    assert (server.replay.count, open_files(pages)) == (10, 10)
    server.replay.close_files()
    assert server.replay.count == 0
    # The hot path still has what it found last.
    assert open_files(pages) <= 1
    assert warm(line, get("/1.txt")).endswith(b"page 1\n")


@pytest.mark.parametrize("use_uvloop", [True, False], ids=["uvloop", "asyncio"])
@pytest.mark.parametrize("field", ["X: 1", "Connection: close", "Connection: keep-alive"])
def test_a_large_file_keeps_its_head_and_goes_out_from_the_open_file(place, field, use_uvloop):
    content = os.urandom(3_000_000)
    path = place.write("htdocs/large.txt", content)
    settle()
    server = place.serve(GRANTED, use_uvloop=use_uvloop)
    for _ in range(4):
        line = server.line()
        line.ask(get("/none"))
        answer = line.ask(get("/large.txt", field))
        assert answer.partition(b"\r\n\r\n")[2] == content
        assert line.is_over() is (field == "Connection: close")
        if field != "Connection: close":
            assert line.ask(get("/large.txt", field)).endswith(content[-1000:])
    assert server.hits >= 2
    assert server.replay.memory < 100_000
    assert (len(content), OLD) == (os.path.getsize(path), int(os.path.getmtime(path)))


def test_a_range_of_a_sparse_file_of_a_gibibyte_and_its_head_are_replayed(place):
    path = place.write("htdocs/huge.txt", "")
    os.truncate(path, 1 << 30)
    os.utime(path, (OLD, OLD))
    settle()
    server = place.serve(GRANTED)
    line = server.line()
    assert b"\r\nContent-Length: 1073741824\r\n" in warm(line, get("/huge.txt", method="HEAD"))
    assert warm(line, get("/huge.txt", "Range: bytes=1073000000-1073100000")).endswith(b"\0" * 100_001)
    assert server.hits == 2


def test_a_large_body_that_is_no_file_is_not_kept_and_the_reason_is_counted(place):
    place.write("htdocs/large.txt", b"x" * 5_000)
    settle()
    server = place.serve(GRANTED + "ReplayMaxBody 10\nSetOutputFilter DEFLATE\n")
    warm(server.line(), get("/large.txt", "Accept-Encoding: gzip"))
    assert server.hits == 0
    assert set(server.replay.counters.volatile) <= {"body too large", "body made while it is sent"}
    assert server.replay.counters.volatile


def test_a_listing_of_very_many_names_is_not_kept_and_the_reason_is_counted(place, monkeypatch):
    monkeypatch.setattr("coachwhip.request.files.MAX_LOOKS", 20)
    for number in range(30):
        place.write(f"htdocs/many/{number}.txt", b"x")
    settle()
    server = place.serve(GRANTED + "Options Indexes\n")
    line = server.line()
    answer = warm(line, get("/many/"))
    assert answer.count(b'.txt"') == 30
    assert server.hits == 0
    assert server.replay.counters.volatile.get("too many files")
