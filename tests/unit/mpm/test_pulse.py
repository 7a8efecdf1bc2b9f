"""Signs of life pass from one process to another."""

from __future__ import annotations

import os

from coachwhip.mpm.pulse import Pulse, Pulses


def test_another_process_feels_it() -> None:
    pulses = Pulses(3)
    said = Pulse(12.5, 0.25, 70 << 30, 3, 4_000_000_000, 5)
    pid = os.fork()
    if pid == 0:
        pulses.give(2, said)
        os._exit(0)
    os.waitpid(pid, 0)
    assert pulses.feel(2) == said
    assert pulses.feel(1) == Pulse()
    pulses.clear(2)
    assert pulses.feel(2) == Pulse()
