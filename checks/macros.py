# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tree's plain macros are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser.c_parser import CParser, ParseError

from checks.facts import Value
from checks.fold import fold, string
from checks.recover import MAX_NESTING, nesting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.parse import Unit


def macro_values(units: tuple[Unit, ...], names: Mapping[str, int]) -> dict[str, Value]:
    """The macros without parameters, by name; the first definition that is read counts."""
    found: dict[str, Value] = {}
    for unit in units:
        for macro in unit.defines:
            if macro.parameters is None and macro.body and macro.name not in found:
                expanded = unit.expanded[macro.name]
                number, text = _evaluate(expanded, names)
                found[macro.name] = Value(macro.body_span, macro.body, number, text)
    return found


def _evaluate(text: str, names: Mapping[str, int]) -> tuple[int | None, str | None]:
    try:
        tree = CParser().parse(f"int macro = {text};")
    except (ParseError, RecursionError, AssertionError, ValueError):
        return None, None
    if nesting(tree) > MAX_NESTING:
        return None, None
    node = getattr(tree.ext[0], "init", None)
    return fold(node, names), string(node)
