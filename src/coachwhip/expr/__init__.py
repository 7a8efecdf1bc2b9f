"""ap_expr, the language of `<If>`, `Require expr`, `SetEnvIfExpr` and of `expr=` in many directives.

    condition = parse("%{REQUEST_URI} =~ m#^/private/# && ! -R '10.0.0.0/8'")
    if condition.test(scope): ...

    template = parse("https://%{HTTP_HOST}/", string=True)
    template.text(scope)

`lexer` makes tokens, `parser` a tree of `nodes`, `compiler` a closure over a `Scope`. The room touches nothing but its scope.
Manual: expr.html.
"""

from __future__ import annotations

from coachwhip.expr.compiler import Compiler, Survey, Test, Text
from coachwhip.expr.errors import EvaluationError, ExprError
from coachwhip.expr.parser import parse_condition, parse_template
from coachwhip.expr.scope import Scope, octets, unoctets
from coachwhip.expr.vocabulary import CORE, Vocabulary, for_htaccess, for_include

__all__ = [
    "CORE", "EvaluationError", "ExprError", "Expression", "Scope", "Vocabulary", "octets", "parse", "unoctets",
]  # fmt: skip


class Expression:
    """A parsed expression: either a condition, to `test`, or a string template, to ask for its `text`.

    Immutable and free of request state, so one serves all requests.
    """

    __slots__ = ("_survey", "_test", "_text", "source")

    def __init__(self, source: str, survey: Survey, *, test: Test | None = None, text: Text | None = None) -> None:
        #: The text as it was written.
        self.source = source
        self._survey = survey
        self._test = test
        self._text = text

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    @property
    def is_string(self) -> bool:
        """True for a template, False for a condition."""
        return self._text is not None

    @property
    def variables(self) -> frozenset[str]:
        """The names of all `%{NAME}` in it, in upper case."""
        return self._survey.variables

    @property
    def volatile(self) -> bool:
        """True if it reads the clock or an identifier that is new for each request."""
        return self._survey.is_volatile

    def test(self, scope: Scope, *, keep_captures: bool = False) -> bool:
        """Answer the condition.

        keep_captures: `$0` to `$9` begin as the scope has them (mod_include) instead of empty.

        Raises:
            EvaluationError: there is no answer; what this means is the directive's choice.
            TypeError: it is a template.
        """
        if self._test is None:
            raise TypeError("a string template is not a condition")
        self._prepare(scope, keep_captures)
        return self._test(scope)

    def text(self, scope: Scope, *, keep_captures: bool = False) -> str:
        """Fill in the template; the result has one octet per character.

        Raises:
            EvaluationError: there is no text; Apache uses "" in its place.
            TypeError: it is a condition.
        """
        if self._text is None:
            raise TypeError("a condition has no text")
        self._prepare(scope, keep_captures)
        return self._text(scope)

    def _prepare(self, scope: Scope, keep_captures: bool) -> None:
        if not keep_captures and self._survey.uses_captures:
            scope.set_captures(())


def parse(
    text: str,
    *,
    string: bool = False,
    restricted: bool = False,
    ssi_compat: bool = False,
    vary: bool = True,
    vocabulary: Vocabulary = CORE,
) -> Expression:
    """Read an expression.

    text: as read from a configuration file (UTF-8 with surrogateescape), without the directive's own quoting.
    string: a template such as `%{HTTP_HOST}/x` in place of a condition.
    restricted: it stands in `.htaccess`: `file()` and `filesize()` are refused.
    ssi_compat: it stands in a document of mod_include: file tests are refused too, `v()` exists, `vary` is off.
    vary: False where the directive's manual says that headers are not added to `Vary` (`AP_EXPR_FLAG_DONT_VARY`). A
        template never adds any.
    vocabulary: the names that exist, with those of loaded modules.

    Raises:
        ExprError: Apache would refuse it, or it is nested deeper than `parser.MAX_GROUPS` or `parser.MAX_WORD_DEPTH`.
    """
    if restricted:
        vocabulary = for_htaccess(vocabulary)
    if ssi_compat:
        vocabulary = for_include(vocabulary)
    compiler = Compiler(vocabulary, vary and not string and not ssi_compat)
    try:
        raw = octets(text)
    except UnicodeEncodeError as error:
        raise ExprError("half a surrogate pair is no text", error.start + 1) from error
    try:
        if string:
            word = parse_template(raw, vocabulary)
            return Expression(text, Survey(word), text=compiler.text_of(word))
        condition = parse_condition(raw, vocabulary)
        return Expression(text, Survey(condition), test=compiler.test_of(condition))
    except ExprError as error:
        raise ExprError(unoctets(error.message), len(unoctets(raw[: error.column - 1])) + 1) from error
