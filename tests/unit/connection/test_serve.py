"""A connection from outside: heads, pipelining, keep-alive, time-outs, the end. RFC 9112 §9, in its order, then what is ours."""

import socket
import time

GET = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


def statuses(data: bytes) -> list[int]:
    return [int(line[9:12]) for line in data.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def drain(line) -> list[bytes]:
    answers = []
    while not line.is_over():
        answers.append(line.read())
    return answers


# RFC 9112 §9.3: persistence


def test_a_connection_goes_on_until_somebody_says_close(inside):
    line = inside.line()
    assert line.ask(GET).startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in line.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert line.is_over()


def test_http_1_0_closes_unless_asked_to_stay(inside):
    plain, asked = inside.line(), inside.line()
    assert plain.ask(b"GET /a.txt HTTP/1.0\r\n\r\n").endswith(b"hello\n")
    assert plain.is_over()
    assert b"Connection: Keep-Alive\r\n" in asked.ask(b"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert not asked.is_over()


def test_http_0_9_is_a_body_and_the_end(inside):
    line = inside.line()
    line.send(b"GET /a.txt\r\n")
    assert line.read() == b"hello\n"
    assert line.is_over()


# §9.3.2: pipelining


def test_a_hundred_and_one_answers_to_a_thousand_pipelined_requests(inside):
    line = inside.line()
    line.send(GET * 1000)
    answers = drain(line)
    assert len(answers) == 101
    assert [b"Connection: close" in answer for answer in answers] == [False] * 100 + [True]


def test_without_a_limit_all_thousand_in_order(serve):
    inside = serve("MaxKeepAliveRequests 0")
    line = inside.line()
    line.send(b"".join(b"GET /a.txt?%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % n for n in range(1000)))
    assert all(line.read().endswith(b"hello\n") for _ in range(1000))
    log = inside.log("access.log").split("\n")
    assert [text.split("?")[1].split(" ")[0] for text in log[:-1]] == [str(n) for n in range(1000)]


def test_what_follows_a_closing_request_is_not_looked_at(inside):
    line = inside.line()
    line.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET)
    assert len(drain(line)) == 1


def test_pipelined_requests_are_all_answered_before_the_end_is_believed(serve):
    inside = serve("MaxKeepAliveRequests 0")
    line = inside.line()
    line.send(GET * 300)
    line._socket.shutdown(socket.SHUT_WR)
    assert len(drain(line)) == 300


# §9.5, §9.6: failures, time-outs, tear-down


def test_half_closed_after_the_request_gets_all_of_the_answer(inside):
    (inside.root / "htdocs" / "big").write_bytes(b"0123456789" * 300_000)
    line = inside.line()
    line.send(GET.replace(b"a.txt", b"big"))
    line._socket.shutdown(socket.SHUT_WR)
    answer = line.read()
    assert len(answer) - answer.index(b"\r\n\r\n") - 4 == 3_000_000
    assert line.is_over()


def test_the_end_in_the_middle_of_a_head_is_answered_once_there_is_a_request_line(inside):
    begun, partial, nothing = inside.line(), inside.line(), inside.line()
    for line, data in ((begun, b"GET /a.txt HTTP/1.1\r\nHos"), (partial, b"GET /a.t"), (nothing, b"\r\n")):
        line.send(data)
        inside.turns()
        line._socket.shutdown(socket.SHUT_WR)
    assert begun.read().startswith(b"HTTP/1.1 400 ")
    assert begun.is_over()
    assert partial.is_over()
    assert nothing.is_over()


def test_a_slow_head_gets_408_once_there_is_a_request_line(serve):
    inside = serve("RequestReadTimeout header=4-8,MinRate=100 body=4")
    begun, partial = inside.line(), inside.line()
    begun.send(b"GET /a.txt HTTP/1.1\r\n")
    partial.send(b"GET /a.txt")
    inside.turns()
    inside.let_pass(3)
    assert not begun.is_over()
    assert not partial.is_over()
    inside.let_pass(5)
    assert begun.read().startswith(b"HTTP/1.1 408 ")
    assert begun.is_over()
    assert partial.is_over()
    assert inside.log().count("AH01382: Request header read timeout") == 2


def test_an_idle_connection_is_closed_after_keep_alive_timeout(serve):
    inside = serve("KeepAliveTimeout 7")
    line = inside.line()
    line.ask(GET)
    inside.let_pass(6)
    assert not line.is_over()
    inside.let_pass(8)
    assert line.is_over()


def test_a_reader_that_takes_nothing_is_cut_after_timeout(serve):
    inside = serve("TimeOut 9")
    (inside.root / "htdocs" / "big").write_bytes(b"0123456789" * 3_000_000)
    line = inside.line()
    line.send(GET.replace(b"a.txt", b"big"))
    inside.turns(50)
    inside.let_pass(8)
    assert inside.worker.connections
    inside.let_pass(10)
    assert not inside.worker.connections
    assert " X GET /big " in inside.log("access.log")


def test_lingering_ends_by_silence_and_at_last_by_thirty_seconds(inside):
    line = inside.line()
    line.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    (connection,) = inside.worker.connections
    start = time.monotonic()
    connection.check_time(start + 1)
    line.send(b"more")
    inside.turns()
    assert inside.worker.connections
    connection.check_time(start + 2.9)
    assert not inside.worker.connections


# draining


def test_draining_answers_once_more_closes_silent_connections_and_lets_busy_ones_finish(serve):
    inside = serve("<Location /echo>\nSetHandler t-echo\n</Location>")
    silent, idle, busy = inside.line(), inside.line(), inside.line()
    silent.ask(GET)
    idle.ask(GET)
    busy.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
    inside.turns()
    inside.worker.drain()
    answer = idle.ask(GET)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in answer
    assert idle.is_over()
    assert not silent.is_over()
    for connection in inside.worker.connections:
        connection.drain()
    assert silent.is_over()
    busy.send(b"cd")
    answer = busy.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"abcd")
    assert busy.is_over()


# what an idle connection holds


def test_an_idle_connection_holds_no_reader_no_outbox_and_no_request(inside):
    line = inside.line()
    line.ask(GET)
    line.ask(b"POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
    (connection,) = inside.worker.connections
    assert (connection._reader, connection._outbox, connection._exchange, connection._rest) == (None, None, None, b"")
    assert connection.info._notes is None


def test_bytes_behind_a_request_at_work_are_not_piled_up(serve):
    inside = serve("<Location /echo>\nSetHandler t-echo\n</Location>")
    line = inside.line()
    line.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    inside.turns()
    assert line.read().startswith(b"HTTP/1.1 100 ")
    (connection,) = inside.worker.connections
    line.send(b"x" + GET * 100)
    for _ in range(20):
        inside.turn()
        assert len(connection._rest) <= 256 << 10
    assert line.read().endswith(b"x")


def test_a_fault_in_the_look_at_what_has_changed_ends_the_connections_of_the_turn(inside, monkeypatch):
    line, other = inside.line(), inside.line()
    line.ask(GET)
    with monkeypatch.context() as patched:
        patched.setattr(type(inside.worker.hot), "look", lambda hot: 1 // 0)
        line.send(GET)
        inside.turns()
    assert line.is_over()
    assert "fault in a connection: ZeroDivisionError" in inside.log()
    assert statuses(other.ask(GET)) == [200]


# answers that are sent without an outbox


def test_a_small_answer_that_the_socket_does_not_take_is_sent_on(serve):
    inside = serve()
    body = b"0123456789" * 1200
    (inside.root / "htdocs" / "small").write_bytes(body)
    line = inside.line()
    line._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for connection in inside.worker.connections:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    line.send(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
    inside.turns(10)
    assert any(connection._outbox is not None for connection in inside.worker.connections)
    assert all(line.read().endswith(b"\r\n\r\n" + body) for _ in range(40))
