"""mod_macro: `<Macro>`, `Use`, `UndefMacro`.

A macro is text. `Use` puts its lines, with the parameters filled in, in front of what is read next, so brackets may open in a
macro and close behind it. Source: Apache manual, `mod_macro`; messages, their numbers and line counting compared with 2.4.71.
One difference: Apache loses the last line of a file that has no line end when a macro is used just before it; here it counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from coachwhip.api.directives import DirectiveError, Location
from coachwhip.config.filling import Room
from coachwhip.config.reading import Action, Reader, Source
from coachwhip.config.tree import Node
from coachwhip.util.words import SPACES, word_at

__all__ = ["MACRO_ACTIONS", "Macro"]

PREFIXES = "$%@"


@dataclass(frozen=True, slots=True)
class Macro:
    """One definition. `name` is in lower case."""

    name: str
    parameters: tuple[str, ...]
    #: Trimmed logical lines without comments; a line's number is its place here.
    lines: tuple[str, ...]
    location: Location

    @property
    def title(self) -> str:
        """For messages."""
        return f"macro '{self.name}' ({_place('defined', self.location)})"

    def expand(self, arguments: list[str], room: Room) -> list[str]:
        """The lines with the parameters replaced; where several fit, the longest does. Arguments are not expanded again.

        Raises:
            DirectiveError: they are longer than `room` allows.
        """
        room.take(sum(len(line) + 1 for line in self.lines))
        if not self.parameters:
            return list(self.lines)
        values = {name: _quoted(name, value) for name, value in zip(self.parameters, arguments, strict=True)}
        # A pattern of plain alternatives, longest first: linear.
        names = sorted(self.parameters, key=len, reverse=True)
        pattern = re.compile("|".join([re.escape(name) for name in names]))
        for line in self.lines:
            room.take(sum(len(values[name]) for name in pattern.findall(line)))
        return [pattern.sub(lambda found: values[found[0]], line) for line in self.lines]


def _quoted(parameter: str, value: str) -> str:
    if not parameter.startswith("@"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _place(verb: str, at: Location) -> str:
    return f'{verb} on line {at.line} of "{at.file}"'


def _refuse(message: str) -> DirectiveError:
    return DirectiveError(message, alone=True)


def _define(reader: Reader, node: Node, source: Source, words: tuple[object, ...]) -> list[Node]:
    macro = _heading(reader, node, str(words[0]))
    _check_name(reader, macro)
    _check_parameters(reader, macro)
    macro = replace(macro, lines=tuple(_body(reader, node, source, macro)))
    _check_lines(reader, macro)
    if reader.state.macros is None:
        reader.state.macros = {}
    reader.state.macros[macro.name] = macro
    return []


def _heading(reader: Reader, node: Node, raw: str) -> Macro:
    """Name and parameters of `<Macro name parameter …>`."""
    inside, bracket, after = raw.rpartition(">")
    if not bracket:
        raise _refuse(f"{node.title} directive missing closing '>'")
    if not inside:
        raise _refuse(f"{node.name} macro definition: empty name")
    if after:
        place = f"on line {node.location.line} of {node.location.file}"
        message = f"AH02801: non blank chars found after {node.name} closing '>' {place}: {after}"
        reader.state.warn(message, "AH02989", node.location)
    name, at = word_at(inside)
    if not name:
        raise _refuse(f"{node.name} macro definition: name not found")
    return Macro(name.lower(), tuple(_all_words(inside, at)), (), node.location)


def _all_words(text: str, at: int) -> list[str]:
    """The words from `at` on, empty ones included."""
    words: list[str] = []
    while at < len(text):
        word, at = word_at(text, at)
        words.append(word)
    return words


def _check_name(reader: Reader, macro: Macro) -> None:
    if macro.name[0] in PREFIXES:
        reader.state.warn(f"{macro.title} better prefix a macro name with any of '{PREFIXES}'", "AH02803", macro.location)
    old = (reader.state.macros or {}).get(macro.name)
    if isinstance(old, Macro):
        places = f"{_place('defined', old.location)}, re{_place('defined', macro.location)}"
        reader.state.warn(f"macro '{macro.name}' multiply defined: {places}", "AH02802", macro.location)


def _check_parameters(reader: Reader, macro: Macro) -> None:
    def warn(message: str, log_id: str) -> None:
        reader.state.warn(f"{macro.title}{message}", log_id, macro.location)

    for number, name in enumerate(macro.parameters, 1):
        if not name:
            raise _refuse(f"{macro.title}: empty argument #{number} name")
        if name.startswith("${"):
            warn(f" argument name '{name}' (#{number}) clashes with 'Define' syntax '${{...}}', better use '$(...)'.", "AH02805")
        if name[0] not in PREFIXES:
            warn(
                f" argument name '{name}' (#{number}) without expected prefix, "
                f"better prefix argument names with one of '{PREFIXES}'.",
                "AH02796",
            )
        for later, other in enumerate(macro.parameters[number:], number + 1):
            if other == name:
                raise _refuse(
                    f"argument name conflict in {macro.title}: argument '{name}': #{number} and #{later}, change argument names!"
                )
            if other.startswith(name) or name.startswith(other):
                warn(
                    f": argument name prefix conflict ({name} #{number} and {other} #{later}), "
                    "be careful about your macro definition!",
                    "AH02797",
                )


def _body(reader: Reader, node: Node, source: Source, macro: Macro) -> list[str]:
    """The lines up to `</Macro>`; macros may be defined inside macros."""
    opening = node.name.lower()
    closing = f"</{node.name[1:]}>".lower()
    lines: list[str] = []
    macros = nesting = 1
    while (text := source.next()) is not None:
        if text.startswith("#"):
            continue
        word, at = word_at(text)
        word = word.lower()
        nesting += _bracket(word)
        if nesting < 0:
            _warn_of_nesting(reader, f"bad (negative) nesting on line {source.number - macro.location.line} of", "AH02793", macro)
        macros += (word == opening) - (word == closing)
        if not macros:
            _check_after(reader, source, text[at - 1 :])
            break
        lines.append(text)
    else:
        raise _refuse(f"{macro.title}\n\tcontents error: expected token not found: </{node.name[1:]}>")
    if nesting:
        _warn_of_nesting(reader, f"bad cumulated nesting ({nesting:+d}) in", "AH02795", macro)
    return lines


def _bracket(word: str) -> int:
    if word.startswith("</"):
        return -1
    return 1 if word.startswith("<") else 0


def _warn_of_nesting(reader: Reader, what: str, log_id: str, macro: Macro) -> None:
    if not reader.state.ignore_bad_nesting:
        reader.state.warn(f"{what} {macro.title}", log_id, macro.location)


def _check_after(reader: Reader, source: Source, rest: str) -> None:
    if rest.strip(SPACES + ">"):
        place = f"on line {source.number} of {source.name}"
        reader.state.warn(f"AH02794: non blank chars found after directive closing {place}: {rest}", "AH02989", source.location)


def _check_lines(reader: Reader, macro: Macro) -> None:
    if not macro.lines:
        reader.state.warn(f"{macro.title}: empty contents!", "AH02799", macro.location)
        return
    used = set()
    if macro.parameters:
        pattern = re.compile("|".join([re.escape(name) for name in sorted(macro.parameters, key=len, reverse=True)]))
        used = {name for line in macro.lines for name in pattern.findall(line)}
    for number, name in enumerate(macro.parameters, 1):
        if name not in used:
            reader.state.warn(f"{macro.title}: argument '{name}' (#{number}) never used", "AH02800", macro.location)


def _use(reader: Reader, node: Node, source: Source, words: tuple[object, ...]) -> list[Node]:
    state = reader.state
    raw = str(words[0])
    if state.macros is None:
        raise _refuse(f"no macro defined before {node.name}")
    name, at = word_at(raw)
    name = name.lower()
    if not name:
        raise _refuse(f"no macro name specified with {node.name}")
    macro = state.macros.get(name)
    if not isinstance(macro, Macro):
        raise _refuse(f"macro '{name}' undefined")
    if source.is_reading(name):
        raise _refuse(f"recursive use of macro '{name}' is invalid")
    arguments = _all_words(raw, at)
    if len(arguments) != len(macro.parameters):
        raise _refuse(f"{macro.title} used with {len(arguments)} arguments instead of {len(macro.parameters)}")
    where = f"{macro.title} {_place('used', node.location)}"
    for number, argument in enumerate(arguments, 1):
        if not argument and not state.ignore_empty_arguments:
            state.warn(f"{where}: empty argument #{number}", "AH02798", node.location)
    source.push(where, macro.expand(arguments, state.fill.room), macro=name)
    return []


def _undefine(reader: Reader, node: Node, source: Source, words: tuple[object, ...]) -> list[Node]:
    macros = reader.state.macros
    if macros is None:
        raise _refuse(f"no macro defined before {node.name}")
    name = str(words[0]).lower()
    if name not in macros:
        raise _refuse(f"cannot remove undefined macro '{name}'")
    del macros[name]
    return []


def _ignore_bad_nesting(reader: Reader, node: Node, source: Source, words: tuple[object, ...]) -> list[Node]:
    reader.state.ignore_bad_nesting = True
    return []


def _ignore_empty_arguments(reader: Reader, node: Node, source: Source, words: tuple[object, ...]) -> list[Node]:
    reader.state.ignore_empty_arguments = True
    return []


MACRO_ACTIONS: dict[str, Action] = {
    "<macro": _define,
    "use": _use,
    "undefmacro": _undefine,
    "macroignorebadnesting": _ignore_bad_nesting,
    "macroignoreemptyargs": _ignore_empty_arguments,
}
