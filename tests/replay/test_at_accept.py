"""Answers that are kept are given where connections are accepted, and mostly that is all there ever is of a connection."""

import os
import socket
import struct
from contextlib import contextmanager

import pytest
from places import MODULES, get, settle

from coachwhip.connection import hot
from coachwhip.mpm.acceptor import Acceptor

SITE = """
CustomLog {root}/logs/all.log "%s %O %{replay}n"
<Directory {root}/htdocs>
Require all granted
</Directory>
"""
ASKED = get("/a.txt", "Connection: close")


@pytest.fixture
def server(place):
    place.write("htdocs/a.txt", "a page\n")
    settle()
    return place.serve(SITE, modules=(*MODULES, "logio"))


@contextmanager
def door(server, host="127.0.0.1"):
    """What accepts for this server."""
    with socket.create_server((host, 0)) as listener:
        listener.setblocking(False)
        acceptor = Acceptor(listener, server.worker, at_once=True, on_no_room=lambda acceptor, error: None)
        acceptor.turn = 64
        yield acceptor


def connect(acceptor, request=b"", address="127.0.0.1"):
    client = socket.create_connection((address, acceptor.listener.getsockname()[1]), timeout=10)
    client.sendall(request)
    return client


def rest_of(server, client):
    """What comes until the server ends the connection."""
    client.setblocking(False)
    data = b""
    for _ in range(100_000):
        server.turn()
        try:
            piece = client.recv(1000)
        except BlockingIOError:
            continue
        if not piece:
            return data
        data += piece
    raise AssertionError(f"no end after {len(data)} bytes")


def ask(server, acceptor, request):
    with connect(acceptor, request) as client:
        acceptor.accept()
        return rest_of(server, client)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_what_is_ready_is_given_without_a_connection_object(server, place, host, monkeypatch):
    with door(server, host) as acceptor:
        first = [ask(server, acceptor, ASKED) for _ in range(5)]
        monkeypatch.setattr(server.worker, "take", None)
        clients = [connect(acceptor, ASKED) for _ in range(3)]
        acceptor.accept()
        answers = [rest_of(server, client) for client in clients]
        for client in clients:
            client.close()
    assert len({answer.partition(b"\r\n\r\n")[2] for answer in first + answers}) == 1
    assert {len(answer) for answer in first + answers} == {len(first[0])}
    lines = [line.split() for line in place.log("all.log").splitlines()]
    assert {(status, size) for status, size, _ in lines} == {("200", str(len(first[0])))}
    assert [how for _, _, how in lines][-3:] == ["hit"] * 3
    assert len(lines) == 8


def test_a_change_before_the_request_is_seen(server, place):
    with door(server) as acceptor:
        before = [ask(server, acceptor, ASKED) for _ in range(5)]
        with open(f"{place.root}/htdocs/a.txt", "r+b") as file:
            file.write(b"another page\n")
        after = ask(server, acceptor, ASKED)
        os.unlink(f"{place.root}/htdocs/a.txt")
        gone = ask(server, acceptor, ASKED)
    assert {answer.partition(b"\r\n\r\n")[2] for answer in before} == {b"a page\n"}
    assert after.endswith(b"\r\n\r\nanother page\n")
    assert gone.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("taken", [0, 100], ids=["nothing", "a part"])
def test_what_the_socket_does_not_take_at_once_follows(server, place, taken, monkeypatch):
    def write(fd, data):
        if not taken:
            raise BlockingIOError
        return os.write(fd, data[:taken])

    with door(server) as acceptor:
        whole = [ask(server, acceptor, ASKED) for _ in range(5)][-1]
        monkeypatch.setattr(hot, "write", write)
        answer = ask(server, acceptor, ASKED)
    assert answer.partition(b"\r\n\r\n")[2] == whole.partition(b"\r\n\r\n")[2]
    assert len(answer) == len(whole)
    assert place.log("all.log").splitlines()[-1] == f"200 {len(whole)} hit"


def test_who_wants_more_stays(server):
    request = get("/a.txt")
    with door(server) as acceptor:
        for _ in range(5):
            with connect(acceptor, request) as client:
                acceptor.accept()
                server.turn()
                assert client.recv(4096).endswith(b"a page\n")
                client.sendall(ASKED)
                assert rest_of(server, client).endswith(b"a page\n")


def test_who_has_gone_costs_the_others_nothing(server, place):
    with door(server) as acceptor:
        for _ in range(4):
            ask(server, acceptor, ASKED)
        gone, stays = connect(acceptor, ASKED), connect(acceptor, ASKED)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
        acceptor.accept()
        assert rest_of(server, stays).endswith(b"a page\n")
        stays.close()
    assert place.log("all.log").splitlines()[-1].endswith("hit")


def test_each_local_address_has_its_own_answers(place):
    config = SITE
    for number in (2, 3):
        place.write(f"site{number}/a.txt", f"page of {number}\n")
        config += f"""
<VirtualHost 127.0.0.{number}:*>
DocumentRoot {{root}}/site{number}
</VirtualHost>
<Directory {{root}}/site{number}>
Require all granted
</Directory>
"""
    settle()
    server = place.serve(config, modules=(*MODULES, "logio"))
    with door(server, "0.0.0.0") as acceptor:
        for _ in range(6):
            clients = [(number, connect(acceptor, ASKED, f"127.0.0.{number}")) for number in (2, 3, 3, 2, 2, 3)]
            acceptor.accept()
            for number, client in clients:
                with client:
                    assert rest_of(server, client).endswith(b"\r\n\r\npage of %d\n" % number)
    assert [line.split()[2] for line in place.log("all.log").splitlines()[-12:]] == ["hit"] * 12
