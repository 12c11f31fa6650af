# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about masks: how they start, and that an event is sent only behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.analysis import flow_check, place
from checks.flow.attributes import has, known_bits, member
from checks.flow.sending import writes
from checks.flow.values import NEGATIVE, ZERO, mentions, origin, parts, sign
from checks.rule import Found, NotApplicable, Unknown
from gen.model import Mask, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.sending import Write
    from checks.flow.trace import Event, Path
    from checks.flow.values import Value
    from checks.rule import Context, Word

_ROLES = ("panic", "sys-off")


@flow_check("SPEC009")
def gate(flow: Flow, context: Context) -> Iterator[Word]:
    """An event is written only if the same device's mask has it."""
    wanted = Mask.ENABLED if has(context, Mask.ENABLED) else Mask.CAPABILITY
    if not has(context, wanted):
        yield NotApplicable("the spec has no mask")
        return
    name, limit = member(flow, context, wanted), member(flow, context, Mask.CAPABILITY)
    for function in flow.traces:
        if not set(flow.roles.get(function, {})) & set(_ROLES):
            continue
        for write in writes(flow, function):
            if name is None:
                yield Unknown("which member holds the mask is not known", write.span)
                continue
            answers = [_gates(value, write, name, limit) for value in _true(write)]
            if True not in answers:
                message = f"this is written without a look at the event's bit in '{name}'"
                told = next((item for item in answers if isinstance(item, str)), None)
                yield Found(told or message, write.span)


def _true(write: Write) -> list[Value]:
    """What tests have found to have a bit set."""
    return [v for v, known in write.event.known if v[0] == "and" and not known & ZERO]


def _gates(value: Value, write: Write, name: str, limit: str | None) -> bool | str | None:
    """Whether a tested value is the event and the device's mask; else what is wrong."""
    instance = _instance(write.address)
    event = write.value
    items = parts(value)
    masks = [item for item in items if _member(item) == name]
    others = {item for item in items if item != event and _member(item) not in {name, limit}}
    if not masks or others:
        return None
    if event[0] == "num":
        return bool(value[2] == event[1])
    if event not in items or value[2] is not None:
        return None
    if any(_instance(item) != instance for item in items - {event}):
        return f"the mask is another device's than the one that is written to ('{name}')"
    return True


def _member(value: Value) -> str:
    if value[0] != "load" or value[1][0] != "field":
        return ""
    return f"{value[1][2]}.{value[1][3]}"


def _instance(value: Value) -> Value | None:
    """The structure that a value stands in."""
    start = origin(value)
    if start[0] == "load" and start[1][0] == "field":
        found: Value = start[1][1]
        return found
    return None


def _final(flow: Flow, name: str) -> Iterator[tuple[Function, Path, list[Event]]]:
    """The paths that succeed and write a member outside of show and store functions."""
    for function, trace in flow.traces.items():
        if "store" in flow.roles.get(function, {}):
            continue
        for path in trace.paths:
            events = [e for e in path.state.history if e.kind.endswith("write") and e.name == name]
            bad = path.value is not None and sign(path.state.signs, path.value) == NEGATIVE
            if events and not bad:
                yield function, path, events


def _is_read(flow: Flow, value: Value) -> bool:
    api = flow.program.api(value[2]) if value[0] == "call" else None
    return api is not None and api.access is not None and api.access.direction == "read"


@flow_check("SPEC008")
def capability_read(flow: Flow, context: Context) -> Iterator[Word]:
    """The capability is what the device's register says, not more."""
    name = member(flow, context, Mask.CAPABILITY)
    if not has(context, Mask.CAPABILITY):
        yield NotApplicable("the spec has no capability")
    elif name is None:
        yield Unknown("which member holds the capability is not known")
    else:
        spec, seen = context.device.capability_register.at["read"], False
        for function, path, events in _final(flow, name):
            seen, value = True, path.state.memory.get(events[-1].place or (), ("op", 0))
            if any(_is_read(flow, item) for item in parts(value)):
                continue
            if mentions(value, lambda item: item[0] == "op"):
                yield Unknown(
                    f"what '{name}' becomes is not known", place(function, events[-1].node)
                )
            else:
                message = f"'{name}' is not limited to what the device reads as"
                yield Found(message, place(function, events[-1].node), spec)
        if not seen:
            root = next(iter(flow.rooted("probe")), None)
            if root is None:
                yield Unknown(f"where '{name}' is set is not known")
            else:
                yield Found(f"nothing sets '{name}'", root.span, spec, absent=True)


@flow_check("SPEC007")
def initial_masks(flow: Flow, context: Context) -> Iterator[Word]:
    """The capability starts from the events that the spec has, the enabled ones from that."""
    name, other = member(flow, context, Mask.CAPABILITY), member(flow, context, Mask.ENABLED)
    if not has(context, Mask.CAPABILITY):
        yield NotApplicable("the spec has no capability")
        return
    if name is None:
        yield Unknown("which member holds the capability is not known")
        return
    for function, path, events in _final(flow, name):
        value = path.state.memory.get(events[-1].place or (), ("op", 0))
        if value[0] == "and" or _is_read(flow, value):
            yield from _limits(context, function, value, events)
        if other is not None and has(context, Mask.ENABLED):
            yield from _starts(function, path, value, name, other)


def _limits(
    context: Context, function: Function, value: Value, events: list[Event]
) -> Iterator[Word]:
    """Compare the number in the capability with the spec's events."""
    mask = value[2] if value[0] == "and" else None
    hooked = [e for e in context.device.events if _hooked(context, e.trigger)]
    needed = sum(event.value for event in hooked)
    holds = [e for e in events if e.values[0][0] == "num" or e.values[0][:1] == ("and",)]
    at = place(function, (holds or events)[0].node)
    if mask is None:
        message = "the capability is not limited to the events that the driver knows"
        yield Found(message, at, context.device.at["events"])
    elif mask & ~known_bits(context):
        extra = mask & ~known_bits(context)
        yield Found(f"the spec has no event {extra:#x}", at, context.device.at["events"])
    elif needed & ~mask:
        missing = next(event for event in hooked if event.value & ~mask)
        yield Found(f"the event {missing.value:#x} can never be sent", at, missing.at.item)


def _hooked(context: Context, trigger: Trigger) -> bool:
    """Whether this kernel has a hook for a trigger."""
    late = {Trigger.POWER_OFF, Trigger.RESTART}
    return trigger not in late or any(
        "sys-off" in api.calls.values() for api in context.facts.kernel
    )


def _starts(function: Function, path: Path, value: Value, name: str, other: str) -> Iterator[Word]:
    """All events that are possible are enabled at first."""
    events = [e for e in path.state.history if e.kind.endswith("write") and e.name == other]
    if not events:
        yield Found(f"'{other}' is never set: no event is enabled", function.span, absent=True)
        return
    start = path.state.memory.get(events[-1].place or (), ("op", 0))
    if start != value and _member(start) != name and start[0] != "op":
        message = f"'{other}' starts as something other than '{name}'"
        yield Found(message, place(function, events[-1].node))
