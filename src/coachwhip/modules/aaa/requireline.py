"""The argument of a `Require` line that may be an expression: read once, for all providers on this shelf.

Source: Apache manual, mod_authz_core, `Require`.
"""

from __future__ import annotations

from coachwhip.api import DirectiveContext, DirectiveError
from coachwhip.expr import ExprError, Expression, parse

__all__ = ["read_require_line"]


def read_require_line(context: DirectiveContext, arguments: str, *, is_condition: bool = False) -> Expression:
    """The expression in `arguments`: a text with `%{…}` in it, or a condition.

    Raises:
        DirectiveError: it cannot be read, or it names what a `.htaccess` file may not use.
    """
    try:
        return parse(arguments, string=not is_condition, restricted=context.in_htaccess)
    except ExprError as error:
        raise DirectiveError(f"Cannot parse expression in require line: {error.message}", alone=True) from error
