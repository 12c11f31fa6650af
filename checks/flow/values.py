# SPDX-License-Identifier: GPL-2.0-or-later
"""What an expression is worth on a path: where it comes from, and what is known of its sign.

A value is a tuple whose first item is its kind:

    ("num", n)               a number; a null pointer is ("num", 0)
    ("addr", place)          the address of an object
    ("fn", name)             a function
    ("str", text)            a string
    ("call", id, name)       what a call returned
    ("out", id, name)        what a call left in a variable whose address it got
    ("param", index, name)   a parameter as it came in
    ("load", place)          what stood in memory when the function began
    ("uninit", name)         a local before anything was put into it
    ("item", head)           the entry at which a walk through a list is
    ("and", values, mask)    a bitwise and of values and a number (None for no number)
    ("or", values, mask)     a bitwise or
    ("not", value)           the complement
    ("plus", left, right)    a sum
    ("neg", value)           the value with its sign turned
    ("cmp", op, left, right) a comparison
    ("is-err", value), ("is-err-or-null", value), ("or-zero", value)
    ("op", id)               anything else

A place is ("local", name), ("global", name) or ("field", address, owner, member), where `owner` is
the type of the structure. Signs are sets of three: negative (an error number, an error pointer),
zero (success, a null pointer), positive (a pointer to something).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pycparser import c_ast

Value: TypeAlias = tuple[Any, ...]
Place: TypeAlias = tuple[Any, ...]

# Of how many parts a value is made at most.
MAX_PARTS = 400
NEGATIVE, ZERO, POSITIVE = 1, 2, 4
ANY = NEGATIVE | ZERO | POSITIVE
NOT_ZERO = NEGATIVE | POSITIVE
_FAILURE = {"errno": NEGATIVE, "err-ptr": NEGATIVE, "null": ZERO, "zero": ZERO}
_SUCCESS = {"errno": ZERO, "err-ptr": POSITIVE, "null": POSITIVE, "zero": POSITIVE}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRROR = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def number(value: int) -> Value:
    """A number."""
    return ("num", value)


def failure(fails: str | None) -> int:
    """The signs with which a call says that it failed; 0 if it cannot."""
    return _FAILURE.get(fails or "", 0)


def success(fails: str | None) -> int:
    """The signs with which a call says that all went well."""
    return _SUCCESS.get(fails or "", ANY)


def sign_of_number(value: int) -> int:
    """The sign of a number."""
    return ZERO if value == 0 else POSITIVE if value > 0 else NEGATIVE


def both(kind: str, left: Value, right: Value) -> Value:
    """A bitwise `and` or `or` of two values, flat and with one number."""
    join: Callable[[int, int], int] = (
        (lambda a, b: a & b) if kind == "and" else (lambda a, b: a | b)
    )
    items: set[Value] = set()
    mask: int | None = None
    for value in (left, right):
        more, also = (value[1], value[2]) if value[0] == kind else ((value,), None)
        if value[0] == "num":
            more, also = (), value[1]
        items |= set(more)
        if also is not None:
            mask = also if mask is None else join(mask, also)
    if not items:
        return number(mask or 0)
    if mask is None and len(items) == 1:
        return items.pop()
    return (kind, frozenset(items), mask)


def parts(value: Value) -> frozenset[Value]:
    """The values that a bitwise and is made of; the value itself if it is none."""
    if value[0] == "and":
        found: frozenset[Value] = value[1]
        return found
    return frozenset({value})


def mentions(value: object, wanted: Callable[[Value], bool]) -> bool:
    """Whether a value is or contains one that is wanted."""
    if isinstance(value, tuple) and value and isinstance(value[0], str) and wanted(value):
        return True
    if isinstance(value, (tuple, frozenset)):
        return any(mentions(item, wanted) for item in value)
    return False


def origin(value: Value) -> Value:
    """What a pointer points into: without sums."""
    while value[0] == "plus":
        value = value[1]
    return value


def bounded(value: Value, node: c_ast.Node) -> Value:
    """The value, or just anything if it is made of so many others that looking at it costs."""
    left: list[object] = [value]
    for seen, item in enumerate(left):
        if seen == MAX_PARTS:
            return ("op", id(node))
        if isinstance(item, (tuple, frozenset)):
            left += item
    return value


def substitute(value: Value, arguments: tuple[Value, ...]) -> Value:  # noqa: PLR0911 (one for each kind)
    """A callee's value as the caller sees it: with the arguments for the parameters."""
    if value[0] == "param":
        return arguments[value[1]] if value[1] < len(arguments) else value
    if value[0] in {"and", "or"}:
        result = None if value[2] is None else number(value[2])
        for item in value[1]:
            part = substitute(item, arguments)
            result = part if result is None else both(value[0], result, part)
        return result or value
    if value[0] == "not":
        return complement(substitute(value[1], arguments))
    if value[0] in {"load", "addr"}:
        return (value[0], _place(value[1], arguments))
    if value[0] == "plus":
        return ("plus", substitute(value[1], arguments), substitute(value[2], arguments))
    if value[0] == "cmp":
        return (*value[:2], *(substitute(item, arguments) for item in value[2:]))
    if value[0] == "neg":
        return ("neg", substitute(value[1], arguments))
    return value


def _place(place: Place, arguments: tuple[Value, ...]) -> Place:
    if place[0] != "field":
        return place
    return ("field", substitute(place[1], arguments), *place[2:])


def complement(value: Value) -> Value:
    """~value."""
    if value[0] == "num":
        return number(~value[1])
    return value[1] if value[0] == "not" else ("not", value)


def name_of(place: Place) -> str:
    """A place as one name for all functions: a global's, or a structure's and its member."""
    if place[0] == "field":
        base = place[1]
        if base[0] == "addr" and base[1][0] == "global":
            return f"{base[1][1]}.{place[3]}"
        return f"{place[2]}.{place[3]}" if place[2] else f"?.{place[3]}"
    return str(place[1])


def sign(signs: Mapping[Value, int], value: Value) -> int:  # noqa: PLR0911 (one for each kind)
    """What is known of a value's sign."""
    known = signs.get(value)
    if known is not None:
        return known
    kind = value[0]
    if kind == "num":
        return sign_of_number(value[1])
    if kind in {"addr", "fn", "str", "item"}:
        return POSITIVE
    if kind in {"and", "cmp", "is-err", "is-err-or-null"}:
        return ZERO | POSITIVE
    if kind == "neg":
        inner = sign(signs, value[1])
        return (inner & ZERO) | (inner & NEGATIVE and POSITIVE) | (inner & POSITIVE and NEGATIVE)
    if kind == "plus":
        left, right = value[1], value[2]
        return sign(signs, left) if right[0] == "num" or left[0] != "num" else ANY
    if kind == "or-zero":
        inner = sign(signs, value[1])
        return (inner & NEGATIVE) | (ZERO if inner & (ZERO | POSITIVE) else 0)
    return ANY


def refine(signs: dict[Value, int], value: Value, allowed: int) -> bool:
    """Take in that a value has one of the allowed signs; False if it cannot."""
    left = sign(signs, value) & allowed
    if not left:
        return False
    if value[0] in {"num", "addr", "fn", "str"}:
        return True
    signs[value] = left
    return _imply(signs, value, left)


def _imply(signs: dict[Value, int], value: Value, left: int) -> bool:  # noqa: PLR0911 (one for each kind)
    """What a value's sign says about those that it is made of."""
    kind, truth = value[0], not left & ZERO
    if left & ZERO and left != ZERO:
        return True
    if kind == "is-err":
        return refine(signs, value[1], NEGATIVE if truth else ZERO | POSITIVE)
    if kind == "is-err-or-null":
        return refine(signs, value[1], NEGATIVE | ZERO if truth else POSITIVE)
    if kind == "or-zero":
        return refine(signs, value[1], NEGATIVE if truth else ZERO | POSITIVE)
    if kind == "and" and truth:
        return all(refine(signs, item, NOT_ZERO) for item in value[1])
    if kind == "cmp":
        op, one, other = value[1:]
        if one[0] == "num":
            op, one, other = _MIRROR[op], other, one
        op = op if truth else _OPPOSITE[op]
        return other[0] != "num" or refine(signs, one, _compared(op, other[1]))
    return True


def _compared(op: str, n: int) -> int:
    """The signs of the numbers that compare so with n."""
    allowed = {
        "==": sign_of_number(n),
        "!=": NOT_ZERO if n == 0 else ANY,
        "<": NEGATIVE | (ZERO if n > 0 else 0) | (POSITIVE if n > 1 else 0),
        "<=": NEGATIVE | (ZERO if n >= 0 else 0) | (POSITIVE if n > 0 else 0),
        ">": POSITIVE | (ZERO if n < 0 else 0) | (NEGATIVE if n < -1 else 0),
        ">=": POSITIVE | (ZERO if n <= 0 else 0) | (NEGATIVE if n < 0 else 0),
    }
    return allowed[op]
