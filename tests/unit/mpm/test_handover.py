"""Handing over: what the new program does when the old one is no longer there to hear of it."""

from __future__ import annotations

import os

import pytest

from coachwhip.mpm.handover import say_serving


def test_the_old_parent_hears_that_the_new_one_serves() -> None:
    hear, say = os.pipe()
    say_serving(say)
    assert os.read(hear, 8) == b"+"
    os.close(hear)


def test_an_old_parent_that_is_gone_is_no_reason_to_end() -> None:
    hear, say = os.pipe()
    os.close(hear)
    say_serving(say)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(say)
