# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call does on a path: by the kernel's facts, or by how the driver's own function ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.dialect import GIVEN_BACK, TAKE
from checks.flow.cfg import GUARD, SCOPED, callee
from checks.flow.evaluate import builtin, tests_of
from checks.flow.trace import Event, Held
from checks.flow.values import (
    ANY,
    POSITIVE,
    ZERO,
    bounded,
    failure,
    mentions,
    name_of,
    substitute,
    success,
)
from checks.preprocess import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycparser import c_ast

    from checks.flow.evaluate import Evaluator
    from checks.flow.program import Function
    from checks.flow.trace import Outcome, State, Trace
    from checks.flow.values import Value
    from gen.api import Api

MODEL = "__model_list_"


class Calls:
    """Applies calls; `traces` has the driver's functions that were followed before."""

    def __init__(self, evaluator: Evaluator, traces: Mapping[Function, Trace]) -> None:
        self._eval, self._traces = evaluator, traces
        self._program, self._function = evaluator.program, evaluator.function

    def apply(self, node: c_ast.FuncCall, state: State) -> list[State]:
        """The states after a call; its result is in their memory."""
        name = callee(node)
        if name is None:
            given = tuple(
                self._eval.value(a, state) for a in (node.args.exprs if node.args else [])
            )
            pointer = self._eval.value(node.name, state)
            event = Event("call", node, "", (pointer, *given), None, state.locks)
            return [self._done(node, state, event, ANY)]
        if builtin(name):
            return [state]
        if name.startswith((GUARD, SCOPED)) or name == TAKE:
            return [self._scope(node, name, state)]
        given = tuple(self._eval.value(a, state) for a in (node.args.exprs if node.args else []))
        if name.startswith(MODEL):
            return [self._model(node, name, given, state)]
        return self._known(node, name, given, state)

    def _known(
        self, node: c_ast.FuncCall, name: str, given: tuple[Value, ...], state: State
    ) -> list[State]:
        result = ("call", id(node), name)
        event = Event("call", node, name, given, result, state.locks, tests_of(state))
        own = self._program.function(name, self._function.unit)
        if own is not None:
            trace = self._traces.get(own)
            return self._own(node, event, trace, state)
        api = self._program.api(name)
        if api is None:
            return [self._done(node, state, event, ANY)]
        if api.access is not None and given:
            self._eval.dereference(node, given[-1], state)
        if api.lock is not None:
            return self._lock(node, _named_section(event, api), api, state)
        if api.returns is not None:
            return [self._handed(node, event, api, state)]
        pointer = bool(api.prototype and "*" in api.prototype.split(f"{name}(")[0])
        never = POSITIVE if pointer else ANY
        signs = failure(api.fails) | success(api.fails) if failure(api.fails) else never
        return [self._done(node, state, event, signs)]

    def _done(self, node: c_ast.FuncCall, state: State, event: Event, signs: int) -> State:
        """Keep the event and its result; what was given by address is changed."""
        self._eval.note(event)
        state.note(event)
        self._fresh(state, ("call", id(node), event.name), signs)
        state.memory["result", id(node)] = ("call", id(node), event.name)
        for value in event.values:
            if value[0] == "addr" and value[1][0] == "local":
                out = ("out", id(node), event.name)
                self._fresh(state, out, ANY)
                state.memory[value[1]] = out
        return state

    def _handed(self, node: c_ast.FuncCall, event: Event, api: Api, state: State) -> State:
        """A call whose result is one of its arguments."""
        done = self._done(node, state, event, ANY)
        at = api.parameters.index(api.returns or "")
        if at < len(event.values):
            done.memory["result", id(node)] = event.values[at]
        return done

    @staticmethod
    def _fresh(state: State, value: Value, signs: int) -> None:
        """A value is made anew: what was known of it, as in the round of a loop before, is not."""
        stale = [key for key in state.signs if mentions(key, lambda item: item == value)]
        for key in stale:
            del state.signs[key]
        state.signs[value] = signs

    def _lock(self, node: c_ast.FuncCall, event: Event, api: Api, state: State) -> list[State]:
        """Take a lock or give it back; one that may fail to be taken gives two states."""
        lock = event.values[0] if event.values else ("rcu",)
        if api.releases:
            kept = [item for item in state.locks if item.lock == lock][-1:]
            self._event("unlock", event, state)
            state.locks = tuple(item for item in state.locks if item not in kept)
            return [self._done(node, state, event, ANY)]
        self._event("lock", event, state)
        atomic = api.lock is not None and api.lock.atomic
        held = Held(lock, node, event.name, atomic, guard=False, more=event.values[1:])
        without = state.copy()
        done = self._done(node, state, event, success(api.fails) if failure(api.fails) else ANY)
        if api.fails == "zero":
            done.signs[("call", id(node), event.name)] = POSITIVE
        if not values_held(done, lock):
            done.locks = (*done.locks, held)
        if not failure(api.fails):
            return [done]
        return [done, self._done(node, without, event, failure(api.fails))]

    def _event(self, kind: str, event: Event, state: State) -> None:
        note = event._replace(kind=kind)
        self._eval.note(note)
        state.note(note)

    def _scope(self, node: c_ast.FuncCall, name: str, state: State) -> State:
        """What the end of a scope gives back, or what is taken from there."""
        if name == TAKE and node.args:
            state.memory["result", id(node)] = self._eval.value(node.args.exprs[0], state)
        elif not name.startswith(GIVEN_BACK):
            return self._guard(node, name, state)
        return state

    def _guard(self, node: c_ast.FuncCall, name: str, state: State) -> State:
        """A lock that its scope gives back; its class is named like the call that takes it."""
        kind = name.removeprefix(GUARD).removeprefix(SCOPED)
        api = next(
            (
                item
                for item in (
                    self._program.api(f"{kind}_lock"),
                    self._program.api(f"{kind}_read_lock"),
                    self._program.api(kind.replace("lock_", "_lock_")),
                    self._program.api(kind.replace("lock", "_lock")),
                )
                if item is not None and item.lock is not None
            ),
            None,
        )
        arguments = node.args.exprs if node.args else []
        given = tuple(self._eval.value(item, state) for item in arguments)
        lock = given[0] if given else ("rcu",)
        event = Event("lock", node, api.name if api else name, given, None, state.locks)
        self._eval.note(event)
        state.note(event)
        atomic = api.lock.atomic if api and api.lock else True
        state.locks = (*state.locks, Held(lock, node, event.name, atomic, guard=True))
        return state

    def _model(
        self, node: c_ast.FuncCall, name: str, given: tuple[Value, ...], state: State
    ) -> State:
        """A step of a walk through a list, as the stubs of its macros make it."""
        step = name.removeprefix(MODEL).removesuffix("_short")
        written = self._eval.function.unit.token(node)
        macro = text_of(written.span.source, written.span) if written else ""
        api = self._program.api(macro)
        walk = (api.walk if api else None) or "plain"
        result: Value = ("call", id(node), name)
        if step in {"first", "last", "head", "tail"}:
            result = ("item", given[0] if given else ())
            event = Event("walk", node, walk, given, result, state.locks)
        else:
            event = Event(
                "next" if step != "more" else "more", node, walk, given, None, state.locks
            )
            result = result if step == "more" else (given[0] if given else result)
        if event.kind != "more":
            self._eval.note(event)
            state.note(event)
        else:
            self._fresh(state, result, ZERO | POSITIVE)
        state.memory["result", id(node)] = result
        return state

    def _own(
        self, node: c_ast.FuncCall, event: Event, trace: Trace | None, state: State
    ) -> list[State]:
        """A call of the driver's own function: one state for each way in which it may end."""
        if trace is None or not trace.outcomes:
            return [self._done(node, state, event, ANY)]
        self._uses(event, trace, state)
        written = {item.name for item in trace.of("write", "once-write")}
        for place in [p for p in state.memory if p[0] != "local" and _named(p) in written]:
            del state.memory[place]
        states = []
        for outcome in trace.outcomes:
            after = self._done(node, state.copy(), event, outcome.sign)
            self._end(node, event, outcome, after)
            states.append(after)
        return states

    def _uses(self, event: Event, trace: Trace, state: State) -> None:
        """A pointer argument that the callee uses without a look at it is used by this call."""
        for use in trace.of("deref"):
            base, known = use.values
            if base[0] == "param" and base[1] < len(event.values) and known[1] & ZERO:
                self._eval.dereference(event.node, event.values[base[1]], state)

    @staticmethod
    def _end(node: c_ast.FuncCall, event: Event, outcome: Outcome, state: State) -> None:
        if outcome.value is not None:
            state.memory["result", id(node)] = substitute(outcome.value, event.values)
        for lock in outcome.given:
            wanted = bounded(substitute(lock, event.values), node)
            state.locks = tuple(item for item in state.locks if item.lock != wanted)
        taken = (
            item._replace(lock=bounded(substitute(item.lock, event.values), node), call=node)
            for item in outcome.taken
        )
        state.locks = (*state.locks, *taken)


def _named(place: Value) -> str:
    return name_of(place) if place[0] in {"field", "global"} else ""


def values_held(state: State, lock: Value) -> bool:
    """Whether a lock is held already; only RCU sections nest."""
    return lock[0] != "rcu" and any(item.lock == lock for item in state.locks)


def _named_section(event: Event, api: Api) -> Event:
    """An event whose first value is the lock, also where that is none of the arguments.

    Whatever keeps the scheduler away is a read section of RCU, too.
    """
    lock = api.lock
    if lock is None or lock.variant == "rcu" or "rcu" not in {api.acquires, api.releases}:
        return event
    return event._replace(values=(("rcu", lock.variant), *event.values))
