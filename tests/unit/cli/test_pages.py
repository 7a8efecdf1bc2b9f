"""The pages that programs parse: `-v`, `-V`, `-l`, `-h`, `-L`; and that the quick ones import nothing heavy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coachwhip.cli import versions
from coachwhip.cli.flags import Flags
from coachwhip.cli.httpd import run
from coachwhip.cli.operate import load_options
from coachwhip.config.loading import import_shipped
from coachwhip.modules import SHIPPED, STATIC

#: What only a server needs; `-v`, `-V` and `-l` must not wait for it.
HEAVY = ("asyncio", "uvloop", "ssl", "pcre2", "rich", "jinja2", "argparse", "subprocess", "importlib.resources")
ROOMS = ("api", "config", "connection", "expr", "filters", "hooks", "launch", "logs", "mpm", "protocol", "request", "server", "util")

CHECK = """
import json, sys
from coachwhip.cli.main import main
status = main(["httpd", *sys.argv[1:]])
print(json.dumps([status, sorted(sys.modules)]))
"""


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = run(list(words))
    said = capsys.readouterr()
    return status, said.out, said.err


def test_v(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = printed(capsys, "-v")
    assert status == 0
    assert re.fullmatch(r"Server version: Apache/2\.4\.71 \(Coachwhip [0-9.]+\)\nServer built:   [0-9-]+T[0-9:]+\n", out)


def test_V_has_the_lines_that_programs_look_for(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = printed(capsys, "-V")
    assert status == 0
    lines = out.split("\n")
    assert lines[2] == "Server's Module Magic Number: 20120211:142"
    assert "Server MPM:     event" in lines
    assert "  threaded:     yes (fixed thread count)" in lines
    assert "    forked:     yes (variable process count)" in lines
    assert lines[lines.index("    forked:     yes (variable process count)") + 1] == "Server compiled with...."
    defines = dict(re.findall(r'^ -D (\w+)="([^"]*)"$', out, re.MULTILINE))
    assert {"HTTPD_ROOT", "SERVER_CONFIG_FILE", "DEFAULT_PIDLOG", "DEFAULT_ERRORLOG", "AP_TYPES_CONFIG_FILE"} <= set(defines)


def test_V_prints_the_place_that_is_used() -> None:
    options = load_options(Flags())
    assert f' -D HTTPD_ROOT="{options.server_root}"\n' in versions.settings()
    assert f' -D SERVER_CONFIG_FILE="{options.config_file}"\n' in versions.settings()


def test_l_names_the_source_of_every_built_in_module(capsys: pytest.CaptureFixture[str]) -> None:
    found = [import_shipped(identifier) for identifier in STATIC]
    sources = [module.source for module in found if module is not None]
    assert printed(capsys, "-l") == (0, "Compiled in modules:\n" + "".join(f"  {name}\n" for name in sources), "")


@pytest.mark.parametrize("flag", ["-v", "-V", "-l", "-h"])
def test_the_quick_pages_import_nothing_heavy(flag: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHECK, flag], capture_output=True, text=True, check=True)
    _, loaded = json.loads(done.stdout.splitlines()[-1])
    wanted = {f"coachwhip.{room}" for room in ROOMS} | set(HEAVY)
    assert not [name for name in loaded if name in wanted or name.startswith(tuple(f"{one}." for one in wanted))]


@pytest.mark.parametrize("flag", ["-h", "-?"])
def test_h_prints_its_page_to_stderr_and_ends_with_1(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = printed(capsys, flag)
    assert (status, out) == (1, "")
    for letter in "dfCcDeEktTSMLlvVXh":
        assert f"-{letter}" in err


def test_a_wrong_flag_is_named_above_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = printed(capsys, "-z")
    assert (status, out) == (1, "")
    assert err.startswith("httpd: illegal option -- z\nusage: ")


def test_L_says_of_every_directive_what_apache_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = [
        line.split("\t")
        for line in Path(__file__).parent.joinpath("recorded/contexts.tsv").read_text().split("\n")
        if line and line[0] != "#"
    ]
    wanted = {(name.lower(), source): words for name, source, words in recorded}
    loads = [f"LoadModule {name} x" for name in SHIPPED if name not in STATIC and name not in ("mpm_worker_module", "mpm_prefork_module")]
    (tmp_path / "c.conf").write_text("\n".join(loads))
    status, out, _ = printed(capsys, "-d", str(tmp_path), "-f", "c.conf", "-L")
    assert status == 0
    found = re.findall(r"^(<?\w+) \((\S+)\)\n\t.*\n\tAllowed in \*\.conf (.*)\n(?:\t(when .*)\n)?", out, re.MULTILINE)
    ours = {(name.lower(), source): f"{place} {override}".rstrip() for name, source, place, override in found}
    differing = {key: (ours[key], words) for key, words in wanted.items() if key in ours and ours[key] != words}
    assert not differing
    assert not set(wanted) - set(ours)
