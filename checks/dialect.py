# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's C beyond the standard's, as tokens that a parser of standard C takes.

Common in drivers, they would make an item unreadable: `a ?: b`, attributes, variables that clean
up, and of what is not in the facts table a type as a macro's argument, the name of a type, a macro
that is a loop, and one that stands for a declaration. What such a macro declares is as unknown as
the macro.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.preprocess import Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The operand that `a ?: b` leaves out; who evaluates it takes the condition's value.
SAME = "__model_same"
# The structure that a type is of which nothing is known.
STRANGE = "__model_strange"
# How a call is named that stands for the end of a variable's scope, before the cleanup's name.
GIVEN_BACK = "__model_guard_free_"
# What the stub of no_free_ptr() calls.
TAKE = "__model_take"
FREE = "__free"
# What defines a class of variables that clean up: nothing that a driver does.
_CLASSES = frozenset({"DEFINE_FREE", "DEFINE_CLASS", "DEFINE_GUARD", "DEFINE_GUARD_COND",
                      "DEFINE_LOCK_GUARD_0", "DEFINE_LOCK_GUARD_1"})  # fmt: skip
# What stands before a statement.
_STATEMENT = frozenset({";", "{", "}", ")", "else"})
_ATTRIBUTES = frozenset({"__attribute__", "__attribute"})
_TAGS = frozenset({"struct", "union", "enum"})
_WORDS = frozenset({"void", "char", "short", "int", "long", "float", "double", "signed",
                    "unsigned", "const", "volatile", "_Bool", *_TAGS})  # fmt: skip
# What stands before the name of a type.
_BEFORE = frozenset({"", ";", "{", "}", "(", ",", "const", "static", "volatile", "extern", "inline",
                     "typedef"})  # fmt: skip
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
    given: list[Token] = []
    while index < len(tokens):
        token = tokens[index]
        if (end := _left_out(tokens, index, depth, known)) is not None:
            given += _given_back(tokens, index, end)
            index = end
            continue
        if depth and (end := _walking(tokens, index)) is not None:
            place = token.span
            found += [Token(text, place) for text in ("for", "(", ";")]
            found += [*tokens[index:end], Token(";", place), Token(")", place)]
            index = end
            continue
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.text == "}" and token.span.column == 1:
            depth = 0  # In the kernel's style that ends an item, even one that lacks a bracket.
        found.append(token)
        if token.text == ";" and given:
            found += given
            given = []
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


def _left_out(tokens: Sequence[Token], index: int, depth: int, known: frozenset[str]) -> int | None:
    """The token after something that standard C does without, if it starts here."""
    text, following = tokens[index].text, "".join(t.text for t in tokens[index + 1 : index + 2])
    if text in _ATTRIBUTES or (text == FREE and following == "("):
        return _closed(tokens, index + 1)
    if depth == 0 and text in _CLASSES:
        end = _closed(tokens, index + 1)
        return end + (tokens[end : end + 1] != [] and tokens[end].text == ";")
    return _declaring(tokens, index, known) if depth == 0 else None


def _given_back(tokens: Sequence[Token], index: int, end: int) -> list[Token]:
    """A call that stands for what the end of the scope does to a variable with __free()."""
    name, function = tokens[index - 1], tokens[index + 2 : end - 1]
    if tokens[index].text != FREE or not function or not name.text.isidentifier():
        return []
    call = f"{GIVEN_BACK}{''.join(token.text for token in function)}"
    return [Token(text, name.span) for text in (call, "(", name.text, ")", ";")]


def _walking(tokens: Sequence[Token], index: int) -> int | None:
    """The token after the head of a loop by a macro that is not known, if one starts here."""
    if "for_each" not in tokens[index].text or index + 1 >= len(tokens):
        return None
    if tokens[index + 1].text != "(" or tokens[index - 1].text not in _STATEMENT:
        return None
    end = _closed(tokens, index + 1)
    return end if end < len(tokens) and tokens[end].text != ";" else None


def strange_types(tokens: Sequence[Token], types: Iterable[str]) -> list[str]:
    """The names, in the kernel's style, of types that nothing declares.

    Args:
        tokens: as they are parsed.
        types: names of types that no declaration among the tokens tells.
    """
    known, found = set(types), dict[str, None]()
    texts = ["", *(token.text for token in tokens), "", ""]
    for index, text in enumerate(texts[:-2]):
        if not text.endswith("_t") or text in known or texts[index - 1] not in _BEFORE:
            continue
        after = texts[index + 1 + (texts[index + 1] == "*")]
        if after.isidentifier():
            found[text] = None
        elif texts[index - 1] in {"typedef", "}"}:
            known.add(text)
    declared = {texts[i - 1] for i, text in enumerate(texts) if text == ";"}
    return [name for name in found if name not in declared]


def _declaring(tokens: Sequence[Token], index: int, known: frozenset[str]) -> int | None:
    """The token after a call that stands where a declaration should, if one starts here.

    One that names a function of the file may say what that is for, and is no such thing.
    """
    start = index + (tokens[index].text == "static")
    before = tokens[index - 1].text if index else ";"
    name = tokens[start].text if start + 1 < len(tokens) else ""
    if before not in {";", "}"} or not name.isidentifier() or name in known | _WORDS | _ATTRIBUTES:
        return None
    end = _closed(tokens, start + 1) if tokens[start + 1].text == "(" else len(tokens)
    if end >= len(tokens) or tokens[end].text != ";" or name.startswith("__fact"):
        return None
    given = {t.text for t in tokens[start + 2 : end - 1] if t.text.isidentifier()} - _WORDS
    functions = {token.text for token, after in pairwise(tokens) if after.text == "("}
    return None if given & functions else end + 1


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
