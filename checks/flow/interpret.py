# SPDX-License-Identifier: GPL-2.0-or-later
"""Follows every path through every function, callees first.

States at a point are not merged but told apart, so that a rule sees what each path has found and
done. Drivers of this class have few paths; a function with more than MAX_STEPS is given up, and
that is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.calls import Calls
from checks.flow.cfg import Kind, TooManyWaysError, Work, build, callee, walk
from checks.flow.evaluate import Evaluator, tests_of
from checks.flow.trace import Event, Outcome, Path, State, Trace
from checks.flow.values import ANY, NOT_ZERO, ZERO, number, refine, sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.flow.cfg import Node
    from checks.flow.program import Function, Program
    from checks.flow.trace import Held
    from checks.flow.values import Value

MAX_STEPS = 3000


def follow(program: Program) -> dict[Function, Trace]:
    """The traces of all functions."""
    traces: dict[Function, Trace] = {}
    work = Work()
    for function in _callees_first(program):
        traces[function] = _Interpreter(program, function, traces, work).run()
    return traces


def _callees_first(program: Program) -> list[Function]:
    """The functions, each after those that it calls; a cycle is cut where it is met again."""
    order: list[Function] = []
    seen: set[Function] = set()
    for root in program.functions:
        stack: list[tuple[Function, Iterator[c_ast.Node]]] = []
        if root not in seen:
            seen.add(root)
            stack.append((root, walk(root.node.body)))
        while stack:
            function, nodes = stack[-1]
            called = next(
                (
                    item
                    for item in (program.function(callee(n), function.unit) for n in nodes)
                    if item is not None and item not in seen
                ),
                None,
            )
            if called is None:
                order.append(function)
                stack.pop()
            else:
                seen.add(called)
                stack.append((called, walk(called.node.body)))
    return order


class _Interpreter:
    """Follows one function."""

    def __init__(
        self, program: Program, function: Function, traces: Mapping[Function, Trace], work: Work
    ) -> None:
        self._function, self._trace, self._work = function, Trace(function), work
        self._eval = Evaluator(program, self._trace)
        self._calls = Calls(self._eval, traces)

    def run(self) -> Trace:
        """The function's trace."""
        start = State()
        for index, name in enumerate(self._function.params):
            start.memory["local", name] = ("param", index, name)
        try:
            self._trace.entry = build(self._function.node, self._work)
            self._follow(self._trace.entry, start)
        except TooManyWaysError:
            self._trace.why = f"too many paths lead through '{self._function.name}'"
        self._trace.outcomes = self._outcomes()
        return self._trace

    def _follow(self, entry: Node, start: State) -> None:
        """Go all ways from a node.

        Raises:
            TooManyWaysError: there are too many.
        """
        work: list[tuple[Node, State]] = [(entry, start)]
        seen: set[object] = set()
        while work:
            node, state = work.pop()
            self._work.do(node.size + state.size)
            key = (node, state.key())
            if key in seen:
                continue
            if len(seen) == MAX_STEPS:
                raise TooManyWaysError
            seen.add(key)
            work += self._step(node, state.copy())

    def _step(self, node: Node, state: State) -> list[tuple[Node, State]]:
        """The nodes after a node, each with the state there."""
        if node.kind is Kind.JOIN:
            return [(after, state) for _, after in node.after]
        if node.kind is Kind.LEAVE:
            state.locks = tuple(
                held for held in state.locks if not any(held.call is item for item in node.guards)
            )
            return [(after, state) for _, after in node.after]
        self._eval.choices = node.choices
        states = self._called(node, state)
        if node.kind is Kind.TEST:
            return [pair for item in states for pair in self._test(node, item)]
        if node.kind is Kind.SWITCH:
            return [pair for item in states for pair in self._switch(node, item)]
        following = []
        for item in states:
            if node.kind is Kind.RETURN:
                self._return(node, item)
                continue
            self._statement(node.ast, item)
            _forget(item)
            following += [(after, item) for _, after in node.after]
        return following

    def _called(self, node: Node, state: State) -> list[State]:
        """The states after the calls in a node's expression, inner ones first."""
        states = [state]
        for call in self._calls_in(node.ast):
            before, states = states, []
            for item in before:
                self._work.do(node.size + item.size)
                states += self._calls.apply(call, item)
        return states

    def _calls_in(self, node: c_ast.Node | None) -> Iterator[c_ast.FuncCall]:
        if node is None:
            return
        if isinstance(node, c_ast.UnaryOp) and node.op == "sizeof":
            return
        if isinstance(node, c_ast.TernaryOp):
            # What `a ?: b` tests is called by the test.
            taken = self._eval.choices.get(id(node), True)
            yield from self._calls_in(node.iftrue if taken else node.iffalse)
            return
        for _, child in node.children():
            yield from self._calls_in(child)
        if isinstance(node, c_ast.FuncCall):
            yield node

    def _statement(self, node: c_ast.Node | None, state: State) -> None:
        if isinstance(node, c_ast.Decl):
            if not node.name:
                return
            value: Value = ("uninit", node.name)
            if node.init is not None:
                value = self._eval.value(node.init, state)
                place = ("local", node.name)
                self._eval.note(Event("set", node, node.name, (value,), place=place))
            if not isinstance(node.type, (c_ast.ArrayDecl, c_ast.FuncDecl)):
                state.memory["local", node.name] = value
        elif node is not None:
            self._eval.value(node, state)

    def _test(self, node: Node, state: State) -> list[tuple[Node, State]]:
        value = self._eval.value(node.ast, state)
        _forget(state)
        if node.ast is not None:
            subject = number(sign(state.signs, value))
            known = tests_of(state)
            event = Event("test", node.ast, "", (value, subject), None, state.locks, known)
            self._eval.note(event)
        following = []
        for truth, after in node.after:
            other = state.copy()
            if refine(other.signs, value, NOT_ZERO if truth else ZERO):
                following.append((after, other))
        return following

    def _switch(self, node: Node, state: State) -> list[tuple[Node, State]]:
        value = self._eval.value(node.ast, state)
        _forget(state)
        following = []
        for label, after in node.after:
            self._work.do(1 + state.size)
            other, possible = state.copy(), True
            if isinstance(label, c_ast.Node):
                case = ("cmp", "==", value, self._eval.value(label, state))
                possible = refine(other.signs, case, NOT_ZERO)
            for one, _ in node.after if not isinstance(label, c_ast.Node) else ():
                if possible and isinstance(one, c_ast.Node):
                    case = ("cmp", "==", value, self._eval.value(one, state))
                    possible = refine(other.signs, case, ZERO)
            if possible:
                following.append((after, other))
        return following

    def _return(self, node: Node, state: State) -> None:
        value = None
        if isinstance(node.ast, c_ast.Return) and node.ast.expr is not None:
            value = self._eval.value(node.ast.expr, state)
        _forget(state)
        state.locks = tuple(held for held in state.locks if not held.guard)
        self._trace.paths.append(Path(value, node.ast, state))

    def _outcomes(self) -> tuple[Outcome, ...]:
        """How the function may end, by the locks it takes and gives back."""
        ways: dict[tuple[tuple[Held, ...], tuple[Value, ...]], list[tuple[Value | None, int]]] = {}
        for path in self._trace.paths:
            given: tuple[Value, ...] = tuple(
                dict.fromkeys(
                    event.values[0] if event.values else ("rcu",)
                    for event in path.state.history
                    if event.kind == "unlock" and not _holds(event)
                )
            )
            found = sign(path.state.signs, path.value) if path.value else ANY
            ways.setdefault((path.state.locks, given), []).append((path.value, found))
        outcomes = []
        for (taken, given), ends in ways.items():
            values = {value for value, _ in ends}
            value = values.pop() if len(values) == 1 else None
            if value is not None and value[0] not in {"num", "param"}:
                value = None
            signs = 0
            for _, known in ends:
                signs |= known
            outcomes.append(Outcome(value, signs, taken, given))
        return tuple(outcomes)


def _holds(event: Event) -> bool:
    lock = event.values[0] if event.values else ("rcu",)
    return any(held.lock == lock for held in event.locks)


def _forget(state: State) -> None:
    """Results of calls are used within their statement."""
    for place in [place for place in state.memory if place[0] == "result"]:
        del state.memory[place]
