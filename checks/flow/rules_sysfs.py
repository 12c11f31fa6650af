# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about show and store functions: what they return, and what users can make them do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.analysis import flow_check, place
from checks.flow.attributes import kept, member, read_by, shows
from checks.flow.fallible import parses
from checks.flow.values import NEGATIVE, POSITIVE, ZERO, mentions, number, parts, sign
from checks.rule import Found, NotApplicable, Unknown
from gen.model import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event, Path
    from checks.flow.values import Value
    from checks.rule import Context, Word

BUFFER, COUNT = 2, 3  # the parameters of show and store functions


@flow_check("KERN120")
def returned(flow: Flow, _context: Context) -> Iterator[Word]:
    """What a show or store function returns: a length, or a negative error number."""
    for role in ("show", "store"):
        for function in flow.rooted(role):
            for path in flow.traces[function].paths:
                if path.node is None or path.value is None:
                    continue
                word = _length(flow, function, path, role)
                span = place(function, path.node)
                if isinstance(word, str):
                    yield Found(word, span)
                elif word is None:
                    yield Unknown(f"what {function.name}() returns here is not known", span)


def _length(flow: Flow, function: Function, path: Path, role: str) -> str | bool | None:
    """What is wrong with a returned value; True for nothing, None if that is not known."""
    value: Value = path.value or ("op", 0)
    known = sign(path.state.signs, value)
    if known == NEGATIVE:
        return True
    if value[0] == "num":
        return f"a {role} function returns a length or an error number: {value[1]} is neither"
    if role == "store" and value[0] == "param":
        return True if value[1] == COUNT else None
    if role == "show" and value[0] == "call" and _fills(flow, function, value):
        return True
    if role == "store" and known in {ZERO, ZERO | NEGATIVE}:
        return "this may return 0, so that the user's write is tried again for ever"
    return None


def _fills(flow: Flow, function: Function, value: Value) -> bool:
    """Whether a value is what a call returned that was given the buffer."""
    return any(
        event.result == value and ("param", BUFFER, function.params[BUFFER]) in event.values
        for event in flow.traces[function].of("call")
        if len(function.params) > BUFFER
    )


@flow_check("KERN121")
def not_emitted(flow: Flow, context: Context) -> Iterator[Word]:
    """Output to sysfs by a function that does not know the buffer's size."""
    if not context.facts.kernel.has("sysfs_emit"):
        yield NotApplicable("this kernel has no sysfs_emit()")
        return
    for function in flow.rooted("show"):
        if len(function.params) <= BUFFER:
            continue
        buffer = ("param", BUFFER, function.params[BUFFER])
        for event in flow.traces[function].of("call"):
            api = flow.api(event)
            prints = api is not None and not event.name.startswith("sysfs_emit")
            if prints and event.values[:1] == (buffer,):
                message = f"{event.name}() does not know how long the buffer is"
                yield Found(message, place(function, event.node), help="use sysfs_emit()")


def _parsed(flow: Flow, function: Function) -> list[Event]:
    return [e for e in flow.traces[function].of("call") if parses(flow, function, e)]


def _from(event: Event, value: Value) -> bool:
    """Whether a value is made from what a call has parsed."""
    out = ("out", id(event.node), event.name)
    return mentions(value, lambda item: item == out)


@flow_check("KERN122")
def unparsed(flow: Flow, _context: Context) -> Iterator[Word]:
    """A number that a user wrote is kept though it may be none."""
    for function in flow.rooted("store"):
        for event in _parsed(flow, function):
            for write in flow.traces[function].of("write", "once-write"):
                known = dict(write.known).get(event.result or (), 0)
                if _from(event, write.values[0]) and known != ZERO:
                    message = f"{event.name}() may have failed, and then this keeps garbage"
                    yield Found(message, place(function, write.node))
            for path in flow.traces[function].paths:
                failed = sign(path.state.signs, event.result or ()) == NEGATIVE
                told = path.value is not None and sign(path.state.signs, path.value) & NEGATIVE
                accepted = path.value is not None and path.value[0] == "param"
                if failed and accepted and path.node is not None and told != NEGATIVE:
                    message = f"{event.name}() has failed, but the user is told of success"
                    yield Found(message, place(function, path.node))


@flow_check("SPEC020")
def unvalidated(flow: Flow, context: Context) -> Iterator[Word]:
    """A mask that a user wrote is kept only if it lies within the mask that the spec says."""
    stores = [item for item in context.device.sysfs if item.store is not None]
    if not stores or not flow.rooted("store"):
        yield NotApplicable("no attribute can be written")
        return
    attribute = stores[0]
    limit = member(flow, context, attribute.store.within if attribute.store else Mask.CAPABILITY)
    target = member(flow, context, attribute.shows)
    spec = attribute.at["store"]
    for function in flow.rooted("store"):
        if limit is None or target is None:
            yield Unknown("which members hold the masks is not known", function.span)
            continue
        parsed = _parsed(flow, function)
        writes = [e for e in flow.traces[function].of("write", "once-write") if e.name == target]
        for write in writes:
            for event in parsed:
                if _from(event, write.values[0]) and not _within(write, event, limit):
                    message = f"'{target}' gets what a user wrote, unchecked against '{limit}'"
                    yield Found(message, place(function, write.node), spec)
        if not parsed or not any(_from(e, w.values[0]) for e in parsed for w in writes):
            yield Unknown(f"how {function.name}() changes '{target}' is not known", function.span)
        for write in flow.traces[function].of("write", "once-write"):
            if write.name == limit != target and any(_from(e, write.values[0]) for e in parsed):
                message = f"a user changes '{limit}' here, which is the device's"
                yield Found(message, place(function, write.node), spec)
        yield from _refusals(flow, function, parsed, limit)


def _within(write: Event, event: Event, limit: str) -> bool:
    """Whether tests before a write have found no bit outside the limit."""
    out = ("out", id(event.node), event.name)
    return write.values[0] == out and any(
        _says_within(value, known, out, limit) for value, known in write.known
    )


def _says_within(value: Value, known: int, out: Value, limit: str) -> bool:
    if value[0] == "and" and known == ZERO and value[2] is None:
        rest = parts(value) - {out}
        return out in parts(value) and any(v[0] == "not" and _is(v[1], limit) for v in rest)
    if value[0] == "cmp" and value[1] in {"==", "!="}:
        same = known == POSITIVE if value[1] == "==" else known == ZERO
        one, other = (value[2], value[3]) if value[3] == out else (value[3], value[2])
        inside = one[0] == "and" and one[2] is None and out in parts(one)
        return same and other == out and inside and any(_is(v, limit) for v in parts(one))
    return False


def _is(value: Value, name: str) -> bool:
    """Whether a value is what stands in a member."""
    if value[0] != "load" or value[1][0] != "field":
        return False
    return f"{value[1][2]}.{value[1][3]}" == name


def _refusals(flow: Flow, function: Function, parsed: list[Event], limit: str) -> Iterator[Word]:
    """A mask outside the limit is refused with EINVAL."""
    wanted = number(-flow.program.names.get("EINVAL", 0))
    for path in flow.traces[function].paths:
        for event in parsed:
            out = ("out", id(event.node), event.name)
            refused = any(
                _says_within(value, _other(known), out, limit)
                for value, known in path.state.signs.items()
            )
            if refused and path.node is not None and path.value != wanted:
                message = f"a mask with bits outside '{limit}' is refused with -EINVAL"
                yield Found(message, place(function, path.node))


def _other(known: int) -> int:
    """The opposite of what a test has found."""
    return ZERO if not known & ZERO else POSITIVE if known == ZERO else 0


@flow_check("SPEC034")
def shown_mask(flow: Flow, context: Context) -> Iterator[Word]:
    """An attribute shows the mask that the spec says."""
    for attribute, function in shows(flow, context):
        name = kept(flow, attribute.shows)
        reads = read_by(flow, function)
        below = len(flow.reach(function)) > 1
        if name is None or below:
            yield Unknown(f"which member {function.name}() shows is not known", function.span)
        elif name not in reads:
            ends = [path for path in flow.traces[function].paths if path.node is not None]
            span = place(function, ends[0].node or function.node) if ends else function.span
            message = f"'{attribute.name}' shows something other than '{name}'"
            yield Found(message, span, attribute.at["shows"])
