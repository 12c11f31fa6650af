# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's C beyond the standard's, as tokens that a parser of standard C takes.

Three things are common in drivers and would make an item unreadable: `a ?: b`, attributes, and a
type as the argument of a macro that is not in the facts table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.preprocess import Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The operand that `a ?: b` leaves out; who evaluates it takes the condition's value.
SAME = "__model_same"
_ATTRIBUTES = frozenset({"__attribute__", "__attribute"})
_TAGS = frozenset({"struct", "union", "enum"})
_WORDS = frozenset({"void", "char", "short", "int", "long", "float", "double", "signed",
                    "unsigned", "const", "volatile", "_Bool", *_TAGS})  # fmt: skip
_NO_CALL = frozenset({"sizeof", "offsetof", "if", "while", "for", "switch", "return", "typeof",
                      "_Alignof", "__builtin_offsetof"})  # fmt: skip


def standard(tokens: Sequence[Token], types: Iterable[str]) -> tuple[Token, ...]:
    """The same text in standard C; what is put in has the place of the token before it.

    Args:
        tokens: preprocessed tokens.
        types: names of types that no declaration among the tokens tells.
    """
    known, found = frozenset(types), list[Token]()
    index, depth = 0, 0
    while index < len(tokens):
        token = tokens[index]
        if token.text in _ATTRIBUTES:
            index = _closed(tokens, index + 1)
            continue
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.text == "}" and token.span.column == 1:
            depth = 0  # In the kernel's style that ends an item, even one that lacks a bracket.
        found.append(token)
        index += 1
        following = tokens[index].text if index < len(tokens) else ""
        if token.text == "?" and following == ":":
            found.append(Token(SAME, token.span))
        elif depth and token.text in {"(", ","}:
            end = _type_end(tokens, index, known)
            if end is not None and _called(tokens, index - 1):
                found += [Token("sizeof", token.span), Token("(", token.span), *tokens[index:end]]
                found.append(Token(")", tokens[end - 1].span))
                index = end
    return tuple(found)


def same(node: c_ast.TernaryOp) -> bool:
    """Whether this is `a ?: b`, whose value is that of its condition where that holds."""
    return isinstance(node.iftrue, c_ast.ID) and node.iftrue.name == SAME


def _closed(tokens: Sequence[Token], index: int) -> int:
    """The token after the bracket that closes the one at `index`."""
    depth = 0
    while index < len(tokens):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        index += 1
        if depth <= 0:
            break
    return index


def _type_end(tokens: Sequence[Token], index: int, known: frozenset[str]) -> int | None:
    """Where a type that fills a whole argument ends, if one starts here."""
    start, named = index, False
    while index < len(tokens):
        text = tokens[index].text
        if text in {",", ")"}:
            return index if index > start and named else None
        if tokens[index - 1].text in _TAGS and index > start:
            named = True
        elif text in _WORDS or text in known:
            named = named or text not in _TAGS
        elif text != "*" or not named:
            return None
        index += 1
    return None


def _called(tokens: Sequence[Token], index: int) -> bool:
    """Whether the argument after this bracket or comma is one of a call, not of a declaration."""
    depth = 0
    while index > 0:
        text = tokens[index].text
        if text in {";", "{", "}"}:
            return False
        if text == "(" and depth == 0:
            before = tokens[index - 1].text
            return before.isidentifier() and before not in _NO_CALL | _WORDS
        depth += {")": 1, "(": -1}.get(text, 0)
        index -= 1
    return False
