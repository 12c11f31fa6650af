# SPDX-License-Identifier: GPL-2.0-or-later
"""Kconfig files to facts, by kconfiglib; dependencies are compared as what they mean."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import kconfiglib

from checks.facts import KconfigFact, Value
from checks.tree import Problem
from gen.kconfig import beyond

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.tree import TreeFile
    from gen.source import Source, Span

# Beyond this many symbols a table of all their values is no longer cheap.
MAX_SYMBOLS = 9
# Bounds of a file: entries, and characters of a line with those that it goes on in.
MAX_ENTRIES, MAX_LINE = 1_000, 8_192
_SOURCE_LINE = re.compile(r"^[^\S\n]*[gor]*source\b.*$", re.MULTILINE)

# What kconfiglib raises on what is no Kconfig.
_BROKEN = (kconfiglib.KconfigError, OSError, ValueError)


class DependencyTooLargeError(Exception):
    """An expression with too many symbols to compare."""


class _Kconfig(kconfiglib.Kconfig):  # type: ignore[misc]
    """kconfiglib on one text: no file is opened, nothing is executed, no variable is read.

    What other files would define stays undefined.
    """

    def __init__(self, text: str) -> None:
        self._given: str | None = text
        super().__init__("Kconfig", warn=False, suppress_traceback=False)

    def _tokenize(self, s: str) -> Any:
        """What stands for something else: $(shell,...) would run a command, $NAME be looked up."""
        self._line = s
        if "$" in s and not s.lstrip().startswith("#"):
            self._parse_error("a macro or a variable is not evaluated")
        tokens = super()._tokenize(s)
        if tokens[0] is kconfiglib._T_OPTION and tokens[1] is kconfiglib._T_ENV:  # noqa: SLF001
            self._parse_error("the environment is not evaluated")
        return tokens

    def _open(self, filename: str, _mode: str) -> io.StringIO:
        if self._given is None:
            raise OSError(0, "not part of the given tree", filename)
        text, self._given = self._given, None
        return io.StringIO(text)


def read_kconfig(
    files: tuple[TreeFile, ...],
) -> tuple[tuple[KconfigFact, ...] | None, list[Problem]]:
    """The symbols of all Kconfig files; None when there is no such file that can be read."""
    facts: list[KconfigFact] = []
    problems: list[Problem] = []
    for file in files:
        # A sourced file is read on its own if it is in the tree.
        whole = "\n".join(file.source.lines)
        text = _SOURCE_LINE.sub("", whole)
        if _SOURCE_LINE.search(text.replace("\\\n", "")):
            problems.append(_problem(file, ValueError("a source statement is cut in two")))
            continue
        try:
            nodes = _entries(text)
        except RecursionError:
            problems.append(_problem(file, ValueError("nested too deeply")))
            continue
        except _BROKEN as error:
            problems.append(_problem(file, error))
            continue
        except AttributeError:  # kconfiglib takes for granted that only a symbol has a help text
            problems.append(_problem(file, ValueError("an option that does not belong there")))
            continue
        ends = [node.linenr - 1 for node in nodes[1:]] + [len(file.source.lines)]
        facts += [_fact(node, file.source, last) for node, last in zip(nodes, ends, strict=False)]
    read = len(files) > len(problems)
    return (tuple(facts) if read else None), problems


def _entries(text: str) -> list[Any]:
    """The symbols' nodes of a text in their order, when it is within bounds.

    Raises:
        Exception: one of `_BROKEN` that says what is wrong with the text.
    """
    length = 0
    for number, line in enumerate(text.split("\n"), 1):
        length += len(line)
        if length > MAX_LINE:
            raise ValueError(f"Kconfig:{number}: a line of more than {MAX_LINE} characters")
        length = length if line.endswith("\\") else 0
    nodes = [one for one in _Kconfig(text).node_iter() if isinstance(one.item, kconfiglib.Symbol)]
    if len(nodes) > MAX_ENTRIES:
        raise ValueError(f"more than {MAX_ENTRIES} entries")
    for node in nodes:
        clauses = (*node.orig_defaults, *node.orig_selects, *node.orig_implies)
        formulas = [node.dep, *(one for clause in clauses for one in clause)]
        formulas += [node.prompt[1]] if node.prompt else []
        for why in filter(None, map(beyond, formulas)):
            raise ValueError(f"Kconfig:{node.linenr}: {why}")
    return nodes


def _problem(file: TreeFile, error: Exception) -> Problem:
    match = re.match(r"(?s)^\S*?:(\d+): (.*)$", str(error))
    line = int(match[1]) if match else 1
    words = (match[2] if match else str(error)).strip().split("\n")[0]
    span = file.source.span(line, 1, len(file.source.line(line)))
    return Problem("PARSE001", f"cannot be parsed as Kconfig: {words}", span)


def _fact(node: Any, source: Source, last: int) -> KconfigFact:
    """What an entry says; it ends at line `last` at the latest."""
    symbol, line = node.item, node.linenr
    end = _end(source, line, last)
    type_span = _find(source, line, end, r"^\s*(?:def_)?(bool|tristate|int|hex|string)\b")
    span = _find(source, line, line, r"^\s*(?:menu)?config\s+(\S+)") or source.span(line, 1)
    return KconfigFact(
        name=symbol.name,
        type=kconfiglib.TYPE_TO_STR[symbol.orig_type],
        type_span=type_span or span,
        span=span,
        depends=node.dep,
        depends_span=_find(source, line, end, r"^\s*depends on ([^#]*)"),
        has_prompt=node.prompt is not None,
        has_help=bool((node.help or "").strip()),
        prompt=node.prompt[0] if node.prompt else "",
        default=_default(node, source, end),
        clauses=dict(_clauses(node, source, end)),
    )


def _clauses(node: Any, source: Source, end: int) -> Iterator[tuple[str, Value]]:
    """What an entry has besides: its defaults, without n for all cases, selects and implies."""
    found = {
        "default": (node.orig_defaults, r"^\s*(default|def_bool|def_tristate)\b"),
        "selects": (node.orig_selects, r"^\s*(select)\b"),
        "implies": (node.orig_implies, r"^\s*(imply)\b"),
    }
    offered = kconfiglib.expr_str(node.prompt[1]) if node.prompt else "y"
    # kconfiglib joins what the entry depends on to it.
    if node.prompt and offered != kconfiglib.expr_str(node.dep):
        at = _find(source, node.linenr, end, r"^\s*(?:bool|tristate|prompt)\b.*?\bif (.*)")
        text = at and source.line(at.line)[at.column - 1 :].strip()
        if at and text:
            yield "offered", Value(at, text, text=text)
    for key, (clauses, pattern) in found.items():
        texts = []
        for what, condition in clauses:
            when = kconfiglib.expr_str(condition)
            texts.append(kconfiglib.expr_str(what) + (f" if {when}" if when != "y" else ""))
        if texts and not (key == "default" and set(texts) == {"n"}):
            text = ", ".join(texts if key == "default" else sorted(texts))
            at = _find(source, node.linenr, end, pattern) or source.span(node.linenr, 1)
            yield key, Value(at, text, text=text)


def _default(node: Any, source: Source, end: int) -> Span | None:
    """The place of a default that may be y or m."""
    if all(getattr(item[0], "name", "") == "n" for item in node.defaults):
        return None
    pattern = r"^\s*(?:default|def_bool|def_tristate)\s++(?!n\b)([^#]*)"
    return _find(source, node.linenr, end, pattern) or source.span(node.linenr, 1)


def _end(source: Source, line: int, last: int) -> int:
    """The last line of the entry that begins at `line`, where the next one begins after `last`."""
    lines = source.lines
    for number in range(line + 1, last + 1):
        text = lines[number - 1]
        if text and not text[0].isspace() and not text.startswith("#"):
            return number - 1
    return last


def _find(source: Source, first: int, last: int, pattern: str) -> Span | None:
    for number in range(first, last + 1):
        match = re.match(pattern, source.line(number))
        if match:
            return source.span(number, match.start(1) + 1, len(match[1].rstrip()))
    return None


def same_formula(left: Any, right: Any, ignore: frozenset[str] = frozenset()) -> bool:
    """Whether two dependencies hold for the same values of all symbols in them.

    Args:
        left: an expression of kconfiglib.
        right: another.
        ignore: symbols that count as `y` on both sides.

    Raises:
        DependencyTooLargeError: there are too many symbols to try all values.
    """
    names = sorted((_symbols(left) | _symbols(right)) - ignore)
    if len(names) > MAX_SYMBOLS:
        raise DependencyTooLargeError
    everywhere = (1 << 3 ** len(names)) - 1
    known = {name: _column(place, everywhere) for place, name in enumerate(names)}
    known |= dict.fromkeys({*ignore, "y"}, (everywhere, everywhere)) | {"m": (everywhere, 0)}
    return _evaluate(left, known, everywhere) == _evaluate(right, known, everywhere)


def _symbols(expression: Any) -> set[str]:
    items = kconfiglib.expr_items(expression)
    return {item.name for item in items if isinstance(item, kconfiglib.Symbol)} - {"y", "m", "n"}


# The values of an expression in all rows of a table: a bit for each row in which it is at least m,
# and one for each in which it is y.
_Values = tuple[int, int]


def _column(place: int, everywhere: int) -> _Values:
    """A symbol's values: n, m and y in turn, each for 3^place rows."""
    run = 3**place
    rows = everywhere // ((1 << 3 * run) - 1) * ((1 << run) - 1)
    return rows << run | rows << 2 * run, rows << 2 * run


def _evaluate(expression: Any, known: Mapping[str, _Values], everywhere: int) -> _Values:
    if not isinstance(expression, tuple):
        return known.get(expression.name, (0, 0))
    operator = expression[0]
    values = [_evaluate(one, known, everywhere) for one in expression[1:]]
    some, all_ = values[0]
    if operator == kconfiglib.NOT:
        return everywhere ^ all_, everywhere ^ some
    other_some, other_all = values[1]
    if operator == kconfiglib.AND:
        return some & other_some, all_ & other_all
    if operator == kconfiglib.OR:
        return some | other_some, all_ | other_all
    less, greater = other_some & ~some | other_all & ~all_, some & ~other_some | all_ & ~other_all
    holds = {
        kconfiglib.EQUAL: everywhere ^ (less | greater),
        kconfiglib.UNEQUAL: less | greater,
        kconfiglib.LESS: less,
        kconfiglib.LESS_EQUAL: everywhere ^ greater,
        kconfiglib.GREATER: greater,
        kconfiglib.GREATER_EQUAL: everywhere ^ less,
    }[operator]
    return holds, holds
