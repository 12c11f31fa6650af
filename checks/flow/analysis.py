# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a driver as a whole: who calls what, in which role, holding which locks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.extract import constants
from checks.flow.interpret import follow
from checks.flow.program import read_program
from checks.flow.trace import lock_name
from checks.rule import Found, Unknown, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pycparser import c_ast

    from checks.flow.program import Function, Program
    from checks.flow.trace import Event, Trace
    from checks.rule import Context, Word
    from gen.api import Api
    from gen.source import Span

# In these roles a function must not sleep; in all others it runs in a process.
ATOMIC = {"panic": "in a panic", "sys-off": "while the machine powers off"}


@dataclass(eq=False)
class Flow:
    """A followed driver.

    `callers` has the calls of each function, `roles` the chain of functions from one that the
    kernel calls in a role to the function itself.
    """

    program: Program
    traces: dict[Function, Trace]
    callers: dict[Function, list[tuple[Function, Event]]] = field(default_factory=dict)
    roles: dict[Function, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    held: dict[Function, frozenset[str]] = field(default_factory=dict)
    _reach: dict[Function, tuple[Function, ...]] = field(default_factory=dict)

    def api(self, event: Event) -> Api | None:
        """The kernel's interface that an event's call is of."""
        return self.program.api(event.name)

    def calls(self) -> Iterator[tuple[Function, Event]]:
        """Every call with the function that it stands in."""
        for function, trace in self.traces.items():
            for event in trace.of("call"):
                yield function, event

    def called(self, function: Function, event: Event) -> Function | None:
        """The driver's function that an event's call is of."""
        return self.program.function(event.name, function.unit)

    def reach(self, function: Function) -> tuple[Function, ...]:
        """A function and all that it calls, directly or not."""
        known = self._reach.get(function)
        if known is None:
            found = {function: None}
            work = [function]
            while work:
                item = work.pop()
                for event in self.traces[item].of("call"):
                    called = self.called(item, event)
                    if called is not None and called not in found:
                        found[called] = None
                        work.append(called)
            known = self._reach[function] = tuple(found)
        return known

    def rooted(self, *roles: str) -> list[Function]:
        """The functions that the kernel calls in one of the roles, each once."""
        found = {root.function: None for root in self.program.roots if root.role in roles}
        return list(found)

    def atomic(self, function: Function) -> str | None:
        """The role in which a function must not sleep, if there is one."""
        return next((role for role in self.roles.get(function, {}) if role in ATOMIC), None)

    def locks(self, function: Function, event: Event) -> frozenset[str]:
        """The names of the locks that are held at an event for certain."""
        return self.held.get(function, frozenset()) | {item.name for item in event.locks}


def place(function: Function, node: c_ast.Node) -> Span:
    """Where a node stands: its first word."""
    return function.unit.name_span(node)


def flow_of(context: Context) -> Flow:
    """The driver as it was followed, once for all rules."""
    if "flow" not in context.memo:
        facts = context.facts
        program = read_program(context.units, facts, constants(facts.kernel))
        flow = Flow(program, follow(program))
        _callers(flow)
        _roles(flow)
        _held(flow)
        context.memo["flow"] = flow
    found: Flow = context.memo["flow"]
    return found


def _callers(flow: Flow) -> None:
    for function, event in flow.calls():
        called = flow.called(function, event)
        if called is not None:
            flow.callers.setdefault(called, []).append((function, event))


def _roles(flow: Flow) -> None:
    """Spread each role from the functions that the kernel calls in it."""
    for root in flow.program.roots:
        work: list[tuple[Function, tuple[str, ...]]] = [(root.function, (root.function.name,))]
        while work:
            function, chain = work.pop()
            known = flow.roles.setdefault(function, {})
            if root.role in known:
                continue
            known[root.role] = chain
            for event in flow.traces[function].of("call"):
                called = flow.called(function, event)
                if called is not None:
                    work.append((called, (*chain, called.name)))


def _held(flow: Flow) -> None:
    """The locks that all callers of a function hold, callers before callees."""
    rooted = {root.function for root in flow.program.roots}
    for function in reversed(flow.traces):
        calls = flow.callers.get(function, [])
        if function in rooted or not calls:
            flow.held[function] = frozenset()
            continue
        sets = [flow.locks(caller, event) for caller, event in calls]
        flow.held[function] = frozenset.intersection(*sets)


if TYPE_CHECKING:
    FlowCheck = Callable[[Flow, Context], Iterable[Word]]


def flow_check(rule_id: str) -> Callable[[FlowCheck], FlowCheck]:
    """Make a function a rule's code; a function that could not be followed leaves it open."""

    def register(function: FlowCheck) -> FlowCheck:
        @check(rule_id)
        def run(context: Context) -> Iterator[Word]:
            flow = flow_of(context)
            words = _as_far_as_followed(flow, _once(function(flow, context)))
            yield from _as_far_as_locks_are_known(flow, words) if rule_id in _OF_LOCKS else words
            for item, trace in flow.traces.items():
                if trace.why:
                    yield Unknown(trace.why, item.span)

        return function

    return register


def _as_far_as_followed(flow: Flow, words: Iterable[Word]) -> Iterator[Word]:
    """A missing thing may stand in a function that could not be followed."""
    whole = not any(trace.why for trace in flow.traces.values())
    for word in words:
        if whole or not isinstance(word, Found) or not word.absent:
            yield word
        else:
            yield Unknown(f"{word.message}, as far as the driver was followed", word.span)


def _as_far_as_locks_are_known(flow: Flow, words: Iterable[Word]) -> Iterator[Word]:
    """Nothing is found of locks while a function that nobody knows takes or releases one."""
    strange = next(iter(_strange_locks(flow)), None)
    for word in words:
        if strange is None or not isinstance(word, Found):
            yield word
            continue
        name = strange.name or "a function"
        why = f"{word.message}, unless {name}() takes or releases the lock, which is not known"
        yield Unknown(why, word.span)


def _strange_locks(flow: Flow) -> Iterator[Event]:
    """Calls of functions that nobody knows with one of the driver's locks, or what may be one."""
    for function, event in flow.calls():
        if flow.api(event) is not None or flow.called(function, event) is not None:
            continue
        places = [value[1] for value in event.values if value[0] == "addr"]
        names = {place[1] for place in places if place[0] == "global"}
        known = flow.program.globals
        if any(name not in known or _LOCK.search(known[name].type) for name in names):
            yield event


def _once(words: Iterable[Word]) -> Iterator[Word]:
    """What several paths or rounds say alike is said once."""
    seen = set()
    for word in words:
        span = getattr(word, "span", None)
        key = (type(word), getattr(word, "message", None), span and span.source, span)
        if key not in seen:
            seen.add(key)
            yield word


def chain_text(chain: tuple[str, ...]) -> str:
    """How one gets to a function: `a → b`."""
    return " → ".join(chain)


def asserted(event: Event) -> str | None:
    """The lock that a call says is held."""
    return lock_name(event.values[0]) if event.name == ASSERT and event.values else None


# Rules that rest on which locks are held.
_OF_LOCKS = frozenset({"KERN106", "KERN107", "KERN110", "KERN142", "KERN143", "KERN146"})
_LOCK = re.compile("lock|mutex|semaphore")
ASSERT = "lockdep_assert_held"
