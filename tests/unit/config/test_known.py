"""What is said of a name that no loaded module has: which module is missing, what is not supported, what was meant."""

from pathlib import Path

import pytest
from config_cases import lay_out, load_text

from coachwhip.config import ConfigError
from coachwhip.config.known import advice, directives, modules


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    lay_out(folder)
    return folder


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("Redirect / /x", "Redirect belongs to mod_alias: LoadModule alias_module is missing."),
        ("<RequireAll>\n</RequireAll>", "<RequireAll> belongs to mod_authz_core: LoadModule authz_core_module is missing."),
        ("SSLEngine on", "SSLEngine is known to Apache (mod_ssl), not supported yet."),
        ("<Proxy *>\n</Proxy>", "<Proxy> is known to Apache (mod_proxy), not supported yet."),
        ("LogLevelOverride x", "LogLevelOverride is known to Apache (core), not supported yet."),
        ("KeepAliv On", "Did you mean KeepAlive?"),
        ("DocumentRot /x", "Did you mean DocumentRoot?"),
        ("<Directry />\n</Directry>", "Did you mean Directory?"),
        ("Xyzzyq", ""),
    ],
)
def test_hint(line: str, hint: str, root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(line.encode(), root)
    assert caught.value.hint == hint
    assert str(caught.value).endswith(hint)
    assert caught.value.message.startswith("Invalid command ")
    assert str(caught.value.location) == f"{root}/c.conf:1"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("LoadModule ssl_module modules/mod_ssl.so", "ssl_module (mod_ssl) is known to Apache, not supported yet"),
        ("LoadModule alais_module modules/mod_alias.so", "alais_module is unknown; did you mean alias_module?"),
        ("LoadModule x_module python:no.such.module", "ModuleNotFoundError: No module named 'no'"),
        ("LoadModule x_module python:no;such", "'no;such' is not the name of a Python module"),
        ("LoadModule x_module python:stub_broken", "ZeroDivisionError"),
        ("LoadModule x_module python:stub_env2", "stub_env2"),
        ("LoadModule x_module python:config_cases", "config_cases.MODULE is not a coachwhip.api.Module"),
    ],
)
def test_a_module_that_cannot_be_loaded(line: str, message: str, root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(line.encode(), root)
    assert message in caught.value.message
    assert str(caught.value.location) == f"{root}/c.conf:1"


def test_a_python_module_must_be_what_the_line_calls_it(root: Path) -> None:
    with pytest.raises(ConfigError, match="python:stub_env is env_module, not other_module"):
        load_text(b"LoadModule other_module python:stub_env", root)


def test_two_mpms_are_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="More than one MPM loaded") as caught:
        load_text(b"LoadModule mpm_prefork_module x.so", root)
    assert caught.value.log_id == "AH00534"


def test_all_of_apaches_modules_are_known() -> None:
    assert len({known.name for known in modules().values()}) == 142
    assert modules()["rewrite_module"].name == modules()["mod_rewrite.c"].name == "mod_rewrite"


def test_names_are_found_in_any_case() -> None:
    assert [row.name for row in directives()["documentroot"]] == ["DocumentRoot"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Listen", "Listen needs an MPM: LoadModule mpm_event_module is missing."),
        ("StartThreads", "StartThreads is known to Apache (mpm_common), not supported yet."),
    ],
)
def test_what_every_mpm_has_is_missed_where_none_is_loaded(name: str, hint: str) -> None:
    assert advice(name, []) == hint
