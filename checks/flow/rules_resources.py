# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about what a driver acquires: released on errors and on unbinding, once, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import chain_text, flow_check, place
from checks.flow.cfg import walk
from checks.flow.resources import (
    PUBLISHED,
    USED,
    Use,
    acquired,
    action_of,
    held,
    released,
    released_below,
    same,
)
from checks.flow.values import NEGATIVE, ZERO, mentions, origin, sign
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event, Path
    from checks.rule import Context, Word

# What a value outlives the function in, if it is written there.
_OUTSIDE = frozenset({"param", "addr", "item"})
# A count of the users of something, which whoever is last may give back.
_COUNTED = frozenset({"node-reference", "module-reference"})
REFERENCES = _COUNTED | {"device-reference"}
_LEAKS = (USED | PUBLISHED | _COUNTED) - {"driver"}


@flow_check("KERN111")
def leaked_on_error(flow: Flow, _context: Context) -> Iterator[Word]:
    """A way out with an error that keeps what was acquired before."""
    for function, trace in flow.traces.items():
        uses = {use.event: use for use in acquired(flow, function)
                if not use.api.managed and use.kind in _LEAKS}  # fmt: skip
        for path in trace.paths if uses else ():
            if not _fails(flow, path):
                continue
            for event in path.state.history:
                use = uses.get(event)
                if not use or not held(path.state.signs, use) or _never(flow, use):
                    continue
                if not _cleared(flow, function, path, use):
                    node = path.node or event.node
                    message = f"this error leaves behind what {event.name}() acquired"
                    yield Found(message, place(function, node))


def _never(flow: Flow, use: Use) -> bool:
    """Whether nothing releases it at all, which another rule tells."""
    known = bool(flow.rooted("remove", "action", "exit"))
    return known and not any(same(use, item) for f in flow.traces for item in released(flow, f))


def _fails(flow: Flow, path: Path) -> bool:
    """Whether a path returns an error, or hands on one of a managed call that may fail."""
    if path.value is None:
        return False
    known = sign(path.state.signs, path.value)
    api = flow.program.api(path.value[2]) if path.value[0] == "call" else None
    managed = api is not None and api.managed is not None and bool(known & NEGATIVE)
    return known == NEGATIVE or managed


def _cleared(flow: Flow, function: Function, path: Path, use: Use) -> bool:
    """Whether a path releases a resource after all, or leaves it to somebody."""
    result, index = use.event.result, path.state.history.index(use.event)
    for event in path.state.history[index + 1 :]:
        if event.kind in {"write", "once-write"} and result in event.values:
            kept = event.place
            kept_on = kept and (kept[0] == "global" or origin(kept[1])[0] in _OUTSIDE)
            if kept_on and use.kind in USED | _COUNTED:
                return True
        if event.kind != "call":
            continue
        api = flow.api(event)
        if api is not None and api.releases == use.kind:
            return True
        called = flow.called(function, event)
        if called is not None and any(same(use, item) for item in released_below(flow, called)):
            return True
        action = action_of(flow, function, event)
        if action is not None and api is not None:
            surely = api.resets or sign(path.state.signs, event.result or ("op", 0)) == ZERO
            if surely and any(same(use, item) for item in released_below(flow, action)):
                return True
        if use.kind == "memory" and api is not None and api.acquires in PUBLISHED:
            return any(mentions(value, lambda item: item == result) for value in event.values)
    return False


@flow_check("KERN112")
def never_released(flow: Flow, _context: Context) -> Iterator[Word]:
    """Something registered or acquired for good, which leaving does not undo."""
    leaving = flow.rooted("exit")
    unbinding = [*flow.rooted("remove", "action"), *leaving]
    for function in flow.traces:
        roles = set(flow.roles.get(function, {}))
        for use in acquired(flow, function):
            if use.api.managed or use.kind == "action" or not roles or _local(flow, function, use):
                continue
            if roles == {"init"}:
                roots, when = leaving, "when the module goes"
                if not leaving and not _orphan(flow, use):
                    continue
            elif roles & {"probe", "store", "show"}:
                roots, when = unbinding, "when the device goes"
            else:
                continue
            if use.kind in REFERENCES and _given_back(flow, use.kind):
                continue
            done = [item for root in roots for item in released_below(flow, root)]
            if not any(same(use, item) for item in done):
                message = f"nothing undoes this {use.event.name}() {when}"
                yield Found(message, place(function, use.event.node), absent=True)


def _given_back(flow: Flow, kind: str) -> bool:
    """Whether more than probe's own error paths may give a kind back."""
    for function in flow.traces:
        nodes = list(walk(function.node.body))
        called = {id(node.name) for node in nodes if isinstance(node, c_ast.FuncCall)}
        for node in nodes:
            api = flow.program.api(node.name) if isinstance(node, c_ast.ID) else None
            if api is None or api.releases != kind:
                continue
            if id(node) not in called or set(flow.roles.get(function, {})) != {"probe"}:
                return True
    return False


def _local(flow: Flow, function: Function, use: Use) -> bool:
    """Whether a function releases what it acquires on each path that returns success."""
    paths = [p for p in flow.traces[function].paths if use.event in p.state.history]
    return all(
        not held(p.state.signs, use)
        or (p.value is not None and sign(p.state.signs, p.value) == NEGATIVE)
        or _directly(flow, p, use)
        for p in paths
    )


def _directly(flow: Flow, path: Path, use: Use) -> bool:
    index = path.state.history.index(use.event)
    later = (flow.api(e) for e in path.state.history[index + 1 :] if e.kind == "call")
    return any(api is not None and api.releases == use.kind for api in later)


def _orphan(flow: Flow, use: Use) -> bool:
    """Whether a function would release it, but nobody calls that."""
    return any(
        same(use, item)
        for function in flow.traces
        if function not in flow.roles
        for item in released(flow, function)
    )


@flow_check("KERN113")
def wrong_order(flow: Flow, _context: Context) -> Iterator[Word]:
    """What others still get at is released before they are shut out."""
    for function, trace in flow.traces.items():
        for path in trace.paths:
            gone: Event | None = None
            for event in path.state.history:
                kinds = _releases(flow, function, event)
                if gone is not None and kinds & PUBLISHED:
                    message = f"{gone.name}() comes before {event.name}(): it may still be in use"
                    yield Found(message, place(function, gone.node))
                elif kinds & USED and not kinds & PUBLISHED:
                    gone = event
    yield from _managed_order(flow)


def _releases(flow: Flow, function: Function, event: Event) -> set[str]:
    if event.kind != "call":
        return set()
    called = flow.called(function, event)
    if called is not None:
        return {use.kind for use in released_below(flow, called)}
    api = flow.api(event)
    return {api.releases} if api is not None and api.releases and not api.lock else set()


def _managed_order(flow: Flow) -> Iterator[Word]:
    """An action that shuts others out, registered before what they use: it then runs after."""
    for function, trace in flow.traces.items():
        for path in trace.paths:
            early: Event | None = None
            for event in path.state.history:
                api = flow.api(event) if event.kind == "call" else None
                action = action_of(flow, function, event) if event.kind == "call" else None
                if action is not None:
                    kinds = {use.kind for use in released_below(flow, action)}
                    early = event if kinds & PUBLISHED else early
                elif early is not None and api is not None and api.managed and api.acquires in USED:
                    message = (
                        f"this action runs only after what {event.name}() acquires later is gone: "
                        "register it after that"
                    )
                    yield Found(message, place(function, early.node))


@flow_check("KERN160")
def managed_later(flow: Flow, _context: Context) -> Iterator[Word]:
    """Something managed that is acquired again and again while its device is bound."""
    freed = {use.kind for f in flow.traces for use in released(flow, f) if use.api.managed}
    for function in flow.traces:
        role = next((r for r in ("store", "show") if r in flow.roles.get(function, {})), None)
        for use in acquired(flow, function) if role else ():
            if use.api.managed and use.kind not in freed:
                chain = chain_text(flow.roles[function][role or ""])
                message = (
                    f"{use.event.name}() ends only when this device goes, and runs at each access "
                    f"to a file ({chain})"
                )
                yield Found(message, place(function, use.event.node))


@flow_check("KERN114")
def freed_by_hand(flow: Flow, _context: Context) -> Iterator[Word]:
    """Something that goes with its device is freed before."""
    uses = [use for function in flow.traces for use in acquired(flow, function)]
    for function in flow.traces:
        if set(flow.roles.get(function, {})) == {"process"}:
            continue  # a shutdown: the device does not go, and may be switched off
        for use in released(flow, function):
            if use.api.managed or use.kind not in USED | {"sys-off"}:
                continue
            values = [origin(value) for value in use.event.values]
            made = [flow.program.api(v[2]) for v in values if v[0] == "call"]
            direct = any(api is not None and api.managed for api in made)
            strange = any(v[0] == "call" for v in values) and not made[0]
            alike = [item for item in uses if item.kind == use.kind]
            if any(item.api.managed_with for item in alike):
                continue  # releasing it by hand takes it from the device
            by_kind = bool(alike) and all(item.api.managed for item in alike) and not strange
            if direct or by_kind:
                message = f"{use.event.name}() frees what its device frees again when it goes"
                yield Found(message, place(function, use.event.node))
