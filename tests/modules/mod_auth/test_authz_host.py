"""`Require ip`, `host`, `forward-dns`, `local`: matching of names and networks. The names are invented, nobody is asked."""

import pytest
from auth_users import FILES, directory

from coachwhip.hooks import NeedsThread
from coachwhip.modules.aaa.hosts import NetworkError, is_in_domain, looks_like_address, read_network


@pytest.mark.parametrize(
    ("name", "domain", "expected"),
    [
        ("foo.example.org", "example.org", True),
        ("foo.example.org", ".example.org", True),
        ("example.org", "example.org", True),
        ("EXAMPLE.org", "Example.ORG", True),
        ("example.org", ".example.org", False),
        ("fooexample.org", "example.org", False),
        ("org", "example.org", False),
        ("foo.example.org", "foo", False),
    ],
)
def test_only_whole_labels_match(name, domain, expected):
    assert is_in_domain(name, domain) is expected


def test_what_looks_like_an_address():
    meant = ["10", "10.", ".", "1.2.3.4/8", "::", "x:y", "1.2.3.4/x"]
    assert all(looks_like_address(text) for text in meant)
    assert not any(looks_like_address(text) for text in ["", "/8", "a", "10.a", "a/8", "1.2.3.4#c"])


@pytest.mark.parametrize("text", ["1.2.3.4/0", "1.2.3.4/", "1.2.3.4/255.0.0", "::1/129", "::1/255.0.0.0"])
def test_a_wrong_mask(text):
    with pytest.raises(NetworkError, match="The specified network mask is invalid"):
        read_network(text)


@pytest.mark.parametrize("text", [".", "256", "1..2", "10.1/16", "1.2.3.4.5", "x:y", "::ffff:1.2.3.4", "::1%lo"])
def test_a_wrong_address(text):
    with pytest.raises(NetworkError, match="The specified IP address is invalid"):
        read_network(text)


@pytest.mark.parametrize(
    ("networks", "client", "status"),
    [
        ("10 172.16.0.0/12", "10.9.8.7", 200),
        ("10 172.16.0.0/12", "172.31.0.1", 200),
        ("10 172.16.0.0/12", "172.32.0.1", 403),
        ("10.1.0.0/255.255.0.0", "10.1.2.3", 200),
        ("10.1.0.0/255.255.0.0", "10.2.0.1", 403),
        ("10", "::ffff:10.0.0.1", 200),
        ("2001:db8::/32", "2001:db8:1::1", 200),
        ("2001:db8::/32", "2001:db9::1", 403),
        ("0.0.0.0/1 128.0.0.0/1", "::1", 403),
    ],
)
def test_networks(serve, networks, client, status):
    assert serve(directory(f"Require ip {networks}"), FILES).ask("/f.txt", client=client).status == status


@pytest.mark.parametrize(("client", "status"), [("127.8.9.1", 200), ("::1", 200), ("192.0.2.1", 403), ("::ffff:127.0.0.1", 200)])
def test_local_is_the_loopback(serve, client, status):
    assert serve(directory("Require local"), FILES).ask("/f.txt", client=client).status == status


@pytest.fixture
def names(serve, monkeypatch):
    """A function: configuration → Served, in a world of a few names."""
    forward = {"web.example.org": ("192.0.2.1", "192.0.2.2"), "liar.example.org": ("192.0.2.9",), "other.net": ("192.0.2.3",)}
    reverse = {"192.0.2.1": "web.example.org", "192.0.2.4": "liar.example.org", "192.0.2.3": "other.net"}

    def make(config):
        served = serve(config, FILES)
        monkeypatch.setattr(served.pipeline, "resolve", reverse.get)
        monkeypatch.setattr(served.pipeline, "addresses_of", lambda name: forward.get(name, ()))
        return served

    return make


@pytest.mark.parametrize(
    ("client", "status"), [("192.0.2.1", 200), ("192.0.2.3", 403), ("192.0.2.4", 403), ("192.0.2.5", 403)]
)
@pytest.mark.parametrize("lines", ["Require host example.org", "Order allow,deny\nAllow from example.org"])
def test_a_name_counts_if_it_leads_back_to_the_client(names, lines, client, status):
    assert names(directory(lines)).ask("/f.txt", client=client).status == status


def test_a_client_without_a_name_is_logged(names):
    answer = names(directory("Require host example.org x")).ask("/f.txt", client="192.0.2.5")
    text = "AH01753: access check of 'example.org x' to /f.txt failed, reason: unable to get the remote host name"
    assert answer.log[0] == text


def test_comments_in_names(names):
    hidden = names(directory("Require host # example.org")).ask("/f.txt", client="192.0.2.1")
    assert (hidden.status, hidden.ids) == (403, ["AH10120", "AH01630"])
    cut = names(directory("Require host example.org#x")).ask("/f.txt", client="192.0.2.1")
    assert (cut.status, cut.ids) == (200, ["AH10121"])
    forward = names(directory("Require forward-dns #web.example.org")).ask("/f.txt", client="192.0.2.1")
    assert (forward.status, forward.ids) == (403, ["AH01630"])


@pytest.mark.parametrize(("client", "status"), [("192.0.2.2", 200), ("192.0.2.3", 200), ("192.0.2.9", 403)])
def test_forward_look_ups(names, client, status):
    lines = directory("Require forward-dns web.example.org %{HTTP:X-Name}")
    assert names(lines).ask("/f.txt", {"X-Name": "nope other.net"}, client=client).status == status


def test_a_name_without_addresses_is_warned_of(names):
    answer = names(directory("Require forward-dns nope.example.org")).ask("/f.txt")
    assert answer.log[0] == 'AH03356: No sockaddr info for "nope.example.org"'


def test_looking_up_makes_the_answer_volatile_and_leaves_the_loop(names, monkeypatch):
    served = names(directory("Require host example.org"))
    assert served.ask("/f.txt", client="192.0.2.1").request.record.volatile == "host name look-up"

    def on_the_loop(r):
        raise NeedsThread

    monkeypatch.setattr(served.pipeline, "leave_loop", on_the_loop)
    with pytest.raises(NeedsThread):
        served.ask("/f.txt")


def test_addresses_join_the_record(serve):
    answer = serve(directory("Require ip 127"), FILES).ask("/f.txt")
    assert answer.request.record.facts["client_ip"] == "127.0.0.1"
    assert answer.request.record.volatile is None


@pytest.mark.parametrize(
    ("mode", "client", "found"),
    [
        ("Off", "192.0.2.1", "192.0.2.1"),
        ("On", "192.0.2.1", "web.example.org"),
        # Whoever owns an address can give it any name: only `Double` asks whether the name agrees.
        ("On", "192.0.2.4", "liar.example.org"),
        ("Double", "192.0.2.4", "192.0.2.4"),
        ("Double", "192.0.2.1", "web.example.org"),
        ("Double", "192.0.2.5", "192.0.2.5"),
    ],
)
def test_the_name_by_hostname_lookups(names, mode, client, found):
    served = names(directory(f"HostnameLookups {mode}\nRequire all granted"))
    assert served.ask("/f.txt", client=client).request.remote_host() == found
