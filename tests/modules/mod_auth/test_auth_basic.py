"""`AuthType Basic`: the challenge, the decoding of credentials, providers, `AuthBasicFake`. Answers are those of Apache 2.4.71."""

import base64

import pytest
from auth_users import ALICE, BASIC, BOB, DAVE, FILES, NOBODY, WRONG, directory, login

from coachwhip.modules.aaa.mod_auth_basic import decode_credentials
from coachwhip.modules.aaa.mod_authn_core import escape_quotes

TOKEN = ALICE["Authorization"].removeprefix("Basic ")
VALID_USER = directory(BASIC + "Require valid-user")

FIELDS = {
    f"basic {TOKEN}": 200,
    f"Basic   {TOKEN}": 200,
    f"Basic \t{TOKEN}": 200,
    f"Basic {TOKEN} x": 200,
    f"Basic {TOKEN},": 200,
    f"Basic {TOKEN}====": 200,
    f"Basic {TOKEN.rstrip('=')}": 200,
    f"Basic\t{TOKEN}": 401,
    f"Basic {TOKEN[:4]} {TOKEN[4:]}": 401,
    "Basic": 401,
    "Basic !!!": 401,
    "Basic =": 401,
    "Digest x": 401,
    "": 401,
}


@pytest.mark.parametrize("field", FIELDS)
def test_the_field_is_read_as_leniently_as_apache_reads_it(serve, field):
    assert serve(VALID_USER, FILES).ask("/f.txt", {"Authorization": field}).status == FIELDS[field]


@pytest.mark.parametrize("field", ["Digest x", "Basic\tx", ""])
def test_another_scheme_is_logged(serve, field):
    assert serve(VALID_USER, FILES).ask("/f.txt", {"Authorization": field}).ids == ["AH01614"]


DECODED = {
    b"alice:alice": ("alice", "alice"),
    b"alice:a:b": ("alice", "a:b"),
    b"alice": ("alice", ""),
    b":x": ("", "x"),
    b"": ("", ""),
    b"alice\0:alice": ("alice", ""),
    b"alice:alice\0x": ("alice", "alice"),
    b"\xc3\xa4:\xfc": ("Ã¤", "ü"),
}


@pytest.mark.parametrize("sent", DECODED)
def test_user_and_password_are_octets_up_to_the_first_nul(sent):
    assert decode_credentials(base64.b64encode(sent).decode("ascii")) == DECODED[sent]


@pytest.mark.parametrize("digits", ["A", "AA", "AAA", "YWxpY2U6YWxpY2U", "YWxpY2U6YWxpY2UA"])
def test_missing_padding_and_a_lone_digit_do_no_harm(digits):
    user, password = decode_credentials(digits)
    assert f"{user}:{password}" in (":", "alice:alice")


def test_another_field_does_not_count(serve):
    answer = serve(VALID_USER, FILES).ask("/f.txt", {"Proxy-Authorization": ALICE["Authorization"]})
    assert answer.status == 401


REALMS = {
    "AuthName x": 'Basic realm="x"',
    "AuthName '%{HTTP_HOST} a\"b'": 'Basic realm="localhost a\\"b"',
    r"""AuthName 'q"u\o\\te'""": 'Basic realm="q\\"uo\te"',
    "AuthName %{HTTP:X-None}": 'Basic realm=""',
    "AuthName a\nAuthName b": 'Basic realm="b"',
}


@pytest.mark.parametrize("line", REALMS)
def test_the_realm_may_be_an_expression_and_is_quoted(serve, line):
    answer = serve(directory(f"AuthType Basic\n{line}\nRequire valid-user"), FILES).ask("/f.txt")
    assert (answer.status, answer.get("WWW-Authenticate")) == (401, REALMS[line])


@pytest.mark.parametrize(
    ("text", "escaped"), [('a"b', r"a\"b"), (r"a\"b", r"a\"b"), (r"a\\"'"', r"a\\\""), ('a"b\\', r"a\"b" "\\"), ("", "")]
)
def test_quotes_are_escaped_once(text, escaped):
    assert escape_quotes(text) == escaped


@pytest.mark.parametrize(("value", "status"), [("basic", 401), ("BASIC", 401), ("none", 500), ("", 500), ("digest", 500)])
def test_the_type_may_be_an_expression(serve, value, status):
    lines = "AuthType %{HTTP:X-Type}\nAuthName x\nRequire valid-user"
    assert serve(directory(lines), FILES).ask("/f.txt", {"X-Type": value} if value else None).status == status


def test_the_user_is_known_to_what_comes_after(serve):
    r = serve(VALID_USER, FILES).ask("/f.txt", ALICE).request
    assert (r.user, r.auth_type) == ("alice", "Basic")


def test_a_refused_user_is_known_to_the_log(serve):
    assert serve(VALID_USER, FILES).ask("/f.txt", WRONG).request.user == "alice"


PROVIDERS = {
    "AuthBasicProvider a b": (200, 200),
    "AuthBasicProvider a\nAuthBasicProvider b": (200, 200),
    "AuthBasicProvider b": (401, 200),
    "AuthBasicProvider empty": (401, 401),
    # The first that knows the user decides; none after it is asked.
    "AuthBasicProvider wrong b a": (401, 200),
    "AuthBasicProvider missing a": (500, 500),
}


@pytest.mark.parametrize("line", PROVIDERS)
def test_providers_are_asked_in_order(serve, line):
    def alias(name, path):
        return f"<AuthnProviderAlias file {name}>\nAuthUserFile {{root}}/{path}\n</AuthnProviderAlias>\n"

    names = ("a", "b", "wrong", "empty", "missing")
    users = dict(row.split(":") for row in FILES["users"].splitlines() if ":" in row)
    files = {**FILES, "a": f"alice:{users['alice']}\n", "b": f"bob:{users['bob']}\n", "wrong": "alice:x\n", "empty": ""}
    lines = f"AuthType Basic\nAuthName x\n{line}\nRequire valid-user"
    served = serve("".join(alias(name, name) for name in names) + directory(lines), files)
    assert tuple(served.ask("/f.txt", who).status for who in (ALICE, BOB)) == PROVIDERS[line]


def test_not_authoritative_leaves_unknown_users_to_other_modules(serve):
    served = serve(directory(BASIC + "AuthBasicAuthoritative off\nRequire valid-user"), FILES)
    answers = [served.ask("/f.txt", who) for who in (None, WRONG, NOBODY)]
    assert [answer.status for answer in answers] == [401, 401, 500]
    assert answers[2].ids == ["AH01796"]


NO_FILE = {"": "AH01619", "AuthUserFile {root}/none": "AH01620", "AuthUserFile {root}": "AH01620"}


@pytest.mark.parametrize(("lines", "log_id"), NO_FILE.items())
def test_without_a_readable_password_file_nobody_gets_in(serve, lines, log_id):
    served = serve(directory(f"AuthType Basic\nAuthName x\nRequire valid-user\n{lines}"), FILES)
    assert served.ask("/f.txt").status == 401
    answer = served.ask("/f.txt", ALICE)
    assert (answer.status, answer.ids) == (500, [log_id])


def test_digest_hashes_can_be_used(serve):
    lines = "AuthType Basic\nAuthName realm\nAuthUserFile {root}/digests\nAuthBasicUseDigestAlgorithm MD5\nRequire valid-user"
    served = serve(directory(lines), FILES)
    assert [served.ask("/f.txt", who).status for who in (ALICE, WRONG, DAVE)] == [200, 401, 401]


def test_a_changed_password_file_counts_at_once(serve):
    served = serve(VALID_USER, FILES)
    assert served.ask("/f.txt", ALICE).status == 200
    (served.root / "users").write_text("bob:x\n")
    assert served.ask("/f.txt", ALICE).status == 401


def test_an_unknown_user_costs_a_hash_too(serve, monkeypatch):
    from coachwhip.modules.aaa import mod_authn_file

    asked = []
    monkeypatch.setattr(mod_authn_file, "verify", lambda password, stored: asked.append(stored) or True)
    served = serve(VALID_USER, FILES)
    assert served.ask("/f.txt", NOBODY).status == 401
    assert asked == [FILES["users"].split(":")[1].split("\n")[0]]


FAKES = {
    "AuthBasicFake joe": ("joe:password", ["AH02457"]),
    "AuthBasicFake joe doe": ("joe:doe", ["AH02457"]),
    'AuthBasicFake "%{REQUEST_METHOD}" "%{HTTP_HOST}"': ("GET:localhost", ["AH02457"]),
    "AuthBasicFake %{HTTP:X-None}": (None, ["AH02458"]),
    "AuthBasicFake joe %{HTTP:X-None}": (None, ["AH02459"]),
    "AuthBasicFake off": ("alice:alice", []),
}


@pytest.mark.parametrize("line", FAKES)
def test_credentials_made_up_for_what_stands_behind(serve, line):
    faked, ids = FAKES[line]
    answer = serve(directory(line), FILES).ask("/f.txt", ALICE)
    field = answer.request.headers_in.get("Authorization")
    assert field == (None if faked is None else login(*faked.split(":"))["Authorization"])
    assert answer.ids == ids


def test_an_inner_off_takes_back_what_an_outer_section_fakes(serve):
    served = serve(directory("AuthBasicFake joe") + directory("AuthBasicFake off", "/sub"), FILES)
    assert "Authorization" not in served.ask("/sub/f.txt").request.headers_in
