# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about what must not sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import ATOMIC, chain_text, flow_check, place
from checks.flow.cfg import walk
from checks.rule import Found, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event
    from checks.rule import Context, Word


def _flags(flow: Flow, event: Event) -> tuple[c_ast.Node | None, bool | None]:
    """The allocation flags given to a call, and whether they let it sleep (None: not known)."""
    api = flow.api(event)
    if api is None or api.prototype is None or not isinstance(event.node, c_ast.FuncCall):
        return None, None
    words = api.prototype.split(f"{event.name}(", 1)[-1].split(",")
    number = next((i for i, text in enumerate(words) if "gfp_t" in text), None)
    given = event.node.args.exprs if event.node.args else []
    if number is None or number >= len(given):
        return None, None
    found = [flow.program.api(n.name) for n in walk(given[number]) if isinstance(n, c_ast.ID)]
    said = {item.sleeps for item in found if item is not None and item.sleeps is not None}
    return given[number], True if True in said else False if said else None


def sleeps(flow: Flow, event: Event) -> bool:
    """Whether a call of the kernel's may sleep for certain."""
    api = flow.api(event)
    if api is None or event.kind != "call":
        return False
    return api.sleeps is True or (api.sleeps == "gfp" and _flags(flow, event)[1] is True)


def _atomic_lock(event: Event) -> str | None:
    return next((held.name for held in event.locks if held.atomic), None)


def _allocates(flow: Flow, event: Event) -> bool:
    api = flow.api(event)
    return api is not None and api.sleeps == "gfp"


def _blocks_in_panic(flow: Flow, function: Function, event: Event) -> bool:
    """Whether another rule speaks about the call: a lock on the panic path."""
    api = flow.api(event)
    panic = "panic" in flow.roles.get(function, {})
    return bool(api and api.lock and panic)


@flow_check("KERN101")
def sleeps_directly(flow: Flow, _context: Context) -> Iterator[Word]:
    """A call that sleeps, where its own function holds a lock or is called in atomic context."""
    roots = {root.function for root in flow.program.roots if root.role in ATOMIC}
    for function, event in flow.calls():
        lock, role = _atomic_lock(event), flow.atomic(function)
        unknown = flow.api(event) is None and flow.called(function, event) is None
        if event.name and unknown and (lock or role):
            span = place(function, event.node)
            yield Unknown(f"whether {event.name}() sleeps is not known", span)
        if not sleeps(flow, event) or _allocates(flow, event):
            continue
        if lock:
            why = f"'{lock}' is held, and forbids it"
        elif role and function in roots and not _blocks_in_panic(flow, function, event):
            why = f"{function.name}() runs {ATOMIC[role]}"
        else:
            continue
        yield Found(f"{event.name}() may sleep: {why}", place(function, event.node))


@flow_check("KERN102")
def sleeps_through_helpers(flow: Flow, _context: Context) -> Iterator[Word]:
    """A call that sleeps below a function that holds a lock or is called in atomic context."""
    roots = {root.function for root in flow.program.roots if root.role in ATOMIC}
    for function, event in flow.calls():
        role = flow.atomic(function)
        direct = _allocates(flow, event) or _atomic_lock(event) or function in roots
        if role and sleeps(flow, event) and not direct:
            if not _blocks_in_panic(flow, function, event):
                chain = chain_text(flow.roles[function][role])
                message = f"{event.name}() may sleep, and {chain} runs {ATOMIC[role]}"
                yield Found(message, place(function, event.node))
            continue
        lock, called = _atomic_lock(event), flow.called(function, event)
        if lock and called is not None:
            below = _sleeper(flow, called)
            if below:
                message = f"{event.name}() may sleep in {below}: '{lock}' is held, and forbids it"
                yield Found(message, place(function, event.node))


def _sleeper(flow: Flow, function: Function) -> str | None:
    """A call below a function that may sleep, as text."""
    for item in flow.reach(function):
        for event in flow.traces[item].of("call"):
            if sleeps(flow, event) and not _atomic_lock(event):
                return f"{event.name}()"
    return None


@flow_check("KERN103")
def allocation_sleeps(flow: Flow, _context: Context) -> Iterator[Word]:
    """Flags that let an allocation sleep, where that is forbidden."""
    for function, event in flow.calls():
        lock, role = _atomic_lock(event), flow.atomic(function)
        if not _allocates(flow, event) or not (lock or role):
            continue
        flags, may = _flags(flow, event)
        span = place(function, flags or event.node)
        if may is None:
            yield Unknown(f"whether the flags let {event.name}() sleep is not known", span)
        elif may:
            why = (
                f"'{lock}' is held" if lock else f"{function.name}() runs {ATOMIC[role or 'panic']}"
            )
            yield Found(f"these flags let {event.name}() sleep, but {why}", span)


@flow_check("KERN104")
def allocation_need_not_be_atomic(flow: Flow, _context: Context) -> Iterator[Word]:
    """Flags for atomic context in a process that holds no lock."""
    for function, event in flow.calls():
        flags, may = _flags(flow, event)
        roles = flow.roles.get(function, {})
        if flags is None or may is not False or not roles or flow.atomic(function):
            continue
        if not event.locks and not _called_locked(flow, function):
            message = (
                f"{event.name}() is called in a process that may sleep: it would succeed more often"
            )
            yield Found(message, place(function, flags), help="use GFP_KERNEL")


def _called_locked(flow: Flow, function: Function) -> bool:
    """Whether some call of a function, or of one that calls it, is made with a lock held."""
    calls = flow.callers.get(function, [])
    return any(event.locks for _, event in calls)
