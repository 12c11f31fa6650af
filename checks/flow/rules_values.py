# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about masks: how they start, and that an event is sent only behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.attributes import has, is_read, known_bits, member
from checks.flow.bits import Bits
from checks.flow.cfg import walk
from checks.flow.sending import DEPTH, writes
from checks.flow.values import NEGATIVE, mentions, origin, parts, sign, substitute
from checks.rule import Found, NotApplicable, Unknown
from gen.model import Mask, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.bits import Leaf
    from checks.flow.program import Function
    from checks.flow.sending import Write
    from checks.flow.trace import Event, Path
    from checks.flow.values import Value
    from checks.rule import Context, Word

_ROLES = ("panic", "sys-off")
_ONES = 0xFFFFFFFF
# What a number has that is told as C has it, without a sign.
_UNSIGNED = 0xFFFFFFFF


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
            yield from _gated(_Gate(flow, context, name, limit), function, write)


class _Gate:
    """The masks of the device that is written to, and of others, with numbers for them."""

    def __init__(self, flow: Flow, context: Context, name: str, limit: str | None) -> None:
        self.flow, self.bits, self.name, self.limit = flow, Bits(flow), name, limit
        known = [event.value for event in context.device.events][:3]
        masks = [0, *known, sum(known)]
        self._cases = [(one, mask, other) for one in known for mask in masks
                       for other in {0, mask, sum(known)}]  # fmt: skip

    def ungated(
        self, tests: list[tuple[Value, int]], value: Value, address: Value, *, same: bool = True
    ) -> bool | None:
        """Whether something else than one bit of the device's mask is written.

        None if that is not known. `same` is whether another device's mask counts as another one.
        """
        instance, vague = _instance(address), False

        def leaf_of(case: tuple[int, int, int]) -> Leaf:
            def leaf(item: Value) -> int | None:
                if item[0] == "param":
                    return case[0]
                if _member(item) == self.name:
                    return case[1] if not same or _instance(item) == instance else case[2]
                if _member(item) == self.limit:
                    return case[2] | case[1]
                return None if item[0] != "call" or self._about(item) else _ONES

            return leaf

        for case in self._cases:
            leaf = leaf_of(case)
            sent = self.bits.worth(value, leaf)
            if sent is not None and sent and not sent & (sent - 1) and not sent & ~case[1]:
                continue
            if self.bits.possible(tests, leaf):
                if sent is not None and not any(map(self._about, self.bits.open(tests, leaf))):
                    return True
                vague = True
        return None if vague else False

    def _about(self, value: Value) -> bool:
        """Whether a value has to do with masks, or is made by a function of the driver."""
        own = value[0] == "call" and any(item.name == value[2] for item in self.flow.traces)
        return own or self.bits.rests_on(value, self._holds_mask)

    def _holds_mask(self, value: Value) -> bool:
        if value[0] == "addr":
            return value[1][0] == "local" or self._holds_mask(("load", value[1]))
        return _member(value) in {self.name, self.limit} - {""}


def _gated(gate: _Gate, function: Function, write: Write) -> Iterator[Word]:
    """Judge a write in its function, or where that does not ask, in all that call it."""
    flow, wrong, vague, other = gate.flow, False, False, False
    work = [(function, list(write.event.known), write.value, write.address, 0)]
    while work:
        at, tests, value, address, depth = work.pop()
        answer = gate.ungated(tests, value, address)
        callers = flow.callers.get(at, []) if at not in flow.rooted(*_ROLES) else []
        if answer is False:
            continue
        if not callers or depth > DEPTH:
            other = other or gate.ungated(tests, value, address, same=False) is False
            wrong, vague = wrong or answer is True, vague or answer is None
        for caller, event in callers:
            more = [(substitute(item, event.values), signs) for item, signs in tests]
            work.append((
                caller, [*event.known, *more], substitute(value, event.values),
                substitute(address, event.values), depth + 1,
            ))  # fmt: skip
    if wrong:
        message = f"this is written without a look at the event's bit in '{gate.name}'"
        if mentions(write.value, lambda item: _member(item) == gate.name):
            message = f"this may write more of the mask '{gate.name}' than the event that happens"
        if other:
            message = "the mask is another device's than the one that is written to "
            message += f"('{gate.name}')"
        yield Found(message, write.span)
    elif vague:
        yield Unknown(f"whether '{gate.name}' has what is written here is not known", write.span)


def _member(value: Value) -> str:
    if value[0] != "load" or value[1][0] != "field":
        return ""
    return f"{value[1][2]}.{value[1][3]}"


def _instance(value: Value) -> Value | None:
    """The structure that a value stands in."""
    start = origin(value)
    while start[0] == "addr" and start[1][0] == "field":
        start = origin(start[1][1])
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


def _assigned_whole(flow: Flow) -> bool:
    """Whether a structure is assigned as a whole somewhere, and its members with it."""
    return any(
        isinstance(node, c_ast.Assignment)
        and isinstance(node.lvalue, c_ast.UnaryOp)
        and isinstance(node.rvalue, (c_ast.CompoundLiteral, c_ast.UnaryOp))
        for function in flow.traces
        for node in walk(function.node.body)
    )


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
            if any(is_read(flow, item) for item in parts(value)):
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
            if root is None or _assigned_whole(flow):
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
        kept = path.state.memory.get(events[-1].place or (), ("op", 0))
        value = _returned(flow, function, kept)
        if value[0] == "and" or is_read(flow, value):
            yield from _limits(context, function, value, events)
        if other is not None and has(context, Mask.ENABLED):
            yield from _starts(function, path, kept, name, other)


def _returned(flow: Flow, function: Function, value: Value) -> Value:
    """What a function of the driver returns, where that is always the same."""
    own = flow.program.function(value[2], function.unit) if value[0] == "call" else None
    values = {path.value for path in flow.traces[own].paths if path.value} if own else set()
    return values.pop() if len(values) == 1 else value


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
        extra = mask & ~known_bits(context) & _UNSIGNED
        message = f"the spec has no event {extra:#x}"
        if mask < 0:
            message = "the mask keeps every higher bit, also of events that the spec does not have"
        yield Found(message, at, context.device.at["events"])
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
