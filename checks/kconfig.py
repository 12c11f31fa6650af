# SPDX-License-Identifier: GPL-2.0-or-later
"""Kconfig files to facts, by kconfiglib; dependencies are compared as what they mean."""

from __future__ import annotations

import io
import itertools
import re
from typing import TYPE_CHECKING, Any

import kconfiglib

from checks.facts import KconfigFact, Value
from checks.tree import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.tree import TreeFile
    from gen.source import Source, Span

# Beyond this many symbols a table of all their values is no longer cheap.
MAX_SYMBOLS = 9
_SOURCE_LINE = re.compile(r"^[^\S\n]*[gor]*source\b.*$", re.MULTILINE)

# What kconfiglib raises on what is no Kconfig.
_BROKEN = (kconfiglib.KconfigError, OSError, RecursionError, ValueError)


class DependencyTooLargeError(Exception):
    """An expression with too many symbols to compare."""


class _Kconfig(kconfiglib.Kconfig):  # type: ignore[misc]
    """kconfiglib on one text: no file is opened, nothing is executed, no variable is read.

    What other files would define stays undefined.
    """

    def __init__(self, text: str) -> None:
        self._given: str | None = text
        super().__init__("Kconfig", warn=False, suppress_traceback=False)

    def _fn_val(self, args: list[str]) -> str:
        """Macros: a call of $(shell,...) would run a command, $(NAME) look into the environment."""
        self._parse_error(f"the macro $({args[0]}) is not evaluated")
        return ""

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
            parsed = _Kconfig(text)
        except _BROKEN as error:
            problems.append(_problem(file, error))
            continue
        except AttributeError:  # kconfiglib takes for granted that only a symbol has a help text
            problems.append(_problem(file, ValueError("an option that does not belong there")))
            continue
        nodes = (node for node in parsed.node_iter() if isinstance(node.item, kconfiglib.Symbol))
        facts += [_fact(node, file.source) for node in nodes]
    read = len(files) > len(problems)
    return (tuple(facts) if read else None), problems


def _problem(file: TreeFile, error: Exception) -> Problem:
    match = re.match(r"(?s)^\S*?:(\d+): (.*)$", str(error))
    line = int(match[1]) if match else 1
    words = (match[2] if match else str(error)).strip().split("\n")[0]
    span = file.source.span(line, 1, len(file.source.line(line)))
    return Problem("PARSE001", f"cannot be parsed as Kconfig: {words}", span)


def _fact(node: Any, source: Source) -> KconfigFact:
    symbol, line = node.item, node.linenr
    end = _end(source, line)
    type_span = _find(source, line, end, r"^\s*(?:def_)?(bool|tristate|int|hex|string)\b")
    return KconfigFact(
        name=symbol.name,
        type=kconfiglib.TYPE_TO_STR[symbol.orig_type],
        type_span=type_span or _find(source, line, line, r"(\S+)\s*$") or source.span(line, 1),
        span=_find(source, line, line, r"(\S+)\s*$") or source.span(line, 1),
        depends=node.dep,
        depends_span=_find(source, line, end, r"^\s*depends on (.*?)\s*(?:#.*)?$"),
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
        at = _find(source, node.linenr, end, r"^\s*(?:bool|tristate|prompt)\b.*?\bif (.*?)\s*$")
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
    pattern = r"^\s*(?:default|def_bool|def_tristate)\s+(?!n\b)(.*?)\s*(?:#.*)?$"
    return _find(source, node.linenr, end, pattern) or source.span(node.linenr, 1)


def _end(source: Source, line: int) -> int:
    """The last line of the entry that begins at `line`."""
    lines = source.lines
    for number in range(line + 1, len(lines) + 1):
        text = lines[number - 1]
        if text and not text[0].isspace() and not text.startswith("#"):
            return number - 1
    return len(lines)


def _find(source: Source, first: int, last: int, pattern: str) -> Span | None:
    for number in range(first, last + 1):
        match = re.search(pattern, source.line(number))
        if match:
            return source.span(number, match.start(1) + 1, match.end(1) - match.start(1))
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
    always = dict.fromkeys(ignore, 2)
    return all(
        _evaluate(left, known) == _evaluate(right, known)
        for values in itertools.product((0, 1, 2), repeat=len(names))
        for known in [{**always, **dict(zip(names, values, strict=True))}]
    )


def _symbols(expression: Any) -> set[str]:
    items = kconfiglib.expr_items(expression)
    return {item.name for item in items if isinstance(item, kconfiglib.Symbol)} - {"y", "m", "n"}


def _evaluate(expression: Any, known: Mapping[str, int]) -> int:
    """The value of an expression: 0 for n, 1 for m, 2 for y."""
    if not isinstance(expression, tuple):
        constants = {"n": 0, "m": 1, "y": 2}
        name = expression.name
        return constants.get(name, known.get(name, 0))
    operator, operands = expression[0], expression[1:]
    if operator == kconfiglib.AND:
        return min(_evaluate(item, known) for item in operands)
    if operator == kconfiglib.OR:
        return max(_evaluate(item, known) for item in operands)
    if operator == kconfiglib.NOT:
        return 2 - _evaluate(operands[0], known)
    left, right = (_evaluate(item, known) for item in operands)
    relations = {
        kconfiglib.EQUAL: left == right,
        kconfiglib.UNEQUAL: left != right,
        kconfiglib.LESS: left < right,
        kconfiglib.LESS_EQUAL: left <= right,
        kconfiglib.GREATER: left > right,
        kconfiglib.GREATER_EQUAL: left >= right,
    }
    return 2 if relations[operator] else 0
