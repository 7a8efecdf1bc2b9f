"""Password and group files, line by line as Apache 2.4.71 reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.aaa.mod_authn_file import read_users
from coachwhip.modules.aaa.mod_authz_groupfile import read_groups
from coachwhip.modules.aaa.userfile import LINE_LIMIT, lines_of

USERS = (
    b"# comment\n  lead:h1\n\ttab:h2\ntrail:h3   \ncrlf:h4\r\ncol:h5:gecos:x\nsp ace:h6\ntwice:h7\ntwice:h8\nend :h9\n"
    b"empty:\nnocolon\n#hash:h10\nblank: h11\n:h12\nsplit:\\\nh13\ncont:h14\\\n\ncolons:::h15\nnul\0x:h16\nback\\:h17\nlast:h18"
)

STORED = {
    "lead": "h1", "tab": "h2", "trail": "h3", "crlf": "h4", "col": "h5", "sp ace": "h6", "twice": "h7", "end ": "h9",
    "empty": "", "nocolon": "", "blank": " h11", "": "h12", "split": "h13", "cont": "h14", "colons": "h15", "nul": "",
    "back\\": "h17", "last": "h18",
}  # fmt: skip


def test_users_and_their_passwords():
    found = {user: lines[0].split(":")[0] for user, lines in read_users(USERS).users.items()}
    assert found == STORED


def test_the_decoy_is_the_first_password_there_is():
    assert read_users(USERS).decoy == "h1"
    assert read_users(b"a:\nb:x\n").decoy == "x"
    assert read_users(b"# nobody\n").decoy is None


def test_a_line_that_is_too_long_ends_the_file():
    fits = b"a:x:" + b"y" * (LINE_LIMIT - 5)
    assert list(read_users(fits + b"\nb:x\n").users) == ["a", "b"]
    assert list(read_users(b"a:x\n" + fits + b"y\nb:x\n").users) == ["a"]


GROUPS = (
    b"  staff : a b\\\n c\nst aff:d\nnospace:e\n\"q q\": f\nempty:\nnocolon g\nX:'h h' \"i i\" j\\ k\nY:l,m\nZ:n # o\n#C: p\n"
    b"W::r\nV: s:t\nSTAFF:late\nlong:" + b"z " * 5000 + b"zz\nafterlong: zz\nnul:u\0v\n"
)

MEMBERS = {
    "staff": {"a", "b", "c", "late"}, "st aff": {"d"}, "nospace": {"e"}, '"q q"': {"f"}, "x": {"h h", "i i", "j\\", "k"},
    "y": {"l,m"}, "z": {"n", "#", "o"}, "w": {"r"}, "v": {"s:t"}, "long": {"z", "zz"}, "afterlong": {"zz"}, "nul": {"u"},
}  # fmt: skip


def test_groups_and_their_members():
    found: dict[str, set[str]] = {}
    for user, groups in read_groups(GROUPS).items():
        for group in groups:
            found.setdefault(group, set()).add(user)
    assert found == MEMBERS


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a\\", ["a\\"]),
        (b"a\\\n", ["a"]),
        (b"a\\\r\nb\n", ["ab"]),
        (b"a\\\\\nb", ["a\\b"]),
        (b" \t\n\x0b\n#x\n a # b ", ["a # b"]),
        (b"#x\\\ny\nz", ["z"]),
    ],
)
def test_logical_lines(data, lines):
    assert list(lines_of(data)) == lines


@given(st.binary(max_size=200))
def test_no_bytes_break_a_reader(data):
    read_groups(data)
    for user, lines in read_users(data).users.items():
        assert lines
        assert ":" not in user
