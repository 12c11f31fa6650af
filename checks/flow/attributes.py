# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a driver keeps what the spec's attributes show: the members behind the masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.fallible import parses
from checks.flow.sending import DEPTH
from checks.flow.values import mentions, parts
from gen.model import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.values import Value
    from checks.rule import Context
    from gen.model import Attribute

_TYPE = "struct device_attribute"


def member(flow: Flow, context: Context, mask: Mask) -> str | None:
    """The member that holds a mask, such as `struct x.events`; None if that is not clear.

    What the driver does with it decides: the capability is read from the device, the enabled
    events are what a store function writes. Where that does not tell, the show function does.
    """
    return kept(flow, mask) or _shown(flow, context, mask)


def kept(flow: Flow, mask: Mask) -> str | None:
    """The member that holds a mask, as far as the way in which it is set tells."""
    read, stored = _from_device(flow), _from_user(flow)
    found = read if mask is Mask.CAPABILITY else stored - read
    return next(iter(found)) if len(found) == 1 else None


def _from_device(flow: Flow) -> set[str]:
    """The members that get what is read from the device."""
    found = set()
    for name, value in _first_writes(flow):
        if mentions(value, lambda item: is_read(flow, item)):
            found.add(name)
    return found


def is_read(flow: Flow, value: Value, depth: int = 0) -> bool:
    """Whether a value is what the device reads as, or less; also by way of a helper."""
    if value[0] != "call" or depth > DEPTH:
        return False
    api = flow.program.api(value[2])
    own = [item for item in flow.traces if item.name == value[2]]
    if own:
        ends = [path.value for path in flow.traces[own[0]].paths if path.value is not None]
        return bool(ends) and all(
            any(is_read(flow, item, depth + 1) for item in parts(end)) for end in ends
        )
    return api is not None and api.access is not None and api.access.direction == "read"


def _first_writes(flow: Flow) -> Iterator[tuple[str, Value]]:
    """What is written to members, straight from where it comes from."""
    for trace in flow.traces.values():
        seen: set[Value] = set()
        for event in trace.of("write", "once-write"):
            if event.place is None or event.place[0] != "field":
                continue
            if event.values[0] not in seen:
                yield event.name, event.values[0]
            seen.add(event.values[0])


def _from_user(flow: Flow) -> set[str]:
    """The members that get what a user wrote."""
    found = set()
    for function in flow.rooted("store"):
        trace = flow.traces[function]
        parsed = {
            ("out", id(e.node), e.name) for e in trace.of("call") if parses(flow, function, e)
        }
        for event in trace.of("write", "once-write"):
            if mentions(event.values[0], lambda item, outs=parsed: item in outs):  # type: ignore[misc]
                found.add(event.name)
    return found


def shows(flow: Flow, context: Context) -> Iterator[tuple[Attribute, Function]]:
    """The spec's attributes with their show functions."""
    for item in context.facts.objects(_TYPE):
        title, show = item.fields.get("attr.name"), item.callback("show")
        for attribute in context.device.sysfs:
            if title is None or show is None or title.text != attribute.name:
                continue
            for function in flow.rooted("show"):
                if function.name == show.name:
                    yield attribute, function


def _shown(flow: Flow, context: Context, mask: Mask) -> str | None:
    """The member that the attribute of a mask shows."""
    found: set[str] = set()
    for attribute, function in shows(flow, context):
        if attribute.shows is mask:
            found |= read_by(flow, function)
    return found.pop() if len(found) == 1 else None


def read_by(flow: Flow, function: Function) -> set[str]:
    """The members of structures that a function reads."""
    return {
        event.name
        for event in flow.traces[function].of("read", "once-read")
        if event.place is not None and event.place[0] == "field"
    }


def has(context: Context, mask: Mask) -> bool:
    """Whether the spec has an attribute that shows a mask."""
    return any(item.shows is mask for item in context.device.sysfs)


def known_bits(context: Context) -> int:
    """All bits that the spec gives a meaning."""
    return sum(event.value for event in context.device.events)
