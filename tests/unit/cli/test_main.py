"""`coachwhip`: how a command ends."""

import os
import subprocess
import sys

import pytest

from coachwhip.cli import ctl
from coachwhip.cli.main import UNREAD


def test_a_reader_that_goes_away_ends_the_command_without_a_word():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "coachwhip", "httpd", "-l"], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (UNREAD, b"")


def test_ctl_says_what_is_wrong_with_what_stands_behind_a_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl.run(["status", "-d", "/", "more"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("coachwhip ctl: only flags may stand behind the verb\n\nusage:")
