# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about what others get at: complete before they do, handed to them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.cfg import walk
from checks.flow.resources import Use, acquired, action_of, released_below, same, subject
from checks.flow.values import name_of
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event
    from checks.flow.values import Value
    from checks.rule import Context, Word

# Roles of functions that a chain of the kernel's calls, and what puts them on one.
HOOKS, CHAINS = ("panic", "sys-off"), frozenset({"notifier", "sys-off"})


@flow_check("KERN115")
def published_early(flow: Flow, _context: Context) -> Iterator[Word]:
    """Others get at something before it is complete, or an action before it has what it frees."""
    for function, trace in flow.traces.items():
        for path in trace.paths:
            for index, event in enumerate(path.state.history):
                if event.kind != "call":
                    continue
                later = path.state.history[index + 1 :]
                if action_of(flow, function, event) is not None:
                    yield from _action_early(flow, function, event, later)
                api = flow.api(event)
                if api is not None and api.acquires == "list" and event.values:
                    yield from _entry_early(flow, function, event, later)
                if api is not None and api.acquires in CHAINS:
                    yield from _hook_early(flow, function, event, later)


def _action_early(
    flow: Flow, function: Function, event: Event, later: tuple[Event, ...]
) -> Iterator[Word]:
    action = action_of(flow, function, event)
    frees = released_below(flow, action) if action else []
    for other in later:
        api = flow.api(other) if other.kind == "call" else None
        if api is None or not api.acquires or api.managed or api.lock:
            continue
        use = Use(function, other, api.acquires, api)
        if any(same(use, item) and not _searched(item) for item in frees):
            message = f"this action undoes {other.name}(), which comes only later"
            yield Found(message, place(function, event.node))


def _searched(use: Use) -> bool:
    """Whether an entry was looked for in its list: then one that is not on it stays alone."""
    entry = use.event.values[0] if use.kind == "list" and use.event.values else ("none",)
    return bool(entry[0] == "addr" and entry[1][0] == "field" and entry[1][1][0] == "item")


def _entry_early(
    flow: Flow, function: Function, event: Event, later: tuple[Event, ...]
) -> Iterator[Word]:
    entry = event.values[0]
    if entry[0] != "addr" or entry[1][0] != "field":
        return
    base = entry[1][1]
    for other in later:
        written = other.place
        if other.kind not in {"write", "once-write"} or not written or written[0] != "field":
            continue
        if written[1] != base or set(event.locks) & set(other.locks) & _walkers_locks(flow, event):
            continue
        if other.name in _walked(flow):
            message = f"others may find this entry before '{other.name}' is set"
            yield Found(message, place(function, event.node))


def _walked(flow: Flow) -> set[str]:
    """The members that are read of entries found in a list."""
    return {
        event.name
        for trace in flow.traces.values()
        for event in trace.of("read", "once-read")
        if event.place and event.place[0] == "field" and event.place[1][0] == "item"
    }


def _walkers_locks(flow: Flow, event: Event) -> set[object]:
    """Those of the locks held at an event that everybody holds who walks through a list."""
    walks = [(f, e) for f, trace in flow.traces.items() for e in trace.of("walk")]
    return {item for item in event.locks if all(item.name in flow.locks(f, e) for f, e in walks)}


def _hook_early(
    flow: Flow, function: Function, event: Event, later: tuple[Event, ...]
) -> Iterator[Word]:
    """A hook that uses a mapping which is kept only after the hook is registered."""
    used = {
        node.name
        for item in flow.traces if set(flow.roles.get(item, {})) & set(HOOKS)
        for node in walk(item.node.body) if isinstance(node, c_ast.ID)
    }  # fmt: skip
    for other in later:
        for name in _mappings(flow, function, other):
            if name in used:
                message = f"{event.name}() comes before '{name}' is set, which its hook uses"
                yield Found(message, place(function, event.node))


def _mappings(flow: Flow, function: Function, event: Event) -> Iterator[str]:
    """The variables of the driver's that get a mapping at an event, or in what it calls."""
    names = [event.name, *(value[1] for value in event.values if value[0] == "fn")]
    called = [flow.program.function(name, function.unit) for name in names if event.kind == "call"]
    below = [e for item in called if item for f in flow.reach(item) for e in flow.traces[f].events]
    for item in (event, *below):
        if item.kind in {"write", "once-write"} and item.place and item.place[0] == "global":
            value = item.values[0]
            api = flow.program.api(value[2]) if value[0] == "call" else None
            if api is not None and api.acquires == "iomap":
                yield item.name


@flow_check("KERN158")
def registered_twice(flow: Flow, _context: Context) -> Iterator[Word]:
    """A notifier that loading the module registers, and binding a device once more."""
    uses = [
        (function, use, name_of(block[1]))
        for function in flow.traces
        for use in acquired(flow, function)
        if use.kind.endswith("notifier")
        and (block := _block(use)) is not None
        and block[1][0] == "global"
    ]
    for function, use, name in uses:
        roles = set(flow.roles.get(function, {}))
        for other, first, told in uses if roles & {"probe", "store"} else ():
            loads = set(flow.roles.get(other, {})) == {"init"}
            if loads and (first.kind, told) == (use.kind, name):
                message = f"{other.name}() has registered '{name}' already: it is on the list twice"
                yield Found(message, place(function, use.event.node))


def _block(use: Use) -> Value | None:
    """The notifier that is registered, if it is named."""
    value = subject(use)
    return value if value is not None and value[0] == "addr" else None
