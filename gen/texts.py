# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a spec: only characters that stay text wherever they are rendered.

Texts of a spec end up in C comments and strings, Kconfig, Makefiles, YAML and Markdown. Instead of
escaping for each of these, the few characters that could leave a text are refused where they
stand; no description of a driver needs them.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen.diagnostics import Diagnostics
    from gen.yamltree import Node

_BREAKERS = {
    '"': "a double quote ends a string in C",
    "\\": "a backslash starts an escape in C",
    "$": "a dollar sign starts a variable in make",
    "`": "a backquote starts code in documents",
    "/*": "this opens a comment in C",
    "*/": "this closes a comment in C",
    "??": "this can start a trigraph in C",
}
# printf formats are the one kind of text that ends in a newline; their values are enumerated.
_FORMAT = "format"


def check_texts(root: Node, diagnostics: Diagnostics) -> None:
    """Report every text with a character that could be more than text in a rendered file."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node.value, dict):
            pending += [child for key, child in node.value.items() if key != _FORMAT]
        elif isinstance(node.value, list):
            pending += node.value
        elif isinstance(node.value, str):
            _check_text(node, node.value, diagnostics)


def _check_text(node: Node, text: str, diagnostics: Diagnostics) -> None:
    for char in sorted(set(text)):
        if unicodedata.category(char)[0] in "CZ" and char != " ":
            name = unicodedata.name(char, "control character")
            message = f"the character U+{ord(char):04X} ({name}) has no place in a text"
            diagnostics.error("TEXT001", message, node.span)
    if text != text.strip(" "):
        message = "a text neither begins nor ends with a blank"
        diagnostics.error("TEXT003", message, node.span)
    for breaker, why in _BREAKERS.items():
        if breaker in text:
            diagnostics.error("TEXT002", f"'{breaker}' cannot stand in a text: {why}", node.span)
