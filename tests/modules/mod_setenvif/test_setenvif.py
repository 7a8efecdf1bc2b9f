"""SetEnvIf and its kin: what they look at, what they set, in which order; every row read off Apache 2.4.71."""

import pytest

FILES = {"htdocs/d/f": "x", "htdocs/e.html": "err"}


def variables(served, headers=None, target="/d/f"):
    env = served.ask(target, headers).request.env
    return {name: value for name, value in env.items() if len(name) == 1}


@pytest.mark.parametrize(
    ("lines", "headers", "env"),
    [
        # Values: `1`, a text, `!` to unset, groups. A pattern without special characters fills nothing in.
        ("SetEnvIf X . a= b==c c=!x !d d==", {"X": "foo"}, {"a": "1", "b": "c", "d": "1"}),
        (r"SetEnvIf X foo a=$0 b=\$1", {"X": "foo"}, {"a": "$0", "b": r"\$1"}),
        (r"SetEnvIf X fo\. a=$0", {"X": "fo."}, {"a": "$0"}),
        ("SetEnvIf X f(.)o a=$0-$1-$2 b=a&b c=$$1 d=x$ e=${1}", {"X": "foo"},
         {"a": "foo-o-", "b": "a&b", "c": "$o", "d": "x$", "e": "${1}"}),
        (r"SetEnvIf X f(.)o a=\$1\\x", {"X": "foo"}, {"a": "$1x"}),
        ('SetEnvIf X "a b" "a=c d"', {"X": "a b"}, {"a": "c d"}),
        ('SetEnvIf X "a b" a="c d"', {"X": "a b"}, {"a": '"c'}),
        ("SetEnvIf Y . a=1 A=2 !B", {"Y": "1"}, {"a": "2"}),
        # Subjects.
        ("SetEnvIf x-one . a", {"X-One": "q"}, {"a": "1"}),
        ("SetEnvIf None ^$ a", {}, {"a": "1"}),
        ("SetEnvIf remote_HOST (.*) a=$1\nSetEnvIf Request_Method (.*) b=$1\nSetEnvIf Request_Protocol (.*) c=$1", {},
         {"a": "127.0.0.1", "b": "GET", "c": "HTTP/1.1"}),
        ("SetEnvIf Server_Addr (.*) a=$1\nSetEnvIf Remote_Addr (.*) b=$1\nSetEnvIf QUERY_STRING (.*) c=x$1", {},
         {"a": "127.0.0.1", "b": "127.0.0.1", "c": "x"}),
        ('SetEnvIf OID("2.5") (.*) a=x$1', {}, {"a": "x"}),
        # A pattern for field names: the last that matches counts; its case counts too.
        ("SetEnvIf ^X-.*$ secret a", {"X-One": "q", "X-Two": "secret"}, {"a": "1"}),
        ("SetEnvIf ^X-.*$ secret a", {"X-Two": "secret", "X-One": "q"}, {}),
        ("SetEnvIf ^x- . a", {"X-One": "q"}, {}),
        ("SetEnvIfNoCase ^x- . a", {"X-One": "q"}, {"a": "1"}),
        # Variables, and the one look that neighbours of one name share.
        ("SetEnvIf ^x- . a\nSetEnvIfNoCase ^x- . b", {"X-One": "q"}, {}),
        ("SetEnvIf X . a=1\nSetEnvIf a 1 a=2\nSetEnvIf a 2 a=3\nSetEnvIf X . b\nSetEnvIf A 2 c=late", {"X": "1"},
         {"a": "2", "b": "1", "c": "late"}),
        # Case.
        ("SetEnvIf X FOO a\nSetEnvIfNoCase X FOO b", {"X": "foo"}, {"b": "1"}),
        ("BrowserMatch firefox c\nBrowserMatchNoCase firefox d\nBrowserMatch ^$ e", {"User-Agent": "FireFox"}, {"d": "1"}),
        ('BrowserMatch "MSIE [2-6]" a b=x !c\nBrowserMatch ^$ e', {"User-Agent": "MSIE 4"}, {"a": "1", "b": "x"}),
        ('BrowserMatch "MSIE [2-6]" a b=x !c\nBrowserMatch ^$ e', {}, {"e": "1"}),
        # Expressions; groups stay until another pattern has some.
        ('SetEnvIfExpr "%{REQUEST_URI} =~ /(d)/" a=$1 b=%{REQUEST_URI} !c d', {}, {"a": "d", "b": "%{REQUEST_URI}", "d": "1"}),
        ("SetEnvIfExpr \"%{REQUEST_URI} =~ /(d)/\" a\nSetEnvIfExpr true f=$0$1", {}, {"a": "1", "f": "dd"}),
        ("SetEnvIfExpr \"file('/nope') == ''\" a", {}, {}),
        ("SetEnvIf X . a=é", {"X": "\xe9"}, {"a": "Ã©"}),
        ("SetEnvIf X (.) a=$1", {"X": "\xe9"}, {"a": "\xe9"}),
    ],
)  # fmt: skip
def test_rules_of_the_server(serve, lines, headers, env):
    assert variables(serve(lines, FILES), headers) == env


def test_the_url_is_looked_at_as_it_came(serve):
    assert variables(serve("SetEnvIf Request_URI (.*) a=$1", FILES), target="/d/%66") == {"a": "/d/%66"}


def test_rules_of_directories_see_what_those_of_the_server_set(serve):
    config = 'SetEnvIf X . a=server\n<Directory "{root}/htdocs/d">\nSetEnvIf a server a=dir\nSetEnvIf a dir b\n</Directory>'
    served = serve(config, FILES)
    assert variables(served, {"X": "1"}) == {"a": "dir"}
    assert variables(served, {"X": "1"}, "/e.html") == {"a": "server"}


def test_each_section_looks_anew(serve):
    config = 'SetEnvIf X . a=1\n<Directory "{root}/htdocs">\nSetEnvIf a 1 a=2\n</Directory>\n'
    inner = '<Directory "{root}/htdocs/d">\nSetEnvIf a 2 a=3\n</Directory>'
    assert variables(serve(config + inner, FILES), {"X": "1"}) == {"a": "3"}


def test_a_virtual_hosts_rules_follow_the_main_servers(serve):
    served = serve("<VirtualHost *:80>\nSetEnvIf X . b=2\n</VirtualHost>\nSetEnvIf X . a=1 b=1", FILES)
    assert variables(served, {"X": "1"}) == {"a": "1", "b": "2"}


def test_fields_that_were_looked_at_are_recorded(serve):
    assert "x-foo" in serve("SetEnvIf X-Foo . a", FILES).ask("/d/f").request.record.headers
    assert "*" in serve("SetEnvIf ^X- . a", FILES).ask("/d/f").request.record.headers


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("SetEnvIf", "Missing header-field name for SetEnvIf"),
        ('SetEnvIf "" y z', "Missing header-field name for SetEnvIf"),
        ("SetEnvIfNoCase X", "Missing regular expression for SetEnvIfNoCase"),
        ('SetEnvIf X "" z', "Missing regular expression for SetEnvIf"),
        ("SetEnvIf X y", "Missing envariable expression for SetEnvIf"),
        ("SetEnvIf X ( z", "SetEnvIf regex could not be compiled."),
        ("SetEnvIf ( y z", "SetEnvIfHeader name regex could not be compiled."),
        ("BrowserMatch", "Missing regular expression for BrowserMatch"),
        ("BrowserMatchNoCase x", "Missing envariable expression for BrowserMatchNoCase"),
        ("BrowserMatch ( z", "BrowserMatch regex could not be compiled."),
        ("SetEnvIfExpr", "Missing expression for SetEnvIfExpr"),
        ("SetEnvIfExpr true", "Missing envariable expression for SetEnvIfExpr"),
    ],
)
def test_refused(refused, line, sentence):
    assert refused(line) == sentence


def test_an_expression_that_cannot_be_read(refused):
    assert refused("SetEnvIfExpr foo bar").startswith('Could not parse expression "foo": syntax error')
