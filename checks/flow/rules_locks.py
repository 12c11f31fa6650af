# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about locks: taken and given back, on which path, by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.analysis import asserted, chain_text, flow_check, place
from checks.flow.cfg import callee
from checks.flow.resources import action_of
from checks.flow.trace import lock_name
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event, Held, Trace
    from checks.rule import Context, Word


def _blocks(flow: Flow, event: Event) -> bool:
    """Whether taking this lock waits for who holds it; entering an RCU section never does."""
    api = flow.api(event)
    takes = bool(api and api.lock and api.acquires and api.fails != "zero" and event.values)
    return takes and event.values[0][0] != "rcu"


@flow_check("KERN105")
def blocks_in_panic(flow: Flow, _context: Context) -> Iterator[Word]:
    """A lock that the interrupted processor may hold is waited for in a panic."""
    for function, trace in flow.traces.items():
        chain = flow.roles.get(function, {}).get("panic")
        if chain is None:
            continue
        for event in trace.of("lock"):
            api = flow.api(event)
            asleep = bool(api and api.lock and not api.lock.atomic)
            if _blocks(flow, event) or asleep:
                message = (
                    f"{event.name}() in a panic ({chain_text(chain)}): whoever was interrupted or "
                    f"stopped may hold '{lock_name(event.values[0])}'"
                )
                hint = "try to take it, and give up if that fails" if not asleep else None
                yield Found(message, place(function, event.node), help=hint)


def _helper(flow: Flow, function: Function, lock: str) -> bool:
    """Whether a function takes a lock for its caller, as some function gives it back unheld."""
    if any(root.function is function for root in flow.program.roots):
        return False
    return any(
        lock_name(event.values[0]) == lock and not _held(event)
        for trace in flow.traces.values()
        for event in trace.of("unlock")
        if event.values
    )


def _held(event: Event) -> bool:
    lock = event.values[0] if event.values else ("rcu",)
    return any(item.lock == lock for item in event.locks)


@flow_check("KERN106")
def kept(flow: Flow, _context: Context) -> Iterator[Word]:
    """A way out of a function on which a lock is still held."""
    for function, trace in flow.traces.items():
        free = {item.name for item in _everywhere(trace)}
        for path in trace.paths:
            for item in path.state.locks:
                own = flow.program.function(callee(item.call), function.unit)
                if own is not None and not _helper(flow, own, item.name):
                    continue
                if _helper(flow, function, item.name):
                    continue
                early = path.node is not None and item.name not in free
                span = place(function, path.node if early and path.node else item.call)
                what = f"'{item.name}' is still held on leaving {function.name}()"
                yield Found(what if early else f"{what}: it is never given back", span)


def _everywhere(trace: Trace) -> list[Held]:
    """The locks that are held on every way out."""
    sets = [{item.name: item for item in path.state.locks} for path in trace.paths]
    return [item for name, item in sets[0].items() if all(name in s for s in sets)] if sets else []


@flow_check("KERN107")
def unbalanced(flow: Flow, _context: Context) -> Iterator[Word]:
    """A lock given back that is not held, or taken that is."""
    for function, trace in flow.traces.items():
        for event in trace.of("unlock"):
            lock = lock_name(event.values[0] if event.values else ("rcu",))
            if not _held(event) and lock not in flow.held[function]:
                message = f"'{lock}' may be given back here without being held"
                yield Found(message, place(function, event.node))
        for event in trace.of("lock"):
            lock = lock_name(event.values[0] if event.values else ("rcu",))
            if _blocks(flow, event) and (_held(event) or lock in flow.held[function]):
                message = f"'{lock}' is taken here by who holds it already"
                yield Found(message, place(function, event.node))
    yield from _deadlocks(flow)


def _deadlocks(flow: Flow) -> Iterator[Word]:
    """A function that takes a lock, called by one that holds it."""
    for function, event in flow.calls():
        called = flow.called(function, event) or _on_failure(flow, function, event)
        names = {item.name for item in event.locks if item.lock[0] == "addr"}
        for below in flow.reach(called) if called and names else ():
            for taken in flow.traces[below].of("lock"):
                lock = lock_name(taken.values[0]) if taken.values else ""
                if lock in names and _blocks(flow, taken) and lock not in flow.held[below]:
                    message = f"{event.name}() takes '{lock}', which is held here already"
                    yield Found(message, place(function, event.node))


def _on_failure(flow: Flow, function: Function, event: Event) -> Function | None:
    """The function that a call of the kernel's calls before it returns, if it fails."""
    api = flow.api(event)
    return action_of(flow, function, event) if api is not None and api.resets else None


@flow_check("KERN108")
def mismatched(flow: Flow, _context: Context) -> Iterator[Word]:
    """A lock taken in one way and given back in another."""
    for function, trace in flow.traces.items():
        for event in trace.of("unlock"):
            lock = event.values[0] if event.values else ("rcu",)
            held = next((item for item in event.locks if item.lock == lock), None)
            if held is None or held.guard:
                continue
            one, other = flow.program.api(held.api), flow.api(event)
            if one is None or other is None or one.lock is None or other.lock is None:
                continue
            name = lock_name(lock)
            if one.lock.variant != other.lock.variant:
                message = f"'{name}' was taken by {held.api}(), which {event.name}() does not undo"
                yield Found(message, place(function, event.node))
            elif held.more and event.values[1:] and held.more != event.values[1:]:
                message = f"{event.name}() restores other flags than those {held.api}() saved"
                yield Found(message, place(function, event.node))


@flow_check("KERN109")
def shared_with_atomic(flow: Flow, _context: Context) -> Iterator[Word]:
    """A lock waited for in atomic context, and held elsewhere where that may interrupt."""
    plain: dict[str, str] = {}
    for function, trace in flow.traces.items():
        for event in trace.of("lock"):
            api = flow.api(event)
            if api and api.lock and api.lock.variant == "plain" and not flow.atomic(function):
                plain[lock_name(event.values[0])] = function.name
    for function, trace in flow.traces.items():
        roles = flow.roles.get(function, {})
        if "sys-off" not in roles or "panic" in roles:
            continue
        for event in trace.of("lock"):
            lock = lock_name(event.values[0]) if event.values else ""
            if _blocks(flow, event) and lock in plain:
                message = (
                    f"{event.name}() waits for '{lock}' while the machine powers off: a processor "
                    f"that was stopped in {plain[lock]}() keeps it for ever"
                )
                yield Found(message, place(function, event.node))


@flow_check("KERN163")
def switched_on(flow: Flow, _context: Context) -> Iterator[Word]:
    """Interrupts are switched on in a panic, which has switched them off."""
    for function, trace in flow.traces.items():
        if "panic" not in flow.roles.get(function, {}):
            continue
        for event in trace.of("unlock"):
            api = flow.api(event)
            if api is not None and api.lock is not None and api.lock.variant == "irq":
                message = f"{event.name}() switches interrupts on in the middle of a panic"
                yield Found(message, place(function, event.node), help="use the irqsave kind")


@flow_check("KERN142")
def asserted_but_not_held(flow: Flow, _context: Context) -> Iterator[Word]:
    """A function that says that a lock is held, called without it."""
    for function, trace in flow.traces.items():
        for event in trace.of("call"):
            lock = asserted(event)
            if lock is None or lock in flow.locks(function, event):
                continue
            if function not in flow.callers:
                yield Found(f"'{lock}' is not held here", place(function, event.node))
            for caller, call in flow.callers.get(function, []):
                if lock not in flow.locks(caller, call):
                    message = f"{function.name}() says that '{lock}' is held, but here it is not"
                    yield Found(message, place(caller, call.node))


@flow_check("KERN110")
def written_without(flow: Flow, _context: Context) -> Iterator[Word]:
    """Something written under a lock in one function and without it in another."""
    writes: dict[str, list[tuple[Function, Event, frozenset[str]]]] = {}
    for function, trace in flow.traces.items():
        for event in trace.of("write", "once-write"):
            if event.place is not None and not _private(flow, function, event):
                locks = flow.locks(function, event) - {"RCU"}
                writes.setdefault(event.name, []).append((function, event, locks))
    for name, items in writes.items():
        guards: frozenset[str] = frozenset().union(*(locks for _, _, locks in items))
        for lock in sorted(guards):
            inside = next(function for function, _, locks in items if lock in locks)
            for function, event, locks in items:
                if not locks:
                    message = (
                        f"'{name}' is written here without '{lock}', which is held when "
                        f"{inside.name}() writes it"
                    )
                    yield Found(message, place(function, event.node))


def _private(flow: Flow, function: Function, event: Event) -> bool:
    """Whether nobody else can see what is written: new memory, or before all else has begun."""
    assert event.place is not None  # noqa: S101 (the caller has looked)
    if set(flow.roles.get(function, {})) <= {"init", "exit"}:
        return True
    base = event.place[1] if event.place[0] == "field" else None
    if base is None or base[0] != "call":
        return False
    api = flow.program.api(base[2])
    return api is None or api.data is None
