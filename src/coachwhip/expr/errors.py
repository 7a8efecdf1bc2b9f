"""What can go wrong with an expression: it cannot be read (at start-up), or not be answered (for one request)."""

from __future__ import annotations


class ExprError(ValueError):
    """The text is not an expression that Apache would accept here.

    message: one line: what stands there and what was expected. The caller puts the directive, file and line before it.
    column: 1-based position in the text where reading stopped.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message, column)
        self.message = message
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (at character {self.column})"


class EvaluationError(Exception):
    """The expression is sound but has no answer for this request, for instance because `file()` cannot read its file.

    What follows is the directive's choice (`<If>` does not apply, `Require expr` denies, `Header` goes on as if there
    were no condition), therefore this is neither True nor False. The text is fit for the error log.
    """
