# SPDX-License-Identifier: GPL-2.0-or-later
"""Parsing although an item is broken: which item to leave out, and how to say so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from pycparser import c_ast
from pycparser.c_parser import CParser, ParseError

from checks.tree import Problem

if TYPE_CHECKING:
    from checks.preprocess import Token
    from checks.tree import TreeFile

MAX_UNPARSED = 20
# Every item that is left out has the rest parsed anew: so many tokens in all.
MAX_PARSED = 200_000
# Visitors of the tree recurse; a parser that loops over operands builds it deeper than itself.
MAX_NESTING = 100
_OPEN, _CLOSE = frozenset("{(["), frozenset("})]")
HELP = "an unknown macro or an extension of C that the checker does not know, or a plain mistake"


class _Parser(CParser):  # type: ignore[misc]
    """pycparser, which does not always say where it stopped, nor whether a name has parameters."""

    def _build_function_definition(self, *words: Any, **more: Any) -> c_ast.FuncDef:
        made = super()._build_function_definition(*words, **more)
        if not isinstance(made.decl.type, c_ast.FuncDecl):
            raise ParseError(f"{made.coord}: a body without a function")
        return made

    def _parse_error(self, msg: str, coord: object) -> NoReturn:
        token = self._peek() if isinstance(coord, str) else None
        place = coord if token is None else f"unit:{token.lineno}"
        raise ParseError(f"{place}: {msg}")


@dataclass(frozen=True)
class _Item:
    """A file-scope item: numbers of its first token and of the one after its last."""

    start: int
    end: int
    balanced: bool


def parse_tokens(
    tokens: tuple[Token, ...], types: list[str], file: TreeFile, problems: list[Problem]
) -> c_ast.FileAST | None:
    """Parse, leaving out one broken item after the other.

    Args:
        tokens: the file; each becomes a line of what is parsed.
        types: lines with the kernel's types, which come first.
        file: the file that a problem without a place belongs to.
        problems: receives what was left out.

    Returns:
        The tree of the rest, or None if nothing can be parsed.
    """
    texts = [token.text for token in tokens]
    items = _items(tokens)
    for _ in range(max(1, min(MAX_UNPARSED, MAX_PARSED // max(len(texts), 1)))):
        try:
            found = _parsed("\n".join([*types, *texts]) + "\n", str(file.path))
            tree = c_ast.FileAST(list(found))
        except ParseError as error:
            index = _number(str(error), len(types), len(texts))
            item = _blame(items, index)
            problems.append(_unparsed(tokens, index, item, file))
            if item is None:
                return None
            items.remove(item)
            texts[item.start : item.end] = [""] * (item.end - item.start)
        except (RecursionError, AssertionError, ValueError, AttributeError, IndexError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else "not C"
            problems.append(Problem("PARSE001", f"cannot be parsed: {reason}", file.start))
            return None
        else:
            _drop_deep(tree, tokens, len(types), file, problems)
            return tree
    problems.append(Problem("PARSE001", "cannot be parsed: too many mistakes", file.start))
    return None


@lru_cache(maxsize=32)
def _parsed(text: str, _path: str) -> tuple[c_ast.Node, ...]:
    """The items of a text: a file that two kernels, or two mails, leave as it is is parsed once.

    Nobody changes a node. Two files of one driver have nodes of their own, be they equal.
    """
    return tuple(_Parser().parse(text, "unit").ext)


def _drop_deep(
    tree: c_ast.FileAST, tokens: tuple[Token, ...], skip: int, file: TreeFile,
    problems: list[Problem],
) -> None:  # fmt: skip
    """Leave out the items that nobody can walk through."""
    for item in [item for item in tree.ext if nesting(item) > MAX_NESTING]:
        tree.ext.remove(item)
        number = item.coord.line - skip - 1 if item.coord else -1
        place = tokens[number].span if 0 <= number < len(tokens) else file.start
        words = " ".join(token.text for token in tokens[max(number, 0) :][:4])
        message = f"'{words} ...' is not analysed: nested too deeply"
        problems.append(Problem("KERN133", message, place))


def nesting(item: c_ast.Node) -> int:
    """How deep a syntax tree is."""
    deepest, left = 0, [(item, 1)]
    while left:
        node, depth = left.pop()
        deepest = max(deepest, depth)
        left += [(child, depth + 1) for _, child in node.children()]
    return deepest


def _blame(items: list[_Item], index: int) -> _Item | None:
    """The item that a parser's complaint is about: one with open brackets before it, else its own.

    After an open bracket everything that follows looks wrong.
    """
    unbalanced = [item for item in items if not item.balanced and item.start <= index]
    around = [item for item in items if item.start <= index < item.end]
    return next(iter((*unbalanced, *around)), None)


def _unparsed(tokens: tuple[Token, ...], index: int, item: _Item | None, file: TreeFile) -> Problem:
    if item is None:
        return Problem("KERN133", "this file is not analysed: it cannot be parsed", file.start)
    words = " ".join(token.text for token in tokens[item.start : item.start + 4])
    inside = item.balanced and item.start <= index < item.end
    reason = "cannot be parsed from here on" if inside else "its brackets do not match"
    place = tokens[index if inside else item.start].span
    return Problem("KERN133", f"'{words} ...' is not analysed: {reason}", place, HELP)


def _number(message: str, skip: int, count: int) -> int:
    """The number of the token that a parser's message is about; at its end, the last one."""
    match = re.search(r"unit:(\d+)", message)
    line = int(match[1]) - skip - 1 if match else count - 1
    return min(max(line, 0), max(count - 1, 0))


def _items(tokens: tuple[Token, ...]) -> list[_Item]:
    """Where each file-scope item starts and ends, by its brackets.

    In the kernel's style a function ends with a brace in the first column. That limits what an
    unbalanced bracket can swallow.
    """
    items: list[_Item] = []
    start, depth, body = 0, 0, False
    for index, token in enumerate(tokens):
        text, before = token.text, tokens[index - 1] if index else None
        if before and before.text == "}" and before.span.column == token.span.column == 1 and depth:
            items.append(_Item(start, index, balanced=False))
            start, depth, body = index, 0, False
        if text in _OPEN:
            body = body or bool(text == "{" and depth == 0 and before and before.text == ")")
            depth += 1
        elif text in _CLOSE and depth == 0:
            items.append(_Item(start, index + 1, balanced=False))
            start = index + 1
        elif text in _CLOSE:
            depth -= 1
        if depth == 0 and start <= index and (text == ";" or (text == "}" and body)):
            items.append(_Item(start, index + 1, balanced=True))
            start, body = index + 1, False
    if start < len(tokens):
        items.append(_Item(start, len(tokens), balanced=depth == 0))
    return items
