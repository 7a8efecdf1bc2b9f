"""`load`: order of reading, what belongs to which server, in which order sections are merged, and the dumps."""

import os
from pathlib import Path

import pytest
from config_cases import NEWLINE, lay_out, load_text

from coachwhip.api import CoreDir, CoreServer, Options
from coachwhip.api.mpm import ServerMpm
from coachwhip.config import ConfigError, Folded, Loaded, LoadOptions, Section, SectionKind, load
from coachwhip.config.dump import dump_config, dump_includes


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    lay_out(folder)
    return folder


@pytest.fixture
def read(root: Path):
    def read(text: str, **options: object) -> Loaded:
        return load_text(text.encode(), root, **options)

    return read


def titles(sections: list[Section]) -> list[str]:
    return [str(section) for section in sections]


def test_the_main_server_and_its_virtual_hosts(read) -> None:
    loaded = read(
        """
        Timeout 7
        ServerAdmin main@h
        <VirtualHost *:80 127.0.0.1:81 [::1]:*>
        ServerName https://a.example:8443
        ServerAlias b.example *.c.example d?.example
        ServerAlias e.example
        Timeout 9
        </VirtualHost>
        <VirtualHost _default_>
        </VirtualHost>
        """
    )
    first, second = loaded.servers
    assert loaded.main.core.timeout == 7 and not loaded.main.is_virtual
    assert first.is_virtual and first.addresses == ((None, 80), ("127.0.0.1", 81), ("::1", None))
    core = first.core
    assert (core.server_scheme, core.server_name, core.server_port) == ("https", "a.example", 8443)
    assert (core.aliases, core.wild_aliases) == (("b.example", "e.example"), ("*.c.example", "d?.example"))
    assert (core.timeout, core.server_admin) == (9, "main@h")
    # What a virtual host does not say it has from the main server: its name too, its aliases not.
    assert (second.addresses, second.core.server_name, second.core.aliases) == (((None, None),), "h", ())
    assert [str(server.location) for server in loaded.servers] == [f"{loaded.config_file}:4", f"{loaded.config_file}:10"]
    assert loaded.main.location is None


def test_server_path_is_not_inherited(read) -> None:
    loaded = read("ServerPath /x\n<VirtualHost *:80>\n</VirtualHost>")
    assert loaded.main.core.server_path == "/x"
    assert loaded.servers[0].core.server_path is None


def test_directories_merge_by_components_then_by_place_and_regexes_last(read) -> None:
    loaded = read(
        """
        <DirectoryMatch ^/a>
        </DirectoryMatch>
        <Directory /a/b/c>
        </Directory>
        <Directory /a/*>
        </Directory>
        <Directory />
        </Directory>
        <VirtualHost *:80>
        <Directory ~ ^/b>
        </Directory>
        <Directory /a/x/..>
        </Directory>
        <Directory "/z z">
        </Directory>
        <Directory />
        </Directory>
        </VirtualHost>
        """
    )
    assert titles(loaded.main.sections.directories) == [
        "<Directory />",
        "<Directory /a/*/>",
        "<Directory /a/b/c/>",
        "<DirectoryMatch ^/a>",
    ]
    assert titles(loaded.servers[0].sections.directories) == [
        "<Directory />",
        "<Directory />",
        "<Directory /a/>",
        "<Directory /z z/>",
        "<Directory /a/*/>",
        "<Directory /a/b/c/>",
        "<DirectoryMatch ^/a>",
        "<DirectoryMatch ^/b>",
    ]
    assert [section.is_glob for section in loaded.main.sections.directories[:3]] == [False, True, False]


def test_locations_stand_in_order_of_appearance_the_main_servers_first(read) -> None:
    loaded = read(
        "<VirtualHost *:80>\n<Location /c>\n</Location>\n</VirtualHost>\n"
        "<LocationMatch ^/a>\n</LocationMatch>\n<Location /b>\n</Location>\n<Location ~ /d>\n</Location>"
    )
    assert titles(loaded.main.sections.locations) == ["<LocationMatch ^/a>", "<Location /b>", "<LocationMatch /d>"]
    assert titles(loaded.servers[0].sections.locations) == [*titles(loaded.main.sections.locations), "<Location /c>"]


def test_files_and_ifs_stand_in_their_section(read) -> None:
    loaded = read(
        """
        <Files *.x>
        ForceType a/x
        </Files>
        <Directory /d>
        <Files y>
        <If "%{HTTP_HOST} == 'h'">
        ForceType a/i
        </If>
        </Files>
        <If "true">
        </If>
        <ElseIf "false">
        </ElseIf>
        <Else>
        </Else>
        </Directory>
        """
    )
    (base,) = loaded.main.sections.base
    assert titles(base.files) == ["<Files *.x>"] and base.files[0].is_glob
    (directory,) = loaded.main.sections.directories
    (files,) = directory.files
    assert files.ifs[0].get(CoreDir, "force_type") == "a/i"
    assert files.ifs[0].condition is not None
    assert [section.kind for section in directory.ifs] == [SectionKind.IF, SectionKind.ELSE_IF, SectionKind.ELSE]
    assert directory.get(CoreDir, "force_type") is None


def test_named_groups_of_a_pattern_are_kept(read) -> None:
    (section,) = read("<DirectoryMatch ^/(?<site>[a-z]+)>\n</DirectoryMatch>").main.sections.directories
    assert section.regex is not None
    found = section.regex.match("/abc")
    assert found is not None and found.named() == {"site": "abc"}


def test_a_server_setting_inside_a_virtual_host_stays_there(read) -> None:
    loaded = read("<VirtualHost *:80>\nKeepAlive Off\nOptions Indexes\n</VirtualHost>")
    assert loaded.main.core.keep_alive and not loaded.servers[0].core.keep_alive
    assert loaded.main.config(CoreDir).options.value == Options.FOLLOW_SYM_LINKS
    assert loaded.servers[0].config(CoreDir).options.value == Options.INDEXES


def test_command_line_lines_come_before_and_after_the_file(root: Path) -> None:
    path = str(root / "c.conf")
    options = LoadOptions(
        str(root),
        path,
        before=["Define A 1", "Timeout 1", "KeepAliveTimeout 1"],
        after=["Timeout 3", "ServerName ${A}${B}"],
        texts={path: b"Timeout 2\nKeepAliveTimeout 2\nDefine B 2\n"},
    )
    core = load(options).main.core
    assert (core.timeout, core.keep_alive_timeout, core.server_name) == (3, 2, "12")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["ServerName x", "Blah"], "AH00526: Syntax error on line 2 of -c/-C directives:\nInvalid command 'Blah', "),
        (["Include nonono"], "Syntax error in -C/-c directive: Could not open configuration file ROOT/nonono: No such file"),
        (["<Directory />"], "Syntax error in -C/-c directive: -c/-C directives:1: <Directory> was not closed."),
    ],
)
def test_errors_on_the_command_line(lines: list[str], message: str, root: Path) -> None:
    path = str(root / "c.conf")
    with pytest.raises(ConfigError) as caught:
        load(LoadOptions(str(root), path, before=lines, texts={path: b""}))
    assert str(caught.value).replace(str(root), "ROOT").startswith(message)


def test_a_missing_file_is_an_error(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(LoadOptions(str(root), "nope.conf"))
    assert str(caught.value) == f"Could not open configuration file {root}/nope.conf: No such file or directory"


def test_only_regular_files_are_read(read, root: Path) -> None:
    os.mkfifo(root / "pipe")
    for path in ("pipe", "/dev/zero"):
        with pytest.raises(ConfigError, match=f"Could not open configuration file .*{path}: not a regular file"):
            read(f"Include {path}")
    read("Include /dev/null")


def test_a_line_without_end_is_refused(root: Path) -> None:
    path = str(root / "c.conf")
    with pytest.raises(ConfigError) as caught:
        load(LoadOptions(str(root), path, texts={path: b"\nError " + b"x" * 2**24}))
    assert str(caught.value) == f"Error reading {path} at line 2: Line too long"


def test_names_of_the_command_line_are_defined_without_a_value(root: Path) -> None:
    path = str(root / "c.conf")
    text = b"<IfDefine X>\nTimeout 5\n</IfDefine>\nServerAdmin ${X}\nDefine Y z\nUnDefine W\n"
    loaded = load(LoadOptions(str(root), path, defines=["X", "W"], texts={path: text}, environment={}))
    assert loaded.main.core.timeout == 5
    assert loaded.main.core.server_admin == "${X}"
    assert loaded.defines == {"X": "", "Y": "z"}
    assert [warning.log_id for warning in loaded.warnings] == ["AH00111"]


def test_environment_fills_in_behind_define(root: Path) -> None:
    path = str(root / "c.conf")
    text = b"Define A defined\nServerAdmin ${A}${B}\n"
    options = LoadOptions(str(root), path, texts={path: text}, environment={"A": "no", "B": "-environment"})
    assert load(options).main.core.server_admin == "defined-environment"


def test_a_preset_holds_until_a_line_says_otherwise(root: Path) -> None:
    path = str(root / "c.conf")
    preset = {CoreServer: {"timeout": 3.0, "server_admin": "preset"}}
    core = load(LoadOptions(str(root), path, preset=preset, texts={path: b"Timeout 4\n"})).main.core
    assert (core.timeout, core.server_admin) == (4, "preset")


def test_listeners_keep_their_lines(read) -> None:
    loaded = read("Listen 8080\nListen [::1]:8443 https\nListen 443")
    found = [(listener.host, listener.port, listener.protocol) for listener in loaded.main.config(ServerMpm).listeners]
    assert found == [("127.0.0.1", 8999, None), (None, 8080, None), ("::1", 8443, "https"), (None, 443, "https")]
    assert str(loaded.main.config(ServerMpm).listeners[1].location) == f"{loaded.config_file}:1"
    assert loaded.mpm == "event"


def test_every_value_knows_its_lines(read) -> None:
    loaded = read("Timeout 5\nTimeout 6\nErrorDocument 404 a\nErrorDocument 500 b")
    settings = loaded.main.settings
    assert [source.line for source in settings.sources(CoreServer, "timeout")] == [2]
    assert [source.line for source in settings.sources(CoreDir, "error_documents")] == [3, 4]


def test_files_read_and_by_which_line(read, root: Path) -> None:
    loaded = read("Include ok/z.conf\nIncludeOptional inc/*.conf")
    names = [(file.path.removeprefix(f"{root}/")) for file in loaded.files]
    assert names == ["prelude.conf", "c.conf", "ok/z.conf", "inc/a.conf", "inc/b.conf"]
    assert dump_includes(loaded.includes).replace(str(root), "ROOT") == (
        "Included configuration files:\n"
        "    (1) ROOT/prelude.conf\n"
        "  (*) ROOT/c.conf\n"
        "    (1) ROOT/ok/z.conf\n"
        "    (2) ROOT/inc/a.conf\n"
        "    (2) ROOT/inc/b.conf\n"
    )


def test_the_configuration_as_read_can_be_printed(read, root: Path) -> None:
    text = NEWLINE.join(
        [
            'Define X 80 ⏎ Listen ${X} ⏎ <Directory /a> ⏎ Options None ⏎   <Files "x"> ⏎ SetEnv   a  b ⏎ </Files> ⏎ </Directory>',
            "<IfDefine X> ⏎ # c ⏎ Timeout \\ ⏎  50 ⏎ </IfDefine> ⏎ <Macro A $x> ⏎ SetEnv $x ${X} ⏎ </Macro> ⏎ Use A 2",
            "<Directory /b> ⏎ Include ok/z.conf ⏎ </Directory> ⏎ <If true > ⏎ </If> ⏎ <Else> ⏎ </Else>",
        ]
    ).replace(NEWLINE, "\n")
    with pytest.raises(ConfigError, match="KeepAlive not allowed in <Directory> context"):
        read(text)
    loaded = read(text.replace("Include ok/z.conf\n", ""))
    printed = dump_config(loaded.tree).replace(str(root), "ROOT")
    # Apache's own output for these lines.
    assert printed.partition("# In file: ROOT/c.conf\n")[2] == (
        "#   2:\nListen 80\n"
        "#   3:\n<Directory /a>\n"
        "  #   4:\n  Options None\n"
        '  #   5:\n  <Files "x">\n'
        "    #   6:\n    SetEnv a  b\n"
        "  </Files>\n"
        "</Directory>\n"
        "#  12:\nTimeout 50\n"
        '# In file: macro \'a\' (defined on line 14 of "ROOT/c.conf") used on line 17 of "ROOT/c.conf"\n'
        "#   1:\nSetEnv 2 80\n"
        "# In file: ROOT/c.conf\n"
        "#  18:\n<Directory /b>\n"
        "#  20:\n<If true >\n"
        "#  22:\n<Else >\n"
    )


ENVVARS = {
    "APACHE_RUN_USER": "www-data",
    "APACHE_RUN_GROUP": "www-data",
    "APACHE_PID_FILE": "/nonexistent/apache2.pid",
    "APACHE_RUN_DIR": "/tmp",
    "APACHE_LOCK_DIR": "/tmp",
    "APACHE_LOG_DIR": "/tmp",
}


@pytest.mark.skipif(not os.path.exists("/etc/apache2/apache2.conf"), reason="no Apache configuration here")
def test_debians_configuration_is_read_as_it_is() -> None:
    loaded = load(LoadOptions("/etc/apache2", "apache2.conf", environment=ENVVARS))
    assert loaded.warnings == []
    assert loaded.main.core.timeout == 300
    assert loaded.main.config(ServerMpm).user == "www-data"
    (host,) = loaded.servers
    assert (host.addresses, host.core.document_root) == (((None, 80),), "/var/www/html")
    assert titles(loaded.main.sections.directories)[:3] == ["<Directory />", "<Directory /usr/share/>", "<Directory /var/www/>"]
    root = loaded.main.sections.directories[0]
    assert Folded((root,)).get(CoreDir).override.classes.value == 0
    for file in loaded.files:
        assert bytes(file) == Path(file.path).read_bytes()
