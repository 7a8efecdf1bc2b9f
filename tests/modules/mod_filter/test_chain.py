"""The lines of mod_filter: chains, providers and what Apache refuses."""

from __future__ import annotations

import pytest

from coachwhip.api import DirectiveError
from coachwhip.modules.filters.mod_deflate import MODULE as DEFLATE
from coachwhip.modules.filters.mod_filter import MODULE, FilterDir, Protocol
from coachwhip.testing.settings import settings


def conf(*sections: str) -> FilterDir:
    return settings(MODULE, FilterDir, *sections, path="/srv/", loaded=[DEFLATE])


def test_by_type_puts_a_filter_into_the_chain_once() -> None:
    found = conf("AddOutputFilterByType DEFLATE text/html\nAddOutputFilterByType DEFLATE text/css")
    assert found.chain == ("BYTYPE:DEFLATE",)
    assert [provider.types for provider in found.filters["BYTYPE:DEFLATE"].providers] == [("text/html",), ("text/css",)]


@pytest.mark.parametrize(
    ("line", "chain"),
    [("FilterChain b", ("a", "b")), ("FilterChain =b", ("b",)), ("FilterChain !", ()), ("FilterChain @b c", ("a", "b", "c"))],
)
def test_an_inner_chain(line: str, chain: tuple[str, ...]) -> None:
    assert conf("FilterChain a", line).chain == chain


def test_a_filter_is_removed_from_its_own_section() -> None:
    assert conf("FilterChain a b -a").chain == ("b",)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("AddOutputFilterByType NOPE text/html", "Unknown filter provider NOPE"),
        ("AddOutputFilterByType DEFLATE", "AddOutputFilterByType requires at least two arguments"),
        ("FilterProtocol f change=yes", "FilterProtocol: No such filter"),
        ("FilterDeclare f\nFilterProtocol f INFLATE change=yes", "FilterProtocol: No such provider for this filter"),
        ("FilterTrace x 1", "Undeclared smart filter x"),
    ],
)
def test_refused(lines: str, message: str) -> None:
    with pytest.raises(DirectiveError) as error:
        conf(lines)
    assert error.value.message == message


def test_a_protocol_is_that_of_the_last_line_after_the_provider() -> None:
    provider, says = 'FilterProvider f DEFLATE "true"\n', "FilterProtocol f deflate change="
    found = conf(f"FilterDeclare other\n{provider}{says}yes\n{provider}{says}1:1;byteranges=no\n{provider}").filters
    assert [found["f"].protocol_of(at) for at in range(3)] == [Protocol.CHANGE | Protocol.NO_BYTERANGE] * 2 + [Protocol.NOTHING]
    assert set(found) == {"f", "other"}
