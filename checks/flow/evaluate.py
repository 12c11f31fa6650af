# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions on a path: what they are worth, what they read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.dialect import same
from checks.flow.cfg import callee
from checks.flow.trace import Event
from checks.flow.values import POSITIVE, both, bounded, complement, name_of, number, origin, sign
from checks.fold import fold, string

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.flow.program import Function, Program
    from checks.flow.trace import State, Trace
    from checks.flow.values import Place, Value

# Calls that are part of the language rather than of an interface.
ONCE_READ, ONCE_WRITE = "READ_ONCE", "WRITE_ONCE"
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
_SAME = {"PTR_ERR", "ERR_PTR"}
_TESTS = {"IS_ERR": "is-err", "IS_ERR_OR_NULL": "is-err-or-null", "PTR_ERR_OR_ZERO": "or-zero"}


class Evaluator:
    """Evaluates the expressions of one function; changes the state that it is given."""

    def __init__(self, program: Program, trace: Trace) -> None:
        self.program, self.trace = program, trace
        self.function: Function = trace.function
        self.choices: Mapping[int, bool] = {}

    def note(self, event: Event) -> None:
        """Keep an event for the whole function."""
        self.trace.events.setdefault(event)

    def value(self, node: c_ast.Node | None, state: State) -> Value:
        """An expression's value."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None or node is None:
            return ("op", id(node))
        return bounded(method(node, state), node)

    @staticmethod
    def _constant(node: c_ast.Constant, _state: State) -> Value:
        value = fold(node, {})
        if value is not None:
            return number(value)
        text = string(node)
        return ("op", id(node)) if text is None else ("str", text)

    def _id(self, node: c_ast.ID, state: State) -> Value:
        name = node.name
        if name in self.function.types:
            return state.memory.get(("local", name), ("load", ("local", name)))
        known = self.program.globals.get(name)
        if known is None:
            if name in self.program.names:
                return number(self.program.names[name])
            called, api = self.program.function(name, self.function.unit), self.program.api(name)
            function = called or (api is not None and api.kind != "variable")
            return ("fn", name) if function else ("load", ("global", name))
        if known.type.startswith("struct ") and not known.type.endswith("*"):
            return ("addr", ("global", name))
        return self.load(("global", name), node, state)

    def load(self, place: Place, node: c_ast.Node, state: State, kind: str = "read") -> Value:
        """What stands at a place."""
        self.note(Event(kind, node, name_of(place), locks=state.locks, place=place))
        return state.memory.get(place, ("load", place))

    def place(self, node: c_ast.Node, state: State) -> Place:
        """The place that an expression names; using a pointer for it is an event."""
        if isinstance(node, c_ast.Cast):
            return self.place(node.expr, state)
        if isinstance(node, c_ast.ID):
            return ("local" if node.name in self.function.types else "global", node.name)
        if isinstance(node, c_ast.StructRef):
            owner = self.program.owner(node, self.function)
            if node.type == "->":
                base = self.value(node.name, state)
                self.dereference(node, base, state)
            else:
                base = ("addr", self.place(node.name, state))
            return ("field", base, owner, node.field.name)
        if isinstance(node, c_ast.UnaryOp) and node.op == "*":
            base = self.value(node.expr, state)
            self.dereference(node, base, state)
            return base[1] if base[0] == "addr" else ("field", base, "", "*")
        if isinstance(node, c_ast.ArrayRef):
            base = self.value(node.name, state)
            self.value(node.subscript, state)
            self.dereference(node, base, state)
            return ("field", base, "", "[]")
        return ("field", ("op", id(node)), "", "?")

    def dereference(self, node: c_ast.Node, base: Value, state: State) -> None:
        """A pointer is used: keep it with what is known of it."""
        known = sign(state.signs, origin(base))
        values = (origin(base), number(known))
        self.note(Event("deref", node, "", values, locks=state.locks))
        if known & POSITIVE and base[0] != "addr":
            state.signs[origin(base)] = POSITIVE  # one mistake is told once

    def _structref(self, node: c_ast.StructRef, state: State) -> Value:
        return self._held(node, self.place(node, state), state)

    def _arrayref(self, node: c_ast.ArrayRef, state: State) -> Value:
        return self._held(node, self.place(node, state), state)

    def _held(self, node: c_ast.Node, place: Place, state: State) -> Value:
        """What an expression is worth whose place is known already."""
        if isinstance(node, c_ast.Cast):
            return self._held(node.expr, place, state)
        if isinstance(node, c_ast.StructRef):
            kind = self.program.type_of(node, self.function)
            if kind.startswith("struct ") and not kind.endswith("*"):
                return ("addr", place)
        elif not (isinstance(node, c_ast.ArrayRef) or getattr(node, "op", "") == "*"):
            return self.value(node, state)
        return self.load(place, node, state)

    def _unaryop(self, node: c_ast.UnaryOp, state: State) -> Value:  # noqa: PLR0911 (one for each kind)
        if node.op == "sizeof":
            return ("op", id(node))
        if node.op == "&":
            if isinstance(node.expr, c_ast.ID) and self.program.function(
                node.expr.name, self.function.unit
            ):
                return ("fn", node.expr.name)
            return ("addr", self.place(node.expr, state))
        if node.op == "*":
            return self._held(node, self.place(node, state), state)
        if node.op in {"++", "--", "p++", "p--"}:
            place = self.place(node.expr, state)
            old = self._held(node.expr, place, state)
            counts = old[0] in {"num", "op"}  # any number of rounds later, it may be any other
            after = ("op", id(node)) if counts else ("plus", old, number(1))
            self.store(place, after, state, node)
            return old
        inner = self.value(node.expr, state)
        if node.op == "~":
            return complement(inner)
        if node.op == "!":
            return ("cmp", "==", inner, number(0))
        if node.op == "-" and inner[0] == "num":
            return number(-inner[1])
        return ("neg", inner) if node.op == "-" else inner

    def _binaryop(self, node: c_ast.BinaryOp, state: State) -> Value:
        left = self.value(node.left, state)
        right = self.value(node.right, state)
        return self._binary(node.op, left, right, node)

    @staticmethod
    def _binary(op: str, left: Value, right: Value, node: c_ast.Node) -> Value:
        if op in {"&", "|"}:
            return both("and" if op == "&" else "or", left, right)
        if left[0] == right[0] == "num":
            written = c_ast.BinaryOp(
                op, c_ast.Constant("int", str(left[1])), c_ast.Constant("int", str(right[1]))
            )
            known = fold(written, {}) if left[1] >= 0 and right[1] >= 0 else None
            return ("op", id(node)) if known is None else number(known)
        if op in _COMPARISONS:
            return ("cmp", op, left, right)
        if op in {"+", "-"}:
            return ("plus", left, right) if op == "+" else ("plus", left, ("op", id(node)))
        return ("op", id(node))

    def _assignment(self, node: c_ast.Assignment, state: State) -> Value:
        value = self.value(node.rvalue, state)
        place = self.place(node.lvalue, state)
        if node.op != "=":
            old = self._held(node.lvalue, place, state)
            value = self._binary(node.op[:-1], old, value, node)
        self.store(place, value, state, node)
        return value

    def store(
        self,
        place: Place,
        value: Value,
        state: State,
        node: c_ast.Node,
        kind: str = "write",
    ) -> None:
        """Put a value into a place."""
        state.memory[place] = value
        if place[0] == "local":
            self.note(Event("set", node, place[1], (value,), place=place))
            return
        known = tests_of(state)
        event = Event(kind, node, name_of(place), (value,), None, state.locks, known, place)
        self.note(event)
        state.note(event)

    def _cast(self, node: c_ast.Cast, state: State) -> Value:
        return self.value(node.expr, state)

    def _ternaryop(self, node: c_ast.TernaryOp, state: State) -> Value:
        yes = node.cond if same(node) else node.iftrue
        side = yes if self.choices.get(id(node), True) else node.iffalse
        return self.value(side, state)

    def _exprlist(self, node: c_ast.ExprList, state: State) -> Value:
        found = [self.value(item, state) for item in node.exprs]
        return found[-1] if found else ("op", id(node))

    def _funccall(self, node: c_ast.FuncCall, state: State) -> Value:
        name, given = callee(node) or "", node.args.exprs if node.args else []
        if name == ONCE_READ and given:
            place = self.place(given[0], state)
            return self.load(place, node, state, "once-read")
        if name == ONCE_WRITE and len(given) > 1:
            value = self.value(given[1], state)
            self.store(self.place(given[0], state), value, state, node, "once-write")
            return value
        if name in _SAME and given:
            return self.value(given[0], state)
        if name in _TESTS and given:
            return (_TESTS[name], self.value(given[0], state))
        return state.memory.get(("result", id(node)), ("op", id(node)))


def builtin(name: str | None) -> bool:
    """Whether a call is part of the language as it is spoken in the kernel."""
    return name in _SAME or name in _TESTS or name in {ONCE_READ, ONCE_WRITE, "offsetof"}


def tests_of(state: State) -> frozenset[tuple[Value, int]]:
    """What tests have found so far, as far as it guards what follows."""
    return frozenset(
        (value, known) for value, known in state.signs.items() if value[0] in {"and", "cmp", "call"}
    )
