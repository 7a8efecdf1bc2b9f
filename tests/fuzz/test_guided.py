"""The targets run under atheris, where it is installed."""

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.guided import _dictionary

ROOT = Path(__file__).parent.parent.parent


def test_words_are_written_as_libfuzzer_reads_them():
    assert _dictionary((b"a\n", b'"')) == '"\\x61\\x0a"\n"\\x22"\n'


@pytest.mark.parametrize("target", ["expressions", "htaccess"])
def test_a_short_search(target):
    pytest.importorskip("atheris")
    command = [sys.executable, "-m", "fuzz.guided", target, "--count", "200"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Done 200 runs" in done.stderr
    assert "cov: " in done.stderr
