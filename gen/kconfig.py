# SPDX-License-Identifier: GPL-2.0-or-later
"""Kconfig dependency expressions, read by kconfiglib.

An expression is a tree of tuples as kconfiglib builds it: `(operator, left, right)`,
`(NOT, operand)`, or a symbol.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import kconfiglib

Expression = Any

# Levels of a formula, each of which is one of Python's stack or two, and its parts on all levels.
MAX_LEVELS, MAX_PARTS = 100, 250
_PROBE = "PVGEN_DEPENDENCY_PROBE"


class DependencyError(Exception):
    """The text is no Kconfig expression; the message is kconfiglib's, without its file."""


def parse_dependency(text: str) -> Expression:
    """Parse what may stand after `depends on`.

    Raises:
        DependencyError: it is no expression.
    """
    if any(char in text for char in '$"\n'):
        raise DependencyError("quotes and macros are not part of a dependency")
    with tempfile.TemporaryDirectory() as directory:
        # kconfiglib reads files only.
        path = Path(directory) / "Kconfig"
        path.write_text(f"config {_PROBE}\n\tbool\n\tdepends on {text}\n", encoding="utf-8")
        try:
            parsed = kconfiglib.Kconfig(str(path), warn=False)
        except kconfiglib.KconfigError as error:
            words = str(error).rsplit(": ", 1)[-1]
            raise DependencyError(words) from None
        except RecursionError:
            raise DependencyError("nested too deeply") from None
    found = parsed.syms[_PROBE].direct_dep
    if why := beyond(found):
        raise DependencyError(why)
    return found


def beyond(expression: Expression) -> str | None:
    """Which bound an expression breaks."""
    level, count = [expression], 1
    for _ in range(MAX_LEVELS):
        level = [inner for one in level if isinstance(one, tuple) for inner in one[1:]]
        count += len(level)
        if count > MAX_PARTS:
            return f"a condition of more than {MAX_PARTS} parts"
    return "nested too deeply" if level else None


def symbols(expression: Expression) -> set[str]:
    """The names of the symbols in an expression, without the constants y, m and n."""
    return {
        item.name
        for item in kconfiglib.expr_items(expression)
        if isinstance(item, kconfiglib.Symbol) and not item.is_constant
    }


def make_condition(expression: Expression, given: str) -> str:
    """The expression as a GNU make expansion that is empty where it does not hold.

    The symbol `given` counts as set: out of tree, building the driver at all is the user's choice.
    An empty result means that the expression always holds.
    """
    if isinstance(expression, kconfiglib.Symbol):
        return "" if expression.name == given else f"$(CONFIG_{expression.name})"
    if expression[0] == kconfiglib.NOT:
        return f"$(if {make_condition(expression[1], given)},,y)"
    parts = [make_condition(operand, given) for operand in _operands(expression)]
    if expression[0] == kconfiglib.OR:
        return "" if "" in parts else f"$(or {','.join(parts)})"
    parts = [part for part in parts if part]
    return f"$(and {','.join(parts)})" if len(parts) > 1 else "".join(parts)


def _operands(expression: Expression) -> list[Expression]:
    """The operands of a chain of the same operator, flattened."""
    operator, operands = expression[0], []
    for operand in expression[1:]:
        same = isinstance(operand, tuple) and operand[0] == operator
        operands += _operands(operand) if same else [operand]
    return operands
