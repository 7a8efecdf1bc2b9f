"""Which names an expression may use: those of Apache's core, those a module adds, those a place refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coachwhip.expr.functions import FILE_FUNCTIONS, FUNCTIONS, HEADER_FUNCTIONS, INCLUDE_FUNCTIONS, Function
from coachwhip.expr.operators import FILE_TESTS
from coachwhip.expr.scope import Scope
from coachwhip.expr.variables import HEADER_VARIABLES, VARIABLES

ListFunction = Callable[[Scope, str], tuple[str, ...]]


@dataclass(frozen=True)
class Vocabulary:
    """The names known at one place. Variables in upper case, functions in lower case.

    variables: asked for by `Scope.variable`.
    functions, list_functions: called with the scope and the argument.
    variable_prefixes: beginnings of variables that are all accepted (mod_ssl's `SSL_`).
    refused: functions and operators that exist but not here.
    """

    variables: frozenset[str] = VARIABLES
    functions: Mapping[str, Function] = field(default_factory=lambda: FUNCTIONS)
    list_functions: Mapping[str, ListFunction] = field(default_factory=dict)
    variable_prefixes: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()

    def has_variable(self, name: str) -> bool:
        """True if `%{name}` exists; `name` in upper case."""
        return name in self.variables or name in HEADER_VARIABLES or name.startswith(self.variable_prefixes)

    def has_function(self, name: str) -> bool:
        """True if `name(word)` gives a text; `name` in lower case."""
        return name in self.functions or name in HEADER_FUNCTIONS

    def extended(
        self,
        *,
        variables: frozenset[str] = frozenset(),
        functions: Mapping[str, Function] | None = None,
        list_functions: Mapping[str, ListFunction] | None = None,
        variable_prefixes: tuple[str, ...] = (),
        refused: frozenset[str] = frozenset(),
    ) -> Vocabulary:
        """This vocabulary and the names given."""
        return Vocabulary(
            self.variables | variables,
            {**self.functions, **(functions or {})},
            {**self.list_functions, **(list_functions or {})},
            self.variable_prefixes + variable_prefixes,
            self.refused | refused,
        )


#: What exists with no module loaded.
CORE = Vocabulary()


def for_htaccess(vocabulary: Vocabulary) -> Vocabulary:
    """Without the functions that read files. The file *tests* stay, as in Apache."""
    return vocabulary.extended(refused=FILE_FUNCTIONS)


def for_include(vocabulary: Vocabulary) -> Vocabulary:
    """For mod_include's documents: nothing that touches files, and `v()` for its variables."""
    return vocabulary.extended(functions=INCLUDE_FUNCTIONS, refused=FILE_FUNCTIONS | frozenset(FILE_TESTS))
