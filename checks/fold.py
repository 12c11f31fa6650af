# SPDX-License-Identifier: GPL-2.0-or-later
"""Constant expressions: what an expression is worth, as far as the text alone decides it."""

from __future__ import annotations

import ast as python_ast
import re
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.dialect import same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BITS = {
    "u8": 8, "__u8": 8, "uint8_t": 8, "char": 8,
    "u16": 16, "__u16": 16, "uint16_t": 16,
    "u32": 32, "__u32": 32, "uint32_t": 32, "unsigned int": 32,
}  # fmt: skip


def _quotient(dividend: int, divisor: int) -> int:
    """Division as in C, towards zero."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _quotient,
    "%": lambda a, b: a - b * _quotient(a, b),
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "||": lambda a, b: int(bool(a) or bool(b)),
}


_UNARY: Mapping[str, Callable[[int], int]] = {
    "-": lambda a: -a,
    "+": lambda a: a,
    "~": lambda a: ~a,
    "!": lambda a: int(not a),
}

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", '"': '"', "'": "'"}
MAX_SHIFT = 128
# No constant of a driver is larger; numbers that only grow would fill the memory.
MAX_NUMBER = 1 << 130
MAX_DIGITS = 40


def fold(node: c_ast.Node | None, names: Mapping[str, int]) -> int | None:
    """The number that an expression is, or None; `names` are the constants it may use."""
    if isinstance(node, c_ast.Constant):
        return _constant(node)
    if isinstance(node, c_ast.ID):
        return names.get(node.name)
    if isinstance(node, c_ast.BinaryOp):
        return _binary(node, names)
    if isinstance(node, (c_ast.UnaryOp, c_ast.Cast, c_ast.TernaryOp)):
        return _of_one(node, names)
    return None


def _of_one(
    node: c_ast.UnaryOp | c_ast.Cast | c_ast.TernaryOp, names: Mapping[str, int]
) -> int | None:
    """An expression that one operand decides."""
    value = fold(node.cond if isinstance(node, c_ast.TernaryOp) else node.expr, names)
    if value is None:
        return None
    if isinstance(node, c_ast.TernaryOp):
        if value and same(node):
            return value
        return fold(node.iftrue if value else node.iffalse, names)
    if isinstance(node, c_ast.UnaryOp):
        return _UNARY[node.op](value) if node.op in _UNARY else None
    bits = _BITS.get(type_name(node.to_type))
    return value if bits is None else value & ((1 << bits) - 1)


def _binary(node: c_ast.BinaryOp, names: Mapping[str, int]) -> int | None:
    left, right = fold(node.left, names), fold(node.right, names)
    if left is None or right is None or node.op not in _BINARY:
        return None
    if node.op in {"<<", ">>"} and not 0 <= right <= MAX_SHIFT:
        return None
    if node.op in {"/", "%"} and right == 0:
        return None
    value = _BINARY[node.op](left, right)
    return value if abs(value) < MAX_NUMBER else None


def _constant(node: c_ast.Constant) -> int | None:
    if node.type == "char":
        text = unescape(node.value.split("'", 1)[1][:-1])
        return ord(text) if len(text) == 1 else None
    digits = node.value.rstrip("uUlLzZ")
    if len(digits) > MAX_DIGITS:
        return None
    try:
        if re.fullmatch("0[0-7]+", digits):
            return int(digits, 8)
        return int(python_ast.literal_eval(digits)) if digits[:1].isdigit() else None
    except (ValueError, SyntaxError, OverflowError):
        return None


def string(node: c_ast.Node | None) -> str | None:
    """The text of a string literal, or None."""
    if isinstance(node, c_ast.Constant) and node.type == "string":
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', node.value)
        return unescape("".join(parts))
    return None


def unescape(text: str) -> str:
    """C's escapes as the characters that they stand for."""

    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] == "x" and len(body) > 1:
            return chr(int(body[1:], 16) & 0xFF)
        if body[0] in "01234567":
            return chr(int(body, 8) & 0xFF)
        return _ESCAPES.get(body, body)

    return re.sub(r"\\(x[0-9a-fA-F]{1,64}|[0-7]{1,3}|.)", one, text)


def type_name(node: c_ast.Node) -> str:
    """A type as text: `unsigned int`, `struct device`, with a `*` for each pointer."""
    if isinstance(node, c_ast.PtrDecl):
        return f"{type_name(node.type)} *"
    if isinstance(node, (c_ast.TypeDecl, c_ast.Typename, c_ast.ArrayDecl, c_ast.Decl)):
        return type_name(node.type)
    if isinstance(node, c_ast.IdentifierType):
        return " ".join(node.names)
    if isinstance(node, (c_ast.Struct, c_ast.Union, c_ast.Enum)):
        return f"{type(node).__name__.lower()} {node.name}"
    return ""


def strip(node: c_ast.Node | None) -> c_ast.Node | None:
    """The expression without casts around it."""
    while isinstance(node, c_ast.Cast):
        node = node.expr
    return node


def member_path(node: c_ast.Node | None) -> str | None:
    """`pi->base` → `base`, `x.attr.name` → `attr.name`; None for anything else."""
    if not isinstance(node, c_ast.StructRef):
        return None
    above = member_path(node.name)
    field: str = node.field.name
    return f"{above}.{field}" if above and node.type == "." else field
