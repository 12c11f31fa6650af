# SPDX-License-Identifier: GPL-2.0-or-later
"""Which events a driver writes to its device, followed from the functions that the kernel calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.flow.analysis import place
from checks.flow.values import ZERO, substitute

if TYPE_CHECKING:
    from pycparser import c_ast

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event
    from checks.flow.values import Value
    from gen.source import Span

DEPTH = 8


class Write(NamedTuple):
    """A write to the device in a function itself."""

    function: Function
    event: Event

    @property
    def value(self) -> Value:
        """What is written."""
        found: Value = self.event.values[0]
        return found

    @property
    def address(self) -> Value:
        """Where to."""
        found: Value = self.event.values[-1]
        return found

    @property
    def span(self) -> Span:
        """The place of the call."""
        return place(self.function, self.event.node)


class Sent(NamedTuple):
    """What is written as one function sees it, and the triggers that it has asked about."""

    value: Value
    asked: tuple[tuple[str, bool], ...]
    node: c_ast.Node


def writes(flow: Flow, function: Function) -> list[Write]:
    """The writes to the device in a function itself."""
    found = []
    for event in flow.traces[function].of("call"):
        api = flow.api(event)
        if api is not None and api.access is not None and api.access.direction == "write":
            found.append(Write(function, event))
    return found


def sent(flow: Flow, function: Function, depth: int = 0) -> list[Sent]:
    """All that a function writes, itself or through others."""
    found = [
        Sent(write.value, _asked(flow, write.event), write.event.node)
        for write in writes(flow, function)
    ]
    if depth > DEPTH:
        return found
    for event in flow.traces[function].of("call"):
        called = flow.called(function, event)
        if called is None:
            continue
        for item in sent(flow, called, depth + 1):
            value = substitute(item.value, event.values)
            asked = tuple({**dict(item.asked), **dict(_asked(flow, event))}.items())
            found.append(Sent(value, asked, event.node))
    return list(dict.fromkeys(found))


def _asked(flow: Flow, event: Event) -> tuple[tuple[str, bool], ...]:
    """The triggers whose presence tests before an event have told."""
    found = {}
    for value, known in event.known:
        api = flow.program.api(value[2]) if value[0] == "call" else None
        if api is not None and api.tells and (known == ZERO or not known & ZERO):
            found[api.tells] = known != ZERO
    return tuple(found.items())
