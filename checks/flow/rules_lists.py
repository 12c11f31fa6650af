# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about lists, who walks through them and who changes them, and about what RCU asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.analysis import flow_check, place
from checks.flow.resources import PUBLISHED
from checks.flow.trace import lock_name
from checks.flow.values import mentions, name_of
from checks.rule import Found, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function, Global
    from checks.flow.trace import Event, Path
    from checks.flow.values import Value
    from checks.rule import Context, Word

RCU = "RCU"


def _kinds(flow: Flow) -> dict[str, str]:
    """The types that have to be made ready for use, with what does so."""
    found = {}
    for api in flow.program.kernel.table.values():
        if api.initialises and api.prototype:
            inner = api.prototype.split("(", 1)[1].rsplit(")", 1)[0]
            found[inner.rsplit("*", 1)[0].strip()] = api.name
    return found


def _initialised(flow: Flow) -> dict[str, tuple[Function, Event]]:
    """Where objects are made ready for use, by name."""
    found: dict[str, tuple[Function, Event]] = {}
    for function, event in flow.calls():
        api = flow.api(event)
        if api is not None and api.initialises and event.values:
            found.setdefault(lock_name(event.values[0]), (function, event))
    return found


@flow_check("KERN131")
def used_unready(flow: Flow, _context: Context) -> Iterator[Word]:
    """A list or lock is used that nothing has made ready, or a walk that its step breaks."""
    kinds, ready = _kinds(flow), _initialised(flow)
    used = {
        lock_name(value)
        for trace in flow.traces.values()
        for event in trace.of("lock", "walk", "call")
        for value in event.values
        if value[0] == "addr"
    }
    for item in flow.program.globals.values():
        if item.type in kinds and not item.initialised and item.name in used:
            if item.name not in ready:
                yield Found(
                    f"'{item.name}' is used, but {kinds[item.type]}() is never called", item.span
                )
            else:
                yield from _late(flow, item, *ready[item.name])
    yield from _swapped(flow)
    yield from _members(flow, kinds, ready)
    yield from _broken_walks(flow)


def _swapped(flow: Flow) -> Iterator[Word]:
    """A list added to an entry instead of the entry to the list."""
    heads = {_head(event) for _, event in _walks(flow)}
    for function, event in flow.calls():
        api = flow.api(event)
        if api is None or api.acquires != "list" or len(event.values) < 2:  # noqa: PLR2004 (entry, list)
            continue
        if event.values[0] in heads and event.values[1] not in heads:
            message = f"{event.name}() gets the list first here, and the entry second"
            yield Found(message, place(function, event.node))


def _late(flow: Flow, item: Global, function: Function, event: Event) -> Iterator[Word]:
    """Something is made ready only after others may use it."""
    for path in flow.traces[function].paths:
        for earlier in path.state.history:
            if earlier == event:
                break
            api = flow.api(earlier) if earlier.kind == "call" else None
            if api is not None and api.acquires in PUBLISHED:
                message = f"'{item.name}' may be in use since {earlier.name}(), before this"
                yield Found(message, place(function, event.node))


def _members(
    flow: Flow, kinds: dict[str, str], ready: dict[str, tuple[Function, Event]]
) -> Iterator[Word]:
    """Locks in structures of the driver's that nothing makes ready."""
    seen = set()
    for function, trace in flow.traces.items():
        for event in trace.of("lock"):
            value = event.values[0] if event.values else ("rcu",)
            if value[0] != "addr" or value[1][0] != "field":
                continue
            name, owner = name_of(value[1]), value[1][2]
            kind = flow.program.structs.get(owner, {}).get(value[1][3], "")
            if kind in kinds and name not in ready and name not in seen:
                seen.add(name)
                message = f"'{name}' is taken, but {kinds[kind]}() is never called"
                yield Found(message, place(function, event.node))


def _broken_walks(flow: Flow) -> Iterator[Word]:
    """An entry is taken out of the list or freed, and the walk goes on from it."""
    for function, trace in flow.traces.items():
        for path in trace.paths:
            gone: Event | None = None
            for event in path.state.history:
                api = flow.api(event) if event.kind == "call" else None
                if api is not None and _loses(event, api.releases, api.walk):
                    gone = event
                elif event.kind == "next" and gone is not None and event.name != "safe":
                    message = f"the walk goes on from the entry that {gone.name}() has taken away"
                    yield Found(message, place(function, gone.node))
                    break


def _loses(event: Event, kind: str | None, walk: str | None) -> bool:
    """Whether a call makes an entry of a walk useless for going on."""
    if kind not in {"list", "memory"} or not event.values or walk == "rcu":
        return False
    value = event.values[0]
    base = value[1][1] if value[0] == "addr" and value[1][0] == "field" else value
    return bool(base[0] == "item")


def _head(event: Event) -> Value:
    """The list that is walked through."""
    return event.values[0] if event.values else ()


def _changed(flow: Flow) -> dict[Value, list[tuple[Function, Event]]]:
    """The calls that change each list; an entry belongs to the list that it was added to."""
    heads: dict[str, Value] = {}
    for _, event in flow.calls():
        api = flow.api(event)
        if api is not None and api.acquires == "list" and len(event.values) > 1:
            heads[lock_name(event.values[0])] = event.values[1]
    found: dict[Value, list[tuple[Function, Event]]] = {}
    for function, event in flow.calls():
        api = flow.api(event)
        if api is not None and "list" in {api.acquires, api.releases} and event.values:
            head = heads.get(lock_name(event.values[0]))
            if head is not None:
                found.setdefault(head, []).append((function, event))
    return found


def _walks(flow: Flow) -> Iterator[tuple[Function, Event]]:
    for function, trace in flow.traces.items():
        for event in trace.of("walk"):
            yield function, event


@flow_check("KERN143")
def unprotected_walk(flow: Flow, _context: Context) -> Iterator[Word]:
    """A list that others change is used without its lock and without RCU."""
    changed = _changed(flow)
    yield from _used_after(flow, set(changed))
    for function, event in _walks(flow):
        locks = flow.locks(function, event)
        roles = set(flow.roles.get(function, {}))
        if not changed.get(_head(event)) or not roles or roles <= {"init", "exit"}:
            continue
        if not locks:
            hint = "rcu_read_lock()" if event.name == "rcu" else "its lock"
            message = f"others may change the list meanwhile: this walk needs {hint}"
            yield Found(message, place(function, event.node))
        elif locks == {RCU} and event.name != "rcu":
            message = "RCU alone protects this walk: it has to be the _rcu kind"
            yield Found(message, place(function, event.node))


def _used_after(flow: Flow, changed: set[Value]) -> Iterator[Word]:
    """An entry that was found under a lock or RCU is used once that is given back."""
    for function, trace in flow.traces.items():
        walks = [event for event in trace.of("walk") if flow.locks(function, event)]
        calls = trace.of("call") if walks else ()
        for event in trace.of("read", "write", "once-read", "once-write") if walks else ():
            base: Value = event.place[1] if event.place and event.place[0] == "field" else ()
            head = base[1] if base[:1] == ("item",) else None
            if head not in changed or flow.locks(function, event):
                continue
            found = any(_head(walk) == head for walk in walks)
            if found and not any(_keeps(call, base) for call in calls):
                message = "this entry may be gone: what it was found under has been given back"
                yield Found(message, place(function, event.node))


def _keeps(event: Event, entry: Value) -> bool:
    """Whether a call gets an entry or the address of a part of it: it may keep or take it."""
    return any(
        value == entry or (value[0] == "addr" and mentions(value, lambda item: item == entry))
        for value in event.values
    )


def _rcu_lists(flow: Flow) -> set[Value]:
    """The lists that somebody walks through under RCU alone."""
    return {
        _head(event)
        for function, event in _walks(flow)
        if flow.locks(function, event) == {RCU} and event.name == "rcu"
    }


@flow_check("KERN144")
def change_for_rcu(flow: Flow, _context: Context) -> Iterator[Word]:
    """A list that is walked through under RCU is changed in a way that such walks do not stand."""
    lists = _rcu_lists(flow)
    if not lists:
        yield NotApplicable("no list is walked through under RCU")
    for head, changes in _changed(flow).items():
        for function, event in changes if head in lists else ():
            api = flow.api(event)
            if api is not None and api.walk != "rcu":
                message = f"{event.name}() changes a list that is walked through under RCU"
                yield Found(message, place(function, event.node), help=f"use {event.name}_rcu()")


@flow_check("KERN145")
def no_grace_period(flow: Flow, _context: Context) -> Iterator[Word]:
    """An entry goes while who found it under RCU before may still use it."""
    changes = [pair for items in _changed(flow).values() for pair in items]
    removals = [(f, e) for f, e in changes if _removes(flow, e)]
    if not _rcu_lists(flow) and not removals:
        yield NotApplicable("no list is walked through under RCU")
    for function, event in removals:
        if not _waited(flow, function, event):
            message = "the entry goes after this without a wait for those who still use it"
            yield Found(message, place(function, event.node), help="call synchronize_rcu()")


def _removes(flow: Flow, event: Event) -> bool:
    api = flow.api(event)
    return api is not None and api.releases == "list" and api.walk == "rcu"


def _waited(flow: Flow, function: Function, event: Event) -> bool:
    """Whether each path from a call on waits, in the function or in all that call it."""
    paths = [p for p in flow.traces[function].paths if event in p.state.history]
    if all(_waits_after(flow, function, path, event) for path in paths):
        return True
    calls = flow.callers.get(function, [])
    return bool(calls) and all(_waited(flow, caller, call) for caller, call in calls)


def _waits_after(flow: Flow, function: Function, path: Path, event: Event) -> bool:
    """Whether a path waits after a call, before it frees anything."""
    for later in path.state.history[path.state.history.index(event) + 1 :]:
        if later.kind != "call":
            continue
        called = flow.called(function, later)
        below = (e for f in flow.reach(called) for e in flow.traces[f].of("call")) if called else ()
        apis = [flow.api(later), *(flow.api(item) for item in below)]
        if any(api is not None and api.waits == "rcu" for api in apis):
            return True
        if any(api is not None and api.releases == "memory" for api in apis):
            return False
    return False


@flow_check("KERN146")
def not_once(flow: Flow, _context: Context) -> Iterator[Word]:
    """Something is read or written without a lock, and only one side says so."""
    events: dict[str, list[tuple[Function, Event]]] = {}
    for function, trace in flow.traces.items():
        for event in trace.of("read", "write", "once-read", "once-write"):
            events.setdefault(event.name, []).append((function, event))
    for name, items in events.items():
        kinds = {event.kind for _, event in items}
        for function, event in items:
            roles = set(flow.roles.get(function, {}))
            if roles & {"init", "exit"} or _own(flow, event):
                continue
            if event.kind == "write" and "once-read" in kinds and roles & {"store", "show"}:
                message = f"'{name}' is read with READ_ONCE() elsewhere, but written plainly here"
                yield Found(message, place(function, event.node), help="use WRITE_ONCE()")
            alone = not flow.locks(function, event) - {RCU}
            if event.kind == "read" and "once-write" in kinds and alone and roles:
                message = f"'{name}' is written with WRITE_ONCE() elsewhere, but read plainly here"
                yield Found(message, place(function, event.node), help="use READ_ONCE()")


def _own(flow: Flow, event: Event) -> bool:
    """Whether an event is about memory that the function itself has just allocated."""
    base = event.place[1] if event.place and event.place[0] == "field" else None
    api = flow.program.api(base[2]) if base and base[0] == "call" else None
    return api is not None and api.acquires == "memory"
