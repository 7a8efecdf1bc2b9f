"""One request at work: bodies, 100 Continue, tasks, threads, faults. RFC 9110 §10.1.1, RFC 9112 §6 and §7, then what is ours."""

import gc
import os
import socket
import struct

from coachwhip.api.request import Request
from coachwhip.request import pipeline

THREAD = "LoadModule trial_thread_module python:coachwhip_trial_thread\n<Location /thread>\nSetHandler t-thread-echo\n</Location>"
GET = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(target: str, *fields: str, body: bytes = b"") -> bytes:
    lines = "".join(f"{field}\r\n" for field in ("Host: localhost", *fields))
    return f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode() + body


# RFC 9110 §10.1.1: Expect


def test_100_is_sent_when_the_body_is_wanted(inside):
    line = inside.line()
    assert line.ask(post("/a.txt", "Expect: 100-continue", "Content-Length: 5")) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.send(b"12345" + GET)
    assert line.read().startswith(b"HTTP/1.1 200 ")
    assert line.read().startswith(b"HTTP/1.1 200 ")


def test_a_refusal_comes_in_place_of_100_and_ends_the_connection(serve):
    inside = serve("<Location /no>\nRequire all denied\n</Location>\n<Location /small>\nLimitRequestBody 4\n</Location>")
    for target, status in (("/no", b"403"), ("/moved", b"302"), ("/small", b"413")):
        line = inside.line()
        answer = line.ask(post(target, "Expect: 100-continue", "Content-Length: 5"))
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert b"\r\nConnection: close\r\n" in answer
        assert line.is_over()


def test_no_100_for_a_body_without_bytes(inside):
    answer = inside.line().ask(post("/a.txt", "Expect: 100-continue", "Content-Length: 0"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in answer


def test_another_expectation_is_417_and_its_body_is_no_request(inside):
    line = inside.line()
    line.send(post("/a.txt", "Expect: something", f"Content-Length: {len(GET)}") + GET + GET.replace(b"a.txt", b"none"))
    assert line.read().startswith(b"HTTP/1.1 417 ")
    assert line.is_over() or line.read().startswith(b"HTTP/1.1 404 ")


# RFC 9112 §6, §7: bodies that nobody asked for are read away first, and their faults are the answer


def test_a_refusal_waits_for_the_body_and_the_next_request_is_found(serve):
    inside = serve("<Location /no>\nRequire all denied\n</Location>")
    line = inside.line()
    line.send(post("/no", "Content-Length: 5"))
    assert not line.is_over()
    line.send(b"12345" + GET)
    assert line.read().startswith(b"HTTP/1.1 403 ")
    assert line.read().startswith(b"HTTP/1.1 200 ")


def test_a_broken_body_is_400_whatever_else_would_have_been_said(serve):
    inside = serve("<Location /no>\nRequire all denied\n</Location>")
    for target in ("/no", "/moved", "/a.txt", "/none"):
        line = inside.line()
        assert line.ask(post(target, "Transfer-Encoding: chunked", body=b"xyz\r\n")).startswith(b"HTTP/1.1 400 ")
        assert line.is_over()


def test_a_body_that_ends_too_early_is_400(inside):
    line = inside.line()
    line.send(post("/a.txt", "Content-Length: 5", body=b"12"))
    inside.turns()
    line._socket.shutdown(socket.SHUT_WR)
    assert line.read().startswith(b"HTTP/1.1 400 ")
    assert line.is_over()


def test_chunks_and_trailers_reach_the_handler_and_the_next_request_is_found(serve):
    inside = serve("<Location /echo>\nSetHandler t-echo\n</Location>")
    line = inside.line()
    line.send(post("/echo", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n") + GET)
    assert line.read().endswith(b"abcde")
    assert line.read().endswith(b"hello\n")


def test_what_a_handler_left_of_a_body_is_skipped(serve):
    inside = serve("<Location /some>\nSetHandler t-read-once\n</Location>")
    line = inside.line()
    line.send(post("/some", "Content-Length: 200000", body=b"x"))
    assert line.read().endswith(b"enough")
    line.send(b"x" * 199_999 + GET)
    assert line.read().endswith(b"hello\n")


def test_a_body_over_the_limit_is_413_as_soon_as_it_is(serve):
    inside = serve("<Location /echo>\nSetHandler t-echo\nLimitRequestBody 4\n</Location>")
    for request in (
        post("/echo", "Content-Length: 5"),
        post("/echo", "Transfer-Encoding: chunked", body=b"5\r\n12345\r\n"),
    ):
        line = inside.line()
        assert line.ask(request).startswith(b"HTTP/1.1 413 ")
        assert line.is_over()


def test_a_slow_body_gets_408(serve):
    inside = serve("RequestReadTimeout header=4 body=4,MinRate=100\n<Location /echo>\nSetHandler t-echo\n</Location>")
    for target in ("/echo", "/a.txt", "/moved"):
        line = inside.line()
        line.send(post(target, "Content-Length: 5", body=b"1"))
        inside.turns()
        inside.let_pass(3)
        assert not line.is_over()
        inside.let_pass(5)
        assert line.read().startswith(b"HTTP/1.1 408 ")
        assert line.is_over()
    assert inside.log().count("AH01382: Request body read timeout") == 3


# threads and tasks


def test_a_blocking_handler_reads_its_body_in_a_thread(serve):
    inside = serve(THREAD)
    line = inside.line()
    line.send(post("/thread", "Expect: 100-continue", "Content-Length: 5000"))
    assert line.read() == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.send(b"y" * 5000 + GET)
    assert line.read().endswith(b"\r\n\r\n" + b"y" * 5000)
    assert line.read().endswith(b"hello\n")


def test_a_thread_whose_client_vanished_ends(serve):
    inside = serve(THREAD)
    line = inside.line()
    line.send(post("/thread", "Content-Length: 5000", body=b"1"))
    inside.turns(20)
    line._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()
    for _ in range(1000):
        inside.turn()
        if "POST /thread" in inside.log("access.log"):
            break
    assert "POST /thread" in inside.log("access.log")
    assert not inside.worker.connections
    # The thread is free again.
    assert inside.ask(post("/thread", "Content-Length: 2", "Connection: close", body=b"ok")).endswith(b"ok")


def test_a_cancelled_task_that_a_handler_waits_for_is_a_fault_of_the_handler(serve):
    inside = serve("<Location /cancelled>\nSetHandler t-cancelled\n</Location>")
    line = inside.line()
    assert line.ask(GET.replace(b"a.txt", b"cancelled")).startswith(b"HTTP/1.1 500 ")
    assert "was cancelled" in inside.log()


def test_closing_the_worker_ends_what_waits(serve):
    inside = serve("<Location /echo>\nSetHandler t-echo\n</Location>")
    line = inside.line()
    line.send(post("/echo", "Content-Length: 5", body=b"1"))
    inside.turns()
    (connection,) = inside.worker.connections
    exchange = connection._exchange
    connection.close()
    inside.turns()
    assert exchange._task is None or exchange._task.done()


# faults


def test_a_fault_in_a_handler_is_500(serve):
    inside = serve("<Location /fault>\nSetHandler t-fault\n</Location>")
    line = inside.line()
    assert line.ask(GET.replace(b"a.txt", b"fault")).startswith(b"HTTP/1.1 500 ")
    assert "a handler failed" in inside.log()
    assert "Traceback" not in inside.log()


def test_a_fault_in_the_middle_of_a_body_cuts_that_connection_alone(serve):
    inside = serve("<Location /broken>\nSetHandler t-broken-stream\n</Location>")
    broken, other = inside.line(), inside.line()
    other.ask(GET)
    broken.send(GET.replace(b"a.txt", b"broken"))
    answer = inside.until_closed(broken)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not answer.endswith(b"0\r\n\r\n")
    assert "a body failed" in inside.log()
    assert other.ask(GET).endswith(b"hello\n")


def test_a_fault_while_every_answer_is_made_ends_that_connection_alone(inside, monkeypatch):
    def fail(*_):
        raise RuntimeError("the maker failed")

    line = inside.line()
    with monkeypatch.context() as patch:
        patch.setattr("coachwhip.request.pipeline.make_reply", fail)
        line.send(GET)
        assert inside.until_closed(line) == b""
    assert "the maker failed" in inside.log()
    assert inside.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).endswith(b"hello\n")


def test_a_fault_while_the_answer_is_made_is_500(inside, monkeypatch):
    make_reply, made = pipeline.make_reply, []

    def fail_once(*args):
        made.append(args)
        if len(made) == 1:
            raise RuntimeError("the maker failed")
        return make_reply(*args)

    line = inside.line()
    monkeypatch.setattr(pipeline, "make_reply", fail_once)
    assert line.ask(GET).startswith(b"HTTP/1.1 500 ")
    assert line.is_over()


def test_an_answer_that_cannot_be_kept_is_an_answer_still(inside, monkeypatch):
    def fail(*_):
        raise RuntimeError("the keeper failed")

    monkeypatch.setattr(type(inside.worker.hot.replay), "turns_down", fail)
    assert inside.line().ask(GET).endswith(b"hello\n")
    assert "the keeper failed" in inside.log()


# nothing waits for the garbage collector


def test_requests_and_their_files_are_gone_when_they_are_answered(serve):
    inside = serve("<Location /echo>\nSetHandler t-echo\n</Location>")
    line = inside.line()
    requests = (GET.replace(b"a.txt", b"a.txt?%d"), post("/a.txt?%d", "Content-Length: 3", body=b"abc"), GET.replace(b"a.txt", b"none?%d"))
    for request in requests:
        line.ask(request % 1)
    gc.collect()
    gc.disable()
    try:
        before = len(os.listdir("/proc/self/fd")), sum(isinstance(one, Request) for one in gc.get_objects())
        for number in range(2, 12):
            for request in requests:
                line.ask(request % number)
        after = len(os.listdir("/proc/self/fd")), sum(isinstance(one, Request) for one in gc.get_objects())
    finally:
        gc.enable()
    assert after == before
