"""Several clients on connections that stay, some of whose answers differ by address: each gets what it would get without replay.

Random requests and changes of files and rules, always the same ones; the server without replay is asked the same.
"""

import random
import re

from places import get, settle

CLIENTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
PATHS = ("/a.txt", "/d/c.txt", "/d/")
FIELDS = ((), (), ("Cookie: a=2", "User-Agent: x"), ("X-A: 1",))
RULES = (
    "Require all granted\n",
    "Require ip 127.0.0.2\n",
    "<RequireAll>\nRequire not ip 127.0.0.3\nRequire all granted\n</RequireAll>\n",
    "SetEnvIf Remote_Addr 3$ far\nRequire env far\n",
    "SetEnvIf X-A 1 seen\nRequire env seen\n",
    "<If \"%{HTTP_COOKIE} == 'a=2'\">\nRequire all denied\n</If>\n<Else>\nRequire all granted\n</Else>\n",
)
CONFIG = """
MaxKeepAliveRequests 0
<Directory {root}/htdocs>
AllowOverride All
Options +Indexes +FollowSymLinks
Require all granted
</Directory>
"""
_DATE = re.compile(rb"\r\nDate: [^\r]*")


def test_each_client_gets_its_own_answer(place):
    chance = random.Random(5)
    for path in ("a.txt", "d/c.txt"):
        place.write(f"htdocs/{path}", "at first\n")
    settle()
    sides = [place.serve(CONFIG), place.serve(CONFIG + "Replay Off\n")]
    lines = [{client: side.line(client) for client in CLIENTS} for side in sides]
    for count in range(24):
        for _ in range(100):
            client, path, fields = chance.choice(CLIENTS), chance.choice(PATHS), chance.choice(FIELDS)
            found, expected = [_DATE.sub(b"", line[client].ask(get(path, *fields))) for line in lines]
            assert found == expected, (count, client, path, fields)
            assert found.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 403 "))
        rule = chance.choice(RULES)
        place.write("htdocs/d/.htaccess" if count % 2 else "htdocs/.htaccess", rule)
        place.write(f"htdocs/{chance.choice(('a.txt', 'd/c.txt'))}", f"change {count}\n")
        if count % 4:
            settle()
    assert sides[0].hits > 1000
