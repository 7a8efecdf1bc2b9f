"""`Order`, `Allow`, `Deny` and `Satisfy`: the table of the manual, methods, variables, and how sections combine."""

import pytest

HERE, ELSEWHERE = "127.0.0.1", "10.1"
FILES = {"htdocs/f.txt": "x", "htdocs/sub/f.txt": "x"}


def directory(lines, below=""):
    return f'<Directory "{{root}}/htdocs{below}">\n{lines}\n</Directory>\n'


#: (allow matches, deny matches) → whether admitted, by order.
TABLE = {
    "allow,deny": {(True, False): True, (False, True): False, (False, False): False, (True, True): False},
    "deny,allow": {(True, False): True, (False, True): False, (False, False): True, (True, True): True},
    "mutual-failure": {(True, False): True, (False, True): False, (False, False): False, (True, True): False},
}


@pytest.mark.parametrize(("order", "allow", "deny"), [(o, a, d) for o, rows in TABLE.items() for a, d in rows])
def test_the_table_of_the_manual(serve, order, allow, deny):
    lines = f"Order {order}\nAllow from {HERE if allow else ELSEWHERE}\nDeny from {HERE if deny else ELSEWHERE}"
    answer = serve(directory(lines), FILES).ask("/f.txt")
    admitted = TABLE[order][allow, deny]
    assert (answer.status, answer.ids) == ((200, []) if admitted else (403, ["AH01797"]))


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("Deny from 127.0.0.1", 403),
        ("Deny from 127.0.0.1\nAllow from all", 200),
        ("Order allow,deny\nOrder deny,allow", 200),
        ("Order allow,deny\nAllow from ALL", 200),
        ("Order allow,deny\nAllow from 10 127", 200),
        ("Order allow,deny\nAllow from 127.0.0.0/255.0.0.0", 200),
        ("Order allow,deny\nAllow from ::1", 403),
    ],
)
def test_lines_of_one_section(serve, lines, status):
    assert serve(directory(lines), FILES).ask("/f.txt").status == status


@pytest.mark.parametrize(
    ("line", "with_it", "without"), [("env=FOO", 200, 403), ("env=foo", 200, 403), ("env=!FOO", 403, 200), ("ENV=!foo", 403, 200)]
)
def test_variables(serve, line, with_it, without):
    served = serve(f"SetEnvIf X-Foo . FOO=1\n{directory(f'Order allow,deny{chr(10)}Allow from {line}')}", FILES)
    assert (served.ask("/f.txt", {"X-Foo": "1"}).status, served.ask("/f.txt").status) == (with_it, without)


@pytest.mark.parametrize(
    ("lines", "get", "post"),
    [
        ("Order deny,allow\n<Limit POST>\nDeny from all\n</Limit>", 200, 403),
        ("<Limit GET>\nOrder allow,deny\n</Limit>", 403, 200),
        ("<LimitExcept GET>\nOrder allow,deny\n</LimitExcept>", 200, 403),
        ("Order allow,deny\n<LimitExcept POST>\nSatisfy any\n</LimitExcept>\nRequire all granted", 200, 403),
    ],
)
def test_limit(serve, lines, get, post):
    served = serve(directory(lines), FILES)
    assert served.ask("/f.txt").status == get
    assert served.ask("/f.txt", method="HEAD").status == get
    assert served.ask("/f.txt", method="POST").status == post


@pytest.mark.parametrize(
    ("inner", "status"),
    [
        ("Order deny,allow", 200),
        ("Satisfy all", 200),
        ("Deny from 10", 200),
        ("Require all granted", 403),
        ("", 403),
    ],
)
def test_any_of_these_lines_puts_aside_the_outer_sections(serve, inner, status):
    served = serve(directory("Order allow,deny\nDeny from all") + directory(inner, "/sub"), FILES)
    assert served.ask("/sub/f.txt").status == status


def test_in_htaccess(serve):
    files = {**FILES, "htdocs/sub/.htaccess": "Deny from all"}
    assert serve(directory("AllowOverride Limit"), files).ask("/sub/f.txt").status == 403
    assert serve(directory("AllowOverride AuthConfig"), files).ask("/sub/f.txt").status == 500


def test_without_a_file_the_url_is_logged(serve):
    served = serve("<Location /nowhere>\nDeny from all\n</Location>", FILES)
    assert served.ask("/nowhere").log == [f"AH01797: client denied by server configuration: {served.root}/htdocs/nowhere"]
