# SPDX-License-Identifier: GPL-2.0-or-later
"""Initialisers: which value goes to which place of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.execution.faults import UnknownError
from checks.execution.layout import Array, Struct
from checks.fold import fold, string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.execution.expressions import Code, Expressions
    from checks.execution.layout import Type


def initialise(
    expressions: Expressions, node: c_ast.Node, type_: Type, at: int = 0
) -> Iterator[tuple[int, Code]]:
    """Offset and code of each value that an initialiser gives."""
    text = string(node)
    if isinstance(type_, Array) and text is not None:
        for number, char in enumerate(text):
            yield at + number, _constant(ord(char))
    elif not isinstance(node, c_ast.InitList):
        if isinstance(type_, (Array, Struct)):
            raise UnknownError("what this initialiser gives is not understood")
        yield at, expressions.value(node)
    elif isinstance(type_, Array):
        number = 0
        for item in node.exprs:
            inner = item
            if isinstance(item, c_ast.NamedInitializer):
                number, inner = fold(item.name[0], {}) or 0, item.expr
            yield from initialise(expressions, inner, type_.of, at + number * type_.of.size)
            number += 1
    elif isinstance(type_, Struct):
        yield from _struct(expressions, node, type_, at)
    elif node.exprs:
        yield from initialise(expressions, node.exprs[0], type_, at)


def _struct(
    expressions: Expressions, node: c_ast.InitList, type_: Struct, at: int
) -> Iterator[tuple[int, Code]]:
    number = 0
    for item in node.exprs:
        inner, names = item, [type_.at(number)]
        if isinstance(item, c_ast.NamedInitializer):
            names = [getattr(name, "name", None) for name in item.name]
            inner = item.expr
            number = next((n for n, f in enumerate(type_.fields) if f == names[0]), number)
        number += 1
        offset, target = at, type_
        for name in names:
            if not isinstance(target, Struct) or name is None:
                break
            more, found = target.member(name)
            offset, target = offset + more, found  # type: ignore[assignment]
        if names[0] is None:
            continue  # a structure of the kernel that drivers cannot look into
        yield from initialise(expressions, inner, target, offset)


def length(node: c_ast.Node) -> int:
    """How many elements an initialiser gives an array."""
    text = string(node)
    return len(text) + 1 if text is not None else len(getattr(node, "exprs", ()))


def _constant(value: int) -> Code:
    return lambda _f: value
