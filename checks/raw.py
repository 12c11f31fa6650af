# SPDX-License-Identifier: GPL-2.0-or-later
"""The text as written, by tree-sitter: how far a construct extends, before any preprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.csyntax import parse

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

    from gen.source import Source, Span

# Leaves and expressions; statements and declarations are too much to underline.
_EXTENT = {
    "argument_list",
    "char_literal",
    "concatenated_string",
    "false",
    "field_identifier",
    "identifier",
    "initializer_list",
    "initializer_pair",
    "null",
    "number_literal",
    "string_literal",
    "true",
}


class RawTree:
    """One source's concrete syntax tree."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lines = source.lines
        self._tree: Tree = parse("\n".join(self._lines))

    def extent(self, span: Span) -> Span:
        """The whole expression that starts where `span` does, cut at the end of its line."""
        node = self._at(span)
        while node is not None and node.parent is not None:
            parent = node.parent
            if parent.start_byte != node.start_byte or not _is_expression(parent):
                break
            node = parent
        if node is None or not _is_expression(node):
            return span
        return self._span(node)

    def _at(self, span: Span) -> Node | None:
        """The smallest node that starts at the span."""
        line = span.source.line(span.line)
        row, column = span.line - 1, len(line[: span.column - 1].encode())
        node = self._tree.root_node.descendant_for_point_range((row, column), (row, column + 1))
        return node if node is not None and tuple(node.start_point) == (row, column) else None

    def _span(self, node: Node) -> Span:
        start, end = node.start_point, node.end_point
        line = self._lines[start[0]]
        first = len(line.encode()[: start[1]].decode(errors="replace"))
        last = len(line)
        if end[0] == start[0]:
            last = len(line.encode()[: end[1]].decode(errors="replace"))
        return self.source.span(start[0] + 1, first + 1, last - first)


def _is_expression(node: Node) -> bool:
    return node.type in _EXTENT or node.type.endswith("_expression")
