"""mod_replay -- whether, and how many, finished answers are kept to be given again while nothing they were made from has changed.

The directives are ours; Apache has no counterpart. Keeping and finding is the business of `request/replay.py`.
"""

from __future__ import annotations

from coachwhip.api import Args, Directive, DirectiveContext, DirectiveError, Module, Where
from coachwhip.api.replay import ReplayDir, ReplayServer
from coachwhip.util.sizes import parse_size


def _size(context: DirectiveContext, word: str) -> int:
    try:
        return parse_size(word)
    except ValueError:
        raise DirectiveError(f"'{word}' is not a size: digits, with K, M or G behind them or not") from None


def _count(context: DirectiveContext, word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 7 and int(word) > 0):
        raise DirectiveError(f"'{word}' is not a number from 1 to 999999")
    return int(word)


MODULE = Module(
    "replay_module",
    "mod_replay.c",
    dir_config=ReplayDir,
    server_config=ReplayServer,
    replayable=True,
    directives=(
        Directive("Replay", sets="on", args=Args.FLAG, where=Where.OPTIONS,
                  help="'On' or 'Off': whether answers are kept and given again while nothing they were made from has changed"),
        Directive("ReplayMaxBody", sets="max_body", value=_size, args=Args.ONE, where=Where.SERVER | Where.SECTION,
                  help="the largest body that is kept in memory, in bytes, with K, M or G"),
        Directive("ReplayVariants", sets="variants", value=_count, args=Args.ONE, where=Where.SERVER | Where.SECTION,
                  help="how many answers are kept for one request line and host"),
        Directive("ReplayMemory", sets="memory", value=_size, args=Args.ONE, where=Where.SERVER, global_only=True,
                  help="memory for kept answers in each worker, in bytes, with K, M or G"),
    ),
)  # fmt: skip
