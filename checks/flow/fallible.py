# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that may fail: how they tell, and what a path knows about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.values import NEGATIVE, POSITIVE, ZERO, failure, mentions, refine, sign, success

if TYPE_CHECKING:
    from pycparser import c_ast

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event, Path
    from checks.flow.values import Value

DEPTH = 4
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
        return not _says(flow, function, event)
    if api is None:
        return True
    pointer = api.fails in {"null", "err-ptr"}
    return api.must_check or pointer or (api.managed is not None and api.fails == "errno")


def _says(flow: Flow, function: Function, event: Event, depth: int = 0) -> bool:
    """Whether what is called tells of each failure by a message: its caller may leave it at that.

    A message that stands on the ways of success too is about something else.
    """
    own, signs = flow.called(function, event), signs_of(flow, function, event)
    if own is None or signs is None or depth > DEPTH:
        return False
    ends = [(path, sign(path.state.signs, path.value) if path.value else 0)
            for path in flow.traces[own].paths]  # fmt: skip
    fine = {item.node for path, known in ends if known & signs[1] for item in path.state.history}
    bad = [path for path, known in ends if known & signs[0]]
    return bool(bad) and all(
        any(_tells(flow, own, item, fine, depth) for item in path.state.history) for path in bad
    )


def _tells(flow: Flow, function: Function, event: Event, fine: set[c_ast.Node], depth: int) -> bool:
    """Whether a call prints a message on no `fine` way, or is of a function that tells itself."""
    if event.kind != "call":
        return False
    api = flow.api(event)
    if api is not None:
        return "fmt" in api.parameters and event.node not in fine
    return _says(flow, function, event, depth + 1)


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
