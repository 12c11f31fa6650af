# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about events: which is written when, and what a hook returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.attributes import known_bits
from checks.flow.cfg import callee, walk
from checks.flow.sending import sent
from checks.fold import fold, type_name
from checks.rule import Found, NotApplicable, Unknown
from checks.rules_registers import strange_accessor
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.sending import Sent
    from checks.rule import Context, Word
    from gen.source import Span

_ROLES = ("panic", "sys-off")
_BYTES = {
    **dict.fromkeys(("u8", "__u8", "s8", "char", "unsigned char", "bool", "_Bool"), 1),
    **dict.fromkeys(("u16", "__u16", "s16", "short", "unsigned short"), 2),
    **dict.fromkeys(("u32", "__u32", "s32", "int", "unsigned", "unsigned int"), 4),
    **dict.fromkeys(("u64", "__u64", "s64"), 8),
}
# The bit of a notifier's result that keeps the others from being called: NOTIFY_STOP_MASK.
STOP_MASK = 0x8000


@flow_check("SPEC006")
def right_event(flow: Flow, context: Context) -> Iterator[Word]:
    """The event that a hook writes is the one of its condition."""
    roots = flow.rooted(*_ROLES)
    if not roots:
        yield NotApplicable("the driver has no hook")
    for function in roots:
        items = sent(flow, function)
        if not items and (call := _somewhere(flow, function)) is not None:
            yield Unknown(f"how {function.name}() gets to this write is not followed", call)
        elif not items and (one := strange_accessor(context)) is not None:
            yield Unknown(f"whether {one.name}() writes an event is not known", one.callee)
        elif not items:
            yield Found(f"{function.name}() writes no event", function.span, absent=True)
        for item in items:
            span = place(function, item.node)
            if item.value[0] != "num":
                yield Unknown(f"which event {function.name}() writes here is not known", span)
                continue
            yield from _judge(flow, context, function, item)
    for function in flow.traces:
        if set(flow.roles.get(function, {})) & set(_ROLES):
            yield from _twice(flow, function)


def _somewhere(flow: Flow, function: Function) -> Span | None:
    """A write to the device that a function has, though no path was seen to lead to it."""
    for item in flow.reach(function):
        for node in walk(item.node.body):
            api = flow.program.api(callee(node))
            access = api and (api.access or api.repeats)
            if access and access.direction == "write":
                return place(item, node)
    return None


def _twice(flow: Flow, function: Function) -> Iterator[Word]:
    """More than one write on one path: the host hears of two events."""
    nodes = {item.node for item in sent(flow, function)}
    for path in flow.traces[function].paths:
        calls = [e for e in path.state.history if e.kind == "call" and e.node in nodes]
        for event in calls[1:]:
            message = "an event has been written before this: the host hears of two"
            yield Found(message, place(function, event.node))


def _judge(flow: Flow, context: Context, function: Function, item: Sent) -> Iterator[Word]:
    """Compare one write with what its condition asks for."""
    trigger = _trigger(flow, context, function, item)
    wanted = context.device.event_for(trigger) if trigger else None
    value, span = item.value[1], place(function, item.node)
    if value & ~known_bits(context):
        return  # told by SPEC010
    if wanted is None:
        what = f"the trigger '{trigger}'" if trigger else "this hook's mode"
        yield Unknown(f"the spec has no event for {what}", span)
    elif trigger is Trigger.PANIC and _undecided(context, item):
        kernel = context.device.event_for(Trigger.CRASH_KERNEL)
        where = kernel.at["trigger"] if kernel else None
        yield Found("this does not ask whether a crash kernel takes over", span, where)
    elif value != wanted.value:
        message = f"on '{trigger}', {value:#x} is written here instead of {wanted.value:#x}"
        yield Found(message, span, wanted.at["bit"])


def _trigger(flow: Flow, context: Context, function: Function, item: Sent) -> Trigger | None:
    roles = {root.role for root in flow.program.roots if root.function is function}
    if "panic" not in roles:
        return _mode(flow, function)
    crash = Trigger.CRASH_KERNEL
    loaded = dict(item.asked).get(str(crash))
    return crash if loaded and context.device.event_for(crash) else Trigger.PANIC


def _undecided(context: Context, item: Sent) -> bool:
    crash = Trigger.CRASH_KERNEL
    asks = str(crash) in dict(item.asked)
    return context.device.event_for(crash) is not None and not asks


def _mode(flow: Flow, function: Function) -> Trigger | None:
    """The trigger that a handler is registered for."""
    for _, event in flow.calls():
        api = flow.api(event)
        if api is None or ("fn", function.name) not in event.values or "mode" not in (
            *api.parameters, *api.implies
        ):  # fmt: skip
            continue
        name = api.implies.get("mode")
        if "mode" in api.parameters:
            number = event.values[api.parameters.index("mode")]
            name = next((one.name for one in flow.program.kernel.table.values()
                         if one.tells and number == ("num", one.value)), None)  # fmt: skip
        told = flow.program.api(name)
        return Trigger(told.tells) if told is not None and told.tells else None
    return None


@flow_check("SPEC035")
def written_once(flow: Flow, context: Context) -> Iterator[Word]:
    """An event is written by itself, not as one of a row out of memory."""
    event = context.device.event_register
    for function in flow.traces:
        for node in walk(function.node.body):
            api = flow.program.api(callee(node))
            repeats = api.repeats if api else None
            if api is None or repeats is None or repeats.direction != "write" or not node.args:
                continue
            times, span = _times(flow, function, node.args.exprs[-1]), place(function, node)
            if times is None or (times == 1 and repeats.width == event.width):
                yield Unknown(f"what {api.name}() writes out of memory is not followed", span)
                continue
            message = (
                f"{api.name}() writes {times} times, {repeats.width} bits each, out of memory; "
                f"the register '{event.name}' takes each event in one write of {event.width}"
            )
            yield Found(message, span, event.at["width"])


def _times(flow: Flow, function: Function, node: c_ast.Node) -> int | None:
    """How often a row of accesses goes on."""
    if isinstance(node, c_ast.UnaryOp) and node.op == "sizeof":
        named = isinstance(node.expr, c_ast.Typename)
        kind = type_name(node.expr.type) if named else flow.program.type_of(node.expr, function)
        return _BYTES.get(kind)
    return fold(node, flow.program.names)


@flow_check("SPEC010")
def meaningful(flow: Flow, context: Context) -> Iterator[Word]:
    """What is written to the device has only bits that the spec knows."""
    for function in flow.rooted(*_ROLES):
        for item in sent(flow, function):
            if item.value[0] == "num" and item.value[1] & ~known_bits(context):
                extra = item.value[1] & ~known_bits(context)
                spec = context.device.event_register.at["write"]
                message = f"the spec gives {extra & 0xFFFFFFFF:#x} no meaning"
                yield Found(message, place(function, item.node), spec)


@flow_check("KERN141")
def notifier_result(flow: Flow, _context: Context) -> Iterator[Word]:
    """A notifier lets those that come after it run."""
    for function in flow.rooted(*_ROLES):
        for path in flow.traces[function].paths:
            if path.node is None or path.value is None:
                continue
            span = place(function, path.node)
            if path.value[0] == "num":
                if path.value[1] & STOP_MASK:
                    message = f"{function.name}() stops the chain: it has to return NOTIFY_DONE"
                    yield Found(message, span)
            else:
                yield Unknown(f"what {function.name}() returns here is not known", span)
