"""The face of the room: what an `Expression` tells about itself and how it behaves between evaluations."""

from __future__ import annotations

import pytest
from expr_world import FakeScope

from coachwhip.expr import CORE, EvaluationError, ExprError, octets, parse, unoctets


@pytest.fixture
def scope() -> FakeScope:
    return FakeScope()


def test_a_condition_is_tested_and_has_no_text(scope: FakeScope) -> None:
    condition = parse("%{REQUEST_METHOD} == 'GET'")
    assert condition.test(scope) is True
    assert not condition.is_string
    with pytest.raises(TypeError):
        condition.text(scope)


def test_a_template_has_a_text_and_is_not_tested(scope: FakeScope) -> None:
    template = parse("https://%{HTTP_HOST}/", string=True)
    assert template.text(scope) == "https://www.example.com/"
    assert template.is_string
    with pytest.raises(TypeError):
        template.test(scope)


def test_source_is_the_text_as_written() -> None:
    assert parse("'é'  ==  'x'").source == "'é'  ==  'x'"


def test_variables_are_told_in_upper_case_wherever_they_stand() -> None:
    expression = parse("%{http_host} == 'a' || ! ('x%{tolower:%{Request_Uri}}' in {%{AUTH_TYPE}, '1'} && -n %{HTTPS})")
    assert expression.variables == {"HTTP_HOST", "REQUEST_URI", "AUTH_TYPE", "HTTPS"}


@pytest.mark.parametrize("source", ["%{TIME_HOUR} -gt 9", "-n 'x%{time}'", "%{CONN_LOG_ID} == ''", "-n %{REMOTE_PORT}"])
def test_what_changes_without_the_request_changing_is_volatile(source: str) -> None:
    assert parse(source).volatile


@pytest.mark.parametrize("source", ["%{REMOTE_ADDR} == 'x'", "req('TIME') == 'x'", "'TIME' == 'x'"])
def test_all_else_is_not_volatile(source: str) -> None:
    assert not parse(source).volatile


def test_reading_stops_as_soon_as_the_answer_is_known(scope: FakeScope) -> None:
    assert parse("%{HTTPS} == 'off' || %{REMOTE_USER} == 'x'").test(scope)
    assert not parse("%{IPV6} == 'on' && %{REMOTE_USER} == 'x'").test(scope)
    assert scope.asked == ["HTTPS", "IPV6"]


def test_captures_do_not_outlive_the_evaluation(scope: FakeScope) -> None:
    assert parse("'foo' =~ /(o)/").test(scope)
    assert scope.captures() == ("o", "o")
    assert parse("$1 == ''").test(scope)


def test_captures_live_on_where_the_caller_says_so(scope: FakeScope) -> None:
    parse("'foo' =~ /(o)/").test(scope)
    assert parse("$1 == 'o'").test(scope, keep_captures=True)
    assert parse("<$1>", string=True).text(scope, keep_captures=True) == "<o>"


def test_only_ten_captures_are_kept(scope: FakeScope) -> None:
    assert parse("'abcdefghijkl' =~ /(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)/").test(scope)
    assert scope.captures() == ("abcdefghijk", *"abcdefghi")


def test_an_unreadable_file_is_neither_true_nor_false(scope: FakeScope) -> None:
    with pytest.raises(EvaluationError, match="Cannot open file /nowhere"):
        parse("! -n file('/nowhere')").test(scope)


def test_htaccess_may_not_read_files_even_where_it_would_never_come_to_it() -> None:
    with pytest.raises(ExprError, match="file not available in restricted context"):
        parse("true || -n file('/etc/passwd')", restricted=True)
    with pytest.raises(ExprError, match="filesize not available"):
        parse("%{filesize:/etc/passwd}", string=True, restricted=True)


def test_a_template_adds_nothing_to_vary(scope: FakeScope) -> None:
    assert parse("%{req:X-Foo}%{HTTP_USER_AGENT}", string=True).text(scope) == "fooAgent/1.0"
    assert scope.varies == []


def test_vary_can_be_switched_off(scope: FakeScope) -> None:
    assert parse("req('X-Foo') == 'foo'", vary=False).test(scope)
    assert scope.varies == []


def test_errors_say_where_in_characters_of_the_source() -> None:
    with pytest.raises(ExprError) as refused:
        parse("'éé' == nope('x')")
    assert refused.value.column == 9
    assert str(refused.value) == "Function 'nope' does not exist (at character 9)"


def test_errors_show_foreign_characters_as_they_were_written() -> None:
    with pytest.raises(ExprError, match="parsing of subnet/netmask 'ä' failed"):
        parse("-R 'ä'")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'a'", "expected a comparison such as ==, -eq, =~ or -in"),
        ("(true", r"unexpected end of expression, expected '\)'"),
        ("true true", "unexpected 'true', expected &&, || or the end"),
        ("'a' =~ 'b'", "unexpected opening quote, expected a regular expression such as /re/ or m#re#"),
        ("'a' in 'b'", "expected '{' or the name of a list function"),
        ("'a' in {'b' 'c'}", "expected ',' or '}'"),
        ("tolower 'A' == 'a'", r"expected '\('"),
        ("%{HTTP_HOST", "Unterminated string or variable"),
        ("'a' =~ /b", "Unterminated regular expression: expected a closing '/'"),
        ("'a' =~ /(/", "Failed to compile regular expression: "),
        ("-R '10.0.0.0/99'", "expected a prefix length from 1 to 32"),
    ],
)
def test_errors_say_what_was_expected(source: str, expected: str) -> None:
    with pytest.raises(ExprError, match=expected.replace("||", r"\|\|").replace("{'", r"\{'").replace("'}'", r"'\}'")):
        parse(source)


def test_a_module_brings_its_own_names(scope: FakeScope) -> None:
    tls = CORE.extended(
        functions={"ssl": lambda scope, name: f"<{name}>"},
        list_functions={"peerextlist": lambda scope, oid: (oid, "b")},
        variable_prefixes=("SSL_",),
    )
    assert parse("%{SSL:x} == '<x>' && 'b' in PeerExtList('a')", vocabulary=tls).test(scope)
    assert parse("%{SSL_PROTOCOL}%{HTTPS}", string=True, vocabulary=tls).variables == {"SSL_PROTOCOL", "HTTPS"}
    with pytest.raises(ExprError, match="Variable 'SSL_PROTOCOL' does not exist"):
        parse("%{SSL_PROTOCOL}", string=True)


@pytest.mark.parametrize("text", ["", "plain", "é", "\udcff", "ä\udc80z"])
def test_octets_and_back(text: str) -> None:
    assert unoctets(octets(text)) == text
    assert octets(text).encode("latin-1") == text.encode("utf-8", "surrogateescape")
