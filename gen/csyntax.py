# SPDX-License-Identifier: GPL-2.0-or-later
"""C as it is written, by tree-sitter: no preprocessing, and every node has its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tree_sitter_c
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Tree

# Texts and comments; one that is not closed has a group.
_TEXT = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*+(?:\"|(?P<string>))|'(?:[^'\\\n]|\\.)*+(?:'|(?P<character>))"
    r"|//[^\n]*|/\*.*?(?:\*/|(?P<comment>\Z))",
    re.DOTALL,
)
_LANGUAGE = Language(tree_sitter_c.language())


def unclosed(text: str) -> Iterator[re.Match[str]]:
    """The strings, characters and comments that have no end; the first two go on to the line's."""
    return (match for match in _TEXT.finditer(text) if match.lastgroup)


def parse(text: str) -> Tree:
    """The concrete syntax tree of a text; places are in bytes of its UTF-8."""
    # Tree-sitter looks for the end of a comment that has none from each mark again.
    if any(match.lastgroup == "comment" for match in unclosed(text)):
        text += "*/"
    return Parser(_LANGUAGE).parse(text.encode())


def descend(node: Node, *types: str) -> Iterator[Node]:
    """The nodes of these types below `node`, itself included, in the order of the text."""
    # No recursion: what a stranger wrote may be nested as deeply as it is long.
    left = [node]
    while left:
        one = left.pop()
        if one.type in types:
            yield one
        left += reversed(one.children)


def words(node: Node | None) -> str:
    """The text of a node; empty for none."""
    return (node.text or b"").decode() if node is not None else ""
