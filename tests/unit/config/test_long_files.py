"""A long file costs in proportion to its lines: whoever may write a `.htaccess` cannot keep the server busy with one.

Counted are calls while the file is read and its settings are folded, and how much is handed over to be kept.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from coachwhip.api import Repeat, Where
from coachwhip.api.core import Override
from coachwhip.config import Folded, LoadOptions
from coachwhip.config.htaccess import read_htaccess
from coachwhip.config.load import Loaded, load
from coachwhip.config.sections import Section

MODULES = (
    "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_host", "authz_user", "authz_groupfile", "access_compat",
    "alias", "autoindex", "deflate", "dir", "env", "filter", "mime", "negotiation", "setenvif",
)  # fmt: skip
SHORT, LONG = 200, 800
#: Fields of a `SmartFilter` that are not made anew for each line.
GROWING = ("providers", "protocols")
#: What is more by a constant, or by a logarithm, is not what this is about.
SLACK = 1.1
LINES = (
    "SetEnv a{n} b", "PassEnv a{n}", "UnsetEnv a{n}", "SetEnvIf Cookie c{n} seen{n}=1", "SetEnvIf C{n} c seen{n}=1",
    "SetEnvIfNoCase Cookie c{n} seen=1", "BrowserMatch x{n} y{n}=1", "BrowserMatchNoCase x{n} y{n}=1",
    "SetEnvIfExpr \"%{HTTP_HOST} == 'x{n}'\" a{n}=1", "Redirect /x{n} /y", "RedirectMatch ^/x{n} /y", "RedirectTemp /x{n} /y",
    "RedirectPermanent /x{n} /y", "ErrorDocument 404 /x{n}", "AddType a/b{n} .x{n}", "AddLanguage e{n} .e{n}", "AddCharset e{n} .e{n}",
    "AddEncoding e{n} .e{n}", "AddHandler e{n} .e{n}", "AddInputFilter DEFLATE .x{n}", "AddOutputFilter DEFLATE .x{n}",
    "RemoveType .x{n}", "RemoveLanguage .x{n}", "RemoveCharset .x{n}", "RemoveEncoding .x{n}", "RemoveHandler .x{n}",
    "RemoveInputFilter .x{n}", "RemoveOutputFilter .x{n}", "MultiviewsMatch Any", "LanguagePriority e{n}", "DirectoryIndex x{n}",
    "DirectoryIndex disabled", "Require ip 10.0.0.1", "Require user a{n}", "Require all denied", "Require method GET",
    "Require expr true", "AuthMerging Or", "<RequireAny>\nRequire user x{n}\n</RequireAny>",
    "<RequireAll>\nRequire user x{n}\nRequire not ip 10.0.0.1\n</RequireAll>", "<Limit GET>\nRequire user x{n}\n</Limit>",
    "<LimitExcept GET>\nRequire user x{n}\n</LimitExcept>", "Order allow,deny", "Allow from 10.0.0.1", "Deny from env=x{n}",
    "Satisfy Any", "AuthBasicProvider file", "AddIcon /i{n}.png .x{n}", "AddIcon (A{n},/i{n}.png) .x{n}", "AddIconByType /i{n} a/b{n}",
    "AddIconByEncoding /i x{n}", 'AddAlt "t{n}" .x{n}', 'AddAltByType "t{n}" a/b{n}', 'AddAltByEncoding "t{n}" x{n}',
    'AddDescription "t{n}" x{n}', "IndexIgnore x{n}", "IndexIgnoreReset On", "IndexOptions +FancyIndexing", "IndexOptions NameWidth={n}0",
    "Options +Indexes", "FileETag +Size", "FilterDeclare x{n}", 'FilterProvider x{n} DEFLATE "true"',
    "FilterProvider x DEFLATE \"'{n}' == ''\"", "FilterProvider x DEFLATE true\nFilterProtocol x DEFLATE change=yes", "FilterChain x{n}",
    "FilterChain +x{n} -x{n}", "AddOutputFilterByType DEFLATE a/b{n}", "<Files x{n}>\nForceType a/b\n</Files>",
    "<FilesMatch x{n}>\nForceType a/b\n</FilesMatch>", "<If \"%{HTTP_HOST} == 'x{n}'\">\nForceType a/b{n}\n</If>",
    "<IfModule dir_module>\nSetEnv x{n} y\n</IfModule>", "<Files x{n}>\nSetEnvIf Cookie c{n} s{n}\n</Files>",
    "<Macro M{n}>\nSetEnv x y\n</Macro>\nUse M{n}", "# {n}", "\\", "CGIVar REQUEST_URI current-uri",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    root = tmp_path_factory.mktemp("root")
    text = "ServerName h\n" + "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in (*MODULES, "macro"))
    path = f"{root}/httpd.conf"
    return load(LoadOptions(str(root), path, texts={path: text.encode()}, environment={}))


class Work:
    """Calls that were made, and the size of what was said to sections."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        plain = Section.set

        def counting(section: Section, config: type[Any], name: str, value: Any, *more: Any) -> None:
            self.count += size_of(value)
            plain(section, config, name, value, *more)

        monkeypatch.setattr(Section, "set", counting)

    def of(self, loaded: Loaded, line: str, count: int) -> int:
        text = "\n".join(line.replace("{n}", str(number)) for number in range(count)) + "\n"
        self.count = 0
        sys.setprofile(self._called)
        try:
            section = read_htaccess(text.encode(), "/d/.htaccess", "/d/", Override(Where.ALL), frozenset(), loaded)
            folded = Folded((loaded.main.sections.base[0], section))
            for module in loaded.modules:
                if module.dir_config is not None:
                    folded.get(module.dir_config)
        finally:
            sys.setprofile(None)
        return self.count

    def _called(self, frame: object, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            self.count += 1


def size_of(value: object) -> int:
    """How many things a value holds."""
    if isinstance(value, (tuple, list, frozenset)):
        return sum(map(size_of, value))
    if isinstance(value, Mapping):
        return sum(map(size_of, value.values()))
    if dataclasses.is_dataclass(value):
        return sum(size_of(getattr(value, field.name)) for field in dataclasses.fields(value) if field.name not in GROWING)
    return 1


@pytest.mark.parametrize("line", LINES)
def test_four_times_the_lines_are_four_times_the_work(loaded: Loaded, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    work = Work(monkeypatch)
    work.of(loaded, line, SHORT)
    short = work.of(loaded, line, SHORT)
    assert work.of(loaded, line, LONG) <= short * LONG / SHORT * SLACK


def test_every_directive_whose_lines_add_up_is_tried(loaded: Loaded) -> None:
    tried = {line.split(" ")[0].lower() for lines in LINES for line in lines.split("\n")}
    rows = {row for module in loaded.modules for row in module.directives if row.where.override}
    assert {row.name.lower() for row in rows if row.repeat is not Repeat.REPLACE} - tried == set()
