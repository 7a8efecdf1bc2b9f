"""The users of the tests: two password files' worth of people, and how they say who they are."""

import base64
import hashlib

#: alice's password is "alice", bob's (APR1) is "bob", dave's is "alice".
PASSWORDS = """\
# comment

alice:{SHA}UisnajVr3zkBPfq+os1D4UHsyeg=
bob:$apr1$Zl6sbgKh$OpRo24YqLA7vJPDD.IwrO1
dave:{SHA}UisnajVr3zkBPfq+os1D4UHsyeg=
"""
GROUPS = """\
# comment
staff: alice carol
Admins : bob
staff: dave
"""
DIGESTS = f"alice:realm:{hashlib.md5(b'alice:realm:alice').hexdigest()}\n"

FILES = {"users": PASSWORDS, "groups": GROUPS, "digests": DIGESTS, "htdocs/f.txt": "x", "htdocs/sub/f.txt": "x"}

BASIC = 'AuthType Basic\nAuthName "A B"\nAuthUserFile {root}/users\nAuthGroupFile {root}/groups\n'


def login(user: str, password: str) -> dict[str, str]:
    """The `Authorization` field of RFC 7617."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode("latin-1")).decode("ascii")}


ALICE = login("alice", "alice")
BOB = login("bob", "bob")
DAVE = login("dave", "alice")
WRONG = login("alice", "x")
NOBODY = login("nobody", "x")


def directory(lines: str, below: str = "") -> str:
    """A `<Directory>` with these lines."""
    return f'<Directory "{{root}}/htdocs{below}">\n{lines}\n</Directory>\n'
