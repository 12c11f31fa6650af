# SPDX-License-Identifier: GPL-2.0-or-later
"""Initialisers: which value goes to which place of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pycparser import c_ast

from checks.execution.faults import UnknownError
from checks.execution.layout import Array, Struct
from checks.fold import fold, string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.execution.expressions import Expressions
    from checks.execution.layout import Type
    from checks.execution.places import Code


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
                number, inner = _number(item.name[0]) or 0, item.expr
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
        inner, names = item, [c_ast.ID(type_.at(number))]
        if isinstance(item, c_ast.NamedInitializer):
            names = list(item.name)
            inner = item.expr
            first = getattr(names[0], "name", None)
            number = next((n for n, f in enumerate(type_.fields) if f == first), number)
        number += 1
        offset, target = at, cast("Type", type_)
        if getattr(names[0], "name", "") is None:
            continue  # a structure of the kernel that drivers cannot look into
        for name in names:
            offset, target = _into(offset, target, name)
        yield from initialise(expressions, inner, target, offset)


def _into(offset: int, type_: Type, step: c_ast.Node) -> tuple[int, Type]:
    """The place and type of a member or an element that a designator names."""
    if isinstance(type_, Struct) and isinstance(step, c_ast.ID):
        more, found = type_.member(step.name)
        return offset + more, found
    number = _number(step)
    if not isinstance(type_, Array) or number is None:
        raise UnknownError("this designator is not understood")
    return offset + number * type_.of.size, type_.of


def _number(step: c_ast.Node) -> int | None:
    """The number of an element that a designator names."""
    return fold(getattr(step, "expr", step), {})


def length(node: c_ast.Node) -> int:
    """How many elements an initialiser gives an array."""
    text = string(node)
    return len(text) + 1 if text is not None else len(getattr(node, "exprs", ()))


def _constant(value: int) -> Code:
    return lambda _f: value
