"""`coachwhip`: how a command ends."""

import os
import subprocess
import sys

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
