# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that may fail: how they tell, and what a path knows about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.values import NEGATIVE, POSITIVE, ZERO, failure, mentions, refine, sign, success

if TYPE_CHECKING:
    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event, Path
    from checks.flow.values import Value

INTEGERS = frozenset({"int", "ssize_t", "long", "long int"})


def signs_of(flow: Flow, function: Function, event: Event) -> tuple[int, int] | None:
    """The signs of failure and success of a call; None if it cannot fail or that is not known."""
    own = flow.called(function, event)
    if own is None:
        api = flow.api(event)
        if api is None or api.lock is not None or not failure(api.fails):
            return None
        return failure(api.fails), success(api.fails)
    found = 0
    for outcome in flow.traces[own].outcomes:
        found |= outcome.sign
    if own.returns in INTEGERS and found == NEGATIVE | ZERO:
        return NEGATIVE, ZERO
    if own.returns.endswith("*") and found in {ZERO | POSITIVE, NEGATIVE | POSITIVE}:
        return found & ~POSITIVE, POSITIVE
    return None


def needed(flow: Flow, function: Function, event: Event) -> bool:
    """Whether a caller has to look at what a call returns."""
    if signs_of(flow, function, event) is None:
        return False
    api, own = flow.api(event), flow.called(function, event)
    if own is not None:
        return not _says(flow, own)
    if api is None:
        return True
    pointer = api.fails in {"null", "err-ptr"}
    return api.must_check or pointer or (api.managed is not None and api.fails == "errno")


def _says(flow: Flow, function: Function) -> bool:
    """Whether a function tells of failure by a message, so that its caller may leave it at that."""
    apis = [flow.api(event) for event in flow.traces[function].of("call")]
    return any(api is not None and "fmt" in api.parameters for api in apis)


def parses(flow: Flow, function: Function, event: Event) -> bool:
    """Whether a call turns what a user wrote into a number, in a store function."""
    api = flow.api(event)
    if "store" not in flow.roles.get(function, {}) or api is None or not api.must_check:
        return False
    out = any(value[0] == "addr" and value[1][0] == "local" for value in event.values)
    return out and any(value[0] == "param" for value in event.values)


def failed(path: Path, event: Event, signs: tuple[int, int]) -> bool:
    """Whether a path has found that a call failed."""
    return event.result is not None and sign(path.state.signs, event.result) == signs[0]


def succeeded(path: Path, event: Event, signs: tuple[int, int]) -> bool:
    """Whether a path may go on as if a call had succeeded."""
    return event.result is None or bool(sign(path.state.signs, event.result) & signs[1])


def examined(path: Path, event: Event, signs: tuple[int, int]) -> bool:
    """Whether a path looks at what a call returned, or hands it on."""
    result = event.result
    if result is None or sign(path.state.signs, result) != signs[0] | signs[1]:
        return True
    if path.value is not None and mentions(path.value, lambda item: item == result):
        return True
    index = path.state.history.index(event)
    later = path.state.history[index + 1 :]
    return any(
        mentions(value, lambda item: item == result)
        for other in later
        if other.kind == "call"
        for value in other.values
    )


def decides(value: Value, subject: Value, signs: tuple[int, int]) -> bool:
    """Whether a test tells failure from success."""

    def sides(start: int) -> tuple[bool, bool]:
        return (
            refine({subject: start}, value, NEGATIVE | POSITIVE),
            refine({subject: start}, value, ZERO),
        )

    return sides(signs[0]) != sides(signs[1])
