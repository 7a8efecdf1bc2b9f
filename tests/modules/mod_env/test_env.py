"""SetEnv, PassEnv and UnsetEnv: precedence and order as Apache 2.4.71 has them."""

import pytest

FILES = {"htdocs/f": "x", "htdocs/d/f": "x", "htdocs/d/s/f": "x"}


def variables(served, target="/f", headers=None):
    env = served.ask(target, headers).request.env
    return {name: value for name, value in env.items() if len(name) <= 2}


def below(path, lines):
    return f'<Directory "{{root}}/htdocs{path}">\n{lines}\n</Directory>\n'


@pytest.mark.parametrize(
    ("lines", "env"),
    [
        ("SetEnv a 1\nSetEnv b\nSetEnv c 'x y'", {"a": "1", "b": "", "c": "x y"}),
        ("SetEnv a 1\nUnsetEnv a", {}),
        ("UnsetEnv a\nSetEnv a 1", {"a": "1"}),
        ("SetEnv a 1\nSetEnv A 2", {"a": "2"}),
        ('SetEnv a "%{REQUEST_URI} $1"', {"a": "%{REQUEST_URI} $1"}),
        ("SetEnv a é", {"a": "Ã©"}),
    ],
)
def test_one_section(serve, lines, env):
    assert {name.lower(): value for name, value in variables(serve(lines, FILES)).items()} == env


def test_inner_sections_take_back_and_set_anew(serve):
    config = "SetEnv a 1\nSetEnv b 1\nSetEnv c 1\n" + below("/d", "UnsetEnv a b\nSetEnv b 2\nSetEnv d 1")
    served = serve(config + below("/d/s", "SetEnv a 3\nUnsetEnv D"), FILES)
    assert variables(served) == {"a": "1", "b": "1", "c": "1"}
    assert variables(served, "/d/f") == {"b": "2", "c": "1", "d": "1"}
    assert variables(served, "/d/s/f") == {"a": "3", "b": "2", "c": "1"}


def test_what_is_set_already_stays(serve):
    served = serve("SetEnv a 1\nSetEnv b 1\nSetEnvIf X . A=if\nUnsetEnv c\nSetEnvIf X . c=if", FILES)
    assert variables(served, headers={"X": "1"}) == {"A": "if", "b": "1", "c": "if"}


def test_a_virtual_host_over_the_main_server(serve):
    served = serve("SetEnv a main\nSetEnv b main\n<VirtualHost *:80>\nSetEnv a host\n</VirtualHost>", FILES)
    assert served.pipeline.startup.servers[0].settings is not served.pipeline.startup.main.settings
    assert variables(served) == {"a": "host", "b": "main"}


def test_the_servers_own_environment_is_passed_on_where_it_has_the_name(serve, monkeypatch):
    monkeypatch.setenv("zz", "there")
    monkeypatch.delenv("zy", raising=False)
    assert variables(serve("PassEnv zz zy", FILES)) == {"zz": "there"}


def test_an_equals_sign_in_the_name_is_warned_of(serve):
    served = serve("SetEnv A=B", FILES)
    text = "Spurious usage of '=' in an environment variable name. 'SetEnv A B' expected instead?"
    assert served.warnings == [text]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("SetEnv", "SetEnv takes 1-2 arguments, an environment variable name and optional value to pass to CGI."),
        ("SetEnv A B C", "SetEnv takes 1-2 arguments, an environment variable name and optional value to pass to CGI."),
        ("PassEnv", "PassEnv requires at least one argument, a list of environment variables to pass to CGI."),
        ("UnsetEnv", "UnsetEnv requires at least one argument, a list of variables to remove from the CGI environment."),
    ],
)
def test_refused(refused, line, sentence):
    assert refused(line) == sentence
