# SPDX-License-Identifier: GPL-2.0-or-later
"""C expressions: constants, names and operators."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.dialect import same
from checks.execution.assignments import Assignments
from checks.execution.faults import UnknownError
from checks.execution.layout import (
    CHAR,
    INT,
    LONG,
    UINT,
    ULONG,
    Func,
    Int,
    Ptr,
)  # fmt: skip
from checks.execution.opaque import Opaque, truth
from checks.execution.places import target
from checks.execution.state import Obj
from checks.fold import fold, string

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.execution.layout import Type

    Frame = list[Any]
    Code = Callable[[Frame], Any]


_ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "|": operator.or_, "^": operator.xor,
}  # fmt: skip
_COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
    "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
# Operators whose result is 0 or 1.
_TRUTHS = frozenset({"!", "&&", "||", *_COMPARE})


class Expressions(Assignments):
    """Compiles expressions."""

    # Leaves

    def _constant(self, node: c_ast.Constant) -> tuple[Code, Type]:
        text = string(node)
        if text is not None:
            pointer = (Obj("text", "a string literal", len(text) + 1, text), 0)
            return (lambda _f: pointer), Ptr(CHAR)
        number = fold(node, {})
        if number is None:
            raise UnknownError(f"the constant {node.value} is not understood")
        suffix = node.value.lower()
        long_ = "l" in suffix or not -(1 << 31) <= number < 1 << 32
        signed = "u" not in suffix.lstrip("0x") and number < (1 << 63 if long_ else 1 << 31)
        return (lambda _f: number), Int(64 if long_ else 32, signed)

    def _id(self, node: c_ast.ID) -> tuple[Code, Type]:
        name = node.name
        if self.variable(name) is None:
            number = self.program.constant(self.unit, name)
            if number is not None:
                return (lambda _f: number), INT if number < 1 << 31 else UINT
            func = self.program.function(self.unit, name)
            if func is not None:
                return (lambda _f: func), Ptr(Func(func.returns))
        return self.fetch(node, self.place(node))

    def _structref(self, node: c_ast.StructRef) -> tuple[Code, Type]:
        return self.fetch(node, self.place(node))

    def _arrayref(self, node: c_ast.ArrayRef) -> tuple[Code, Type]:
        return self.fetch(node, self.place(node))

    # Operators

    def _unaryop(self, node: c_ast.UnaryOp) -> tuple[Code, Type]:
        if node.op == "&":
            return self.address(node.expr)
        if node.op == "sizeof":
            return self._sizeof(node)
        if node.op in {"++", "--", "p++", "p--"}:
            return self._step(node)
        code, type_ = self.typed(node.expr)
        if node.op == "*":
            called = isinstance(target(type_), Func)
            return (code, type_) if called else self.fetch(node, self.place(node))
        return self._changed(node, code, type_)

    def _changed(self, node: c_ast.UnaryOp, code: Code, type_: Type) -> tuple[Code, Type]:
        """`!`, `~`, `-` and `+`."""
        if node.op == "!":
            return self._not(node.expr, code), INT
        wide = _promoted(type_)
        wrap = wide.wrapper()
        if node.op == "~":
            return (lambda f: wrap(~code(f))), wide
        return (code if node.op == "+" else (lambda f: wrap(-code(f)))), wide

    def _not(self, node: c_ast.Node, code: Code) -> Code:
        asked = self.asked(node, code)
        return lambda f: 0 if asked(f) else 1

    def asked(self, node: c_ast.Node, code: Code) -> Code:
        """Whether an expression holds; what already is 0 or 1 needs no look."""
        if getattr(node, "op", "") in _TRUTHS:
            return code

        def holds(f: Frame) -> Any:
            v = code(f)
            return v.holds() if v.__class__ is Opaque else v

        return holds

    def _sizeof(self, node: c_ast.UnaryOp) -> tuple[Code, Type]:
        if isinstance(node.expr, c_ast.Typename):
            size = self.unit.types.of(node.expr).size
        elif (text := string(node.expr)) is not None:
            size = len(text) + 1
        else:
            try:
                size = self.place(node.expr).type.size
            except UnknownError:
                size = self.typed(node.expr)[1].size
        return (lambda _f: size), ULONG

    def _step(self, node: c_ast.UnaryOp) -> tuple[Code, Type]:
        settle, place = self.settled(self.place(node.expr))
        get, type_ = self.fetch(node.expr, place)
        one = target(type_).size if isinstance(type_, Ptr) else 1
        by = one if "+" in node.op else -one
        put = self.assign(place, node)
        wrap = type_.wrapper() if isinstance(type_, Int) else None

        def code(f: Frame) -> Any:
            settle(f)
            old = get(f)
            moved = old.__class__ is tuple
            new = (old[0], old[1] + by) if moved else wrap(old + by) if wrap else old + by
            put(f, new)
            return old if node.op.startswith("p") else new

        return code, type_

    def _binaryop(self, node: c_ast.BinaryOp) -> tuple[Code, Type]:
        op = node.op
        if op in {"&&", "||"}:
            a = self.asked(node.left, self.value(node.left))
            b = self.asked(node.right, self.value(node.right))
            if op == "&&":
                return (lambda f: 1 if a(f) and b(f) else 0), INT
            return (lambda f: 1 if a(f) or b(f) else 0), INT
        left, right = self.typed(node.left), self.typed(node.right)
        pointers = [isinstance(t, Ptr) for _, t in (left, right)]
        if op in _COMPARE:
            return self._compare(node, left, right)
        if any(pointers) and op in {"+", "-"} and not all(pointers):
            sign = -1 if op == "-" else 1
            pair = (node.left, node.right) if pointers[0] else (node.right, node.left)
            return self.sum(*pair, sign)
        if all(pointers):
            size = target(left[1]).size
            return (lambda f: (left[0](f)[1] - right[0](f)[1]) // size), LONG
        return self._arithmetic(node, left, right)

    def _compare(
        self, node: c_ast.BinaryOp, left: tuple[Code, Type], right: tuple[Code, Type]
    ) -> tuple[Code, Type]:
        (a, at), (b, bt), act = left, right, _COMPARE[node.op]
        if not (isinstance(at, Int) and isinstance(bt, Int)):
            return (lambda f: _told(act(a(f), b(f)))), INT
        wide = _common(at, bt)
        if wide.signed:
            return (lambda f: _told(act(a(f), b(f)))), INT
        wrap = wide.wrapper()
        return (lambda f: _told(act(wrap(a(f)), wrap(b(f))))), INT

    def _arithmetic(
        self, node: c_ast.BinaryOp, left: tuple[Code, Type], right: tuple[Code, Type]
    ) -> tuple[Code, Type]:
        (a, at), (b, bt), op = left, right, node.op
        world, at_node = self.world, self.at(node)
        wide = _promoted(at) if op in {"<<", ">>"} else _common(at, bt)
        wrap = wide.wrapper()
        act: Callable[[Any, Any], Any]
        if op in _ARITHMETIC:
            act = _ARITHMETIC[op]
            return (lambda f: wrap(act(a(f), b(f)))), wide
        if op in {"/", "%"}:

            def act(x: Any, y: Any) -> Any:
                if x.__class__ is Opaque:
                    return x.derive(op, y)
                if y == 0:
                    world.at = at_node
                    raise world.defect("RUN306", "divides by zero")
                quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
                return quotient if op == "/" else x - y * quotient
        else:
            limit = wide.bits
            shift = operator.lshift if op == "<<" else operator.rshift

            def act(x: Any, y: Any) -> Any:
                if not 0 <= y < limit:
                    world.at = at_node
                    raise world.defect("RUN306", f"shifts {limit} bits by {y}")
                return shift(x, y)

        return (lambda f: wrap(act(wrap(a(f)), b(f)))), wide

    def _ternaryop(self, node: c_ast.TernaryOp) -> tuple[Code, Type]:
        yes = node.cond if same(node) else node.iftrue
        (a, at), (b, bt) = self.typed(yes), self.typed(node.iffalse)
        type_ = _common(at, bt) if isinstance(at, Int) and isinstance(bt, Int) else at
        type_ = bt if at == INT and bt != INT else type_
        if same(node):
            return (lambda f: v if truth(v := a(f)) else b(f)), type_
        cond = self.asked(node.cond, self.value(node.cond))
        return (lambda f: a(f) if cond(f) else b(f)), type_

    def _exprlist(self, node: c_ast.ExprList) -> tuple[Code, Type]:
        codes = [self.typed(item) for item in node.exprs]
        return (lambda f: [code(f) for code, _ in codes][-1]), codes[-1][1]

    def _cast(self, node: c_ast.Cast) -> tuple[Code, Type]:
        (code, _), type_ = self.typed(node.expr), self.unit.types.of(node.to_type)
        if not isinstance(type_, Int):
            return code, type_
        wrap = type_.wrapper()
        return (lambda f: wrap(code(f))), type_

    def _funccall(self, node: c_ast.FuncCall) -> tuple[Code, Type]:
        from checks.execution.calls import call  # noqa: PLC0415 (they call each other)

        return call(self, node)

    def arguments(self, node: c_ast.FuncCall) -> Sequence[c_ast.Node]:
        """The arguments of a call."""
        return node.args.exprs if node.args else ()


def _told(result: Any) -> Any:
    """What a comparison gives: a truth value in Python, 0 or 1 in C."""
    return int(result if result.__class__ is bool else result.holds())


def _promoted(type_: Type) -> Int:
    if not isinstance(type_, Int):
        return ULONG if isinstance(type_, Ptr) else LONG
    return INT if type_.bits < INT.bits else type_


def _common(left: Type, right: Type) -> Int:
    a, b = _promoted(left), _promoted(right)
    if a.bits != b.bits:
        return a if a.bits > b.bits else b
    return Int(a.bits, a.signed and b.signed)
