# SPDX-License-Identifier: GPL-2.0-or-later
"""How a file is indented, and new lines that are indented like it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from gen.backport.records import BackportError

if TYPE_CHECKING:
    from tree_sitter import Node

    from gen.backport.text import CText

_TAB = 8
_REST = re.compile(rb"[ \t]*[,;]?[ \t]*(//.*|/\*[^*]*\*/[ \t]*)?")


def indent_unit(text: CText) -> str:
    """What a file puts before the statements of its functions: a tab where it has none."""
    found = Counter[str]()
    data = text.text.encode()
    for function in text.functions():
        body = function.child_by_field_name("body")
        for node in body.named_children if body is not None else []:
            before = data[text.line_of(node) : node.start_byte]
            if before and not before.strip(b" \t") and node.type != "labeled_statement":
                found[before.decode()] += 1
    return found.most_common(1)[0][0] if found else "\t"


def lead_of(text: CText, first: Node, last: Node | None = None) -> str:
    """The blanks before a node that has its lines for itself, but for a comment behind it.

    Args:
        text: the file.
        first: the node.
        last: where the lines end, if that is another node.

    Raises:
        BackportError: something else stands in the lines.
    """
    data, last = text.text.encode(), last or first
    before = data[text.line_of(first) : first.start_byte]
    end = data.find(b"\n", last.end_byte)
    after = data[last.end_byte : end if end >= 0 else len(data)]
    if before.strip(b" \t") or not _REST.fullmatch(after):
        line = (first if before.strip(b" \t") else last).start_point[0] + 1
        raise BackportError(f"{text.name}:{line}: the lines that the edit goes between hold more "
                            "than one thing; no edit is made")  # fmt: skip
    return before.decode()


def indented(code: str, unit: str, lead: str = "") -> str:
    """C that is indented with tabs, as it has to stand in a file.

    Args:
        code: the lines, the outermost with no blank before them.
        unit: what the file puts before each level.
        lead: what stands before the outermost.
    """
    lines, level, opened = [], 0, 0
    for line in code.splitlines(keepends=True):
        bare = line.lstrip("\t")
        remark = bare.lstrip(" ").startswith(("/*", "*"))
        if opened and not remark:
            # It stands below what the statement has in its parentheses.
            text = line.lstrip("\t ")
            blanks = len(line[: -len(text)].expandtabs(_TAB)) - level * _TAB
            lines.append(lead + unit * level + _blanks(unit, lead + unit * level, blanks) + text)
        elif bare.strip():
            level = len(line) - len(bare)
            lines.append(lead + unit * level + bare)
        else:
            lines.append(bare)
        opened += 0 if remark else bare.count("(") - bare.count(")")
    return "".join(lines)


def _blanks(unit: str, before: str, count: int) -> str:
    """So many columns more, with tabs where the file has them."""
    if "\t" not in unit:
        return " " * count
    start = len(before.expandtabs(_TAB))
    tabs = (start + count) // _TAB - start // _TAB
    return "\t" * tabs + " " * ((start + count) % _TAB if tabs else count)


def closing(text: CText, function: Node) -> Node:
    """The brace that ends a function.

    Raises:
        BackportError: it does not stand alone in its line.
    """
    body = function.child_by_field_name("body")
    brace = body.children[-1] if body is not None and body.children else function
    lead_of(text, brace)
    return brace
