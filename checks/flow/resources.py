# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver acquires and releases, by the kinds that the kernel's facts name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycparser import c_ast

from checks.dialect import GIVEN_BACK
from checks.flow.cfg import callee, walk
from checks.flow.values import NEGATIVE, ZERO, name_of, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event
    from checks.flow.values import Value
    from gen.api import Api

# What gives others access to a device, and what they then use.
PUBLISHED = frozenset({"list", "notifier", "driver", "sys-off"})
USED = frozenset({"memory", "iomap", "pci-enable", "pci-regions", "region"})


class Use(NamedTuple):
    """A call that acquires or releases a resource of a kind, in a function."""

    function: Function
    event: Event
    kind: str
    api: Api


def acquired(flow: Flow, function: Function) -> Iterator[Use]:
    """What a function itself acquires, locks and what its scope gives back apart."""
    scoped = _scoped(function)
    for event in flow.traces[function].of("call"):
        api = flow.api(event)
        if api is not None and api.acquires and not api.lock and event.node not in scoped:
            yield Use(function, event, api.acquires, api)


def _scoped(function: Function) -> set[c_ast.Node]:
    """The calls in initialisers of variables that the end of a scope gives back."""
    nodes = list(walk(function.node.body))
    calls = [node for node in nodes if (callee(node) or "").startswith(GIVEN_BACK)]
    names = {argument.name for call in calls for argument in call.args.exprs}
    return {
        inner
        for node in (nodes if names else ())
        if isinstance(node, c_ast.Decl) and node.name in names and node.init is not None
        for inner in walk(node.init)
    }


def released(flow: Flow, function: Function) -> Iterator[Use]:
    """What a function itself releases, locks apart."""
    for event in flow.traces[function].of("call"):
        api = flow.api(event)
        if api is not None and api.releases and not api.lock:
            yield Use(function, event, api.releases, api)


def released_below(flow: Flow, function: Function) -> list[Use]:
    """What a function or those that it calls release."""
    return [use for item in flow.reach(function) for use in released(flow, item)]


def action_of(flow: Flow, function: Function, event: Event) -> Function | None:
    """The function that a call hands over to be called on unbinding."""
    api = flow.api(event)
    if api is None or api.acquires != "action":
        return None
    name = next((value[1] for value in event.values if value[0] == "fn"), None)
    return flow.program.function(name, function.unit)


def subject(use: Use) -> Value | None:
    """What is acquired or released, where an argument says so: an entry, a notifier."""
    if use.kind == "notifier" and len(use.event.values) > 1:
        return use.event.values[1]
    return use.event.values[0] if use.event.values else None


def same(one: Use, other: Use) -> bool:
    """Whether a release may be of what was acquired: a named object has to be the same."""
    if one.kind != other.kind:
        return False
    left, right = subject(one), subject(other)
    if one.kind in {"notifier", "list", "driver"} and left and right:
        both = left[0] == right[0] == "addr"
        return not both or name_of(left[1]) == name_of(right[1]) or "local" in {
            left[1][0], right[1][0]
        }  # fmt: skip
    return True


def held(signs: dict[Value, int], use: Use) -> bool:
    """Whether a path has acquired it: the call did not fail for certain."""
    result = use.event.result
    if result is None or use.api.fails in {None, "never"}:
        return True
    known = sign(signs, result)
    wrong = ZERO if use.api.fails in {"null", "zero"} else NEGATIVE
    return known != wrong
