# SPDX-License-Identifier: GPL-2.0-or-later
"""Initialisers to values by member path, whichever of C's ways of writing them was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pycparser import c_ast

from checks.facts import Entry, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.parse import Unit
    from gen.kernel import Kernel


class Reader(Protocol):
    """What reading an initialiser needs to know about the unit it stands in."""

    unit: Unit
    kernel: Kernel
    structs: dict[str, tuple[str, ...]]

    def value(self, node: c_ast.Node) -> Value:
        """An expression as a value."""
        ...


def read_entries(
    init: c_ast.Node | None, kind: str, *, array: bool, reader: Reader
) -> Iterator[Entry]:
    """The entries of an array, or the one of a struct or a scalar (under the empty path)."""
    if init is None:
        return
    span = reader.unit.span(init)
    if not isinstance(init, c_ast.InitList):
        yield Entry(span, {"": reader.value(init)})
        return
    if not array:
        yield Entry(span, dict(_fields(init, kind, reader, "")))
        return
    for item in init.exprs or []:
        node = item.expr if isinstance(item, c_ast.NamedInitializer) else item
        at = reader.unit.span(node)
        if isinstance(node, c_ast.InitList):
            yield Entry(at, dict(_fields(node, kind, reader, "")))
        else:
            yield Entry(at, {"": reader.value(node)})


def _fields(
    init: c_ast.InitList, kind: str, reader: Reader, prefix: str
) -> Iterator[tuple[str, Value]]:
    order, position = _positions(kind, reader), 0
    for item in init.exprs or []:
        node = item
        if isinstance(item, c_ast.NamedInitializer):
            names = [getattr(part, "name", "?") for part in item.name]
            path, node = ".".join(names), item.expr
            position = order.index(names[0]) + 1 if names[0] in order else position
        else:
            path = order[position] if position < len(order) else f"[{position}]"
            position += 1
        full = f"{prefix}{path}"
        if isinstance(node, c_ast.InitList):
            yield from _fields(node, "", reader, f"{full}.")
        else:
            yield full, reader.value(node)


def _positions(kind: str, reader: Reader) -> tuple[str, ...]:
    if kind in reader.structs:
        return reader.structs[kind]
    api = reader.kernel.table.get(kind)
    return api.positions if api else ()
