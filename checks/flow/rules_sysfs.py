# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about show and store functions: what they return, and what users can make them do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.flow.analysis import flow_check, place
from checks.flow.attributes import kept, known_bits, member, read_by, shows
from checks.flow.bits import Bits
from checks.flow.fallible import parses
from checks.flow.values import NEGATIVE, ZERO, mentions, sign
from checks.rule import Found, NotApplicable, Unknown
from gen.model import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.bits import Leaf
    from checks.flow.program import Function
    from checks.flow.trace import Event, Path
    from checks.flow.values import Value
    from checks.rule import Context, Word
    from gen.source import Span

BUFFER, COUNT = 2, 3  # the parameters of show and store functions
USER = "__user"  # what a pointer to a user's memory is declared with


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
        return f"a {role} function returns a length or an error number, not {value[1]}"
    if role == "store" and value[0] == "param":
        return True if value[1] == COUNT else None
    if role == "show" and value[0] in {"call", "plus"} and _fills(flow, function, value):
        return True
    if role == "store" and known in {ZERO, ZERO | NEGATIVE}:
        return "this may return 0, so that the user's write is tried again for ever"
    return None


def _fills(flow: Flow, function: Function, value: Value) -> bool:
    """Whether a value is what a call returned that was given the buffer, or a sum of that."""
    if value[0] == "plus":
        return all(_fills(flow, function, part) for part in value[1:])
    return any(
        event.result == value and ("param", BUFFER, function.params[BUFFER]) in event.values
        for event in flow.traces[function].of("call")
        if len(function.params) > BUFFER
    )


@flow_check("KERN162")
def not_from_user_space(flow: Flow, _context: Context) -> Iterator[Word]:
    """The buffer of an attribute, given to what reads a user's memory."""
    for function in flow.rooted("show", "store"):
        buffers = {("param", BUFFER, name) for name in function.params[BUFFER : BUFFER + 1]}
        for event in flow.traces[function].of("call") if buffers else ():
            api = flow.api(event)
            texts = (api.prototype or "").split("(", 1)[-1].split(",") if api else []
            given = [
                v for v, text in zip(event.values, texts, strict=False) if USER in text.split()
            ]
            if buffers & set(given):
                message = f"{event.name}() reads a user's memory, but this buffer is the kernel's"
                help_ = f"use {event.name.removesuffix('_from_user')}()"
                yield Found(message, place(function, event.node), help=help_)


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
                told = "size" in (api.parameters if api is not None else ())
                what = "trusts the size that it is told" if told else "knows no size"
                message = f"{event.name}() {what}; sysfs_emit() knows that the buffer is a page"
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
        for write, event in ((w, e) for w in writes for e in parsed if _from(e, w.values[0])):
            yield from _judged(Masks(flow, context, event, limit, target), function, write, spec)
        if not parsed or not any(_from(e, w.values[0]) for e in parsed for w in writes):
            yield Unknown(f"how {function.name}() changes '{target}' is not known", function.span)
        for write in flow.traces[function].of("write", "once-write"):
            if write.name == limit != target and any(_from(e, write.values[0]) for e in parsed):
                message = f"a user changes '{limit}' here, which is the device's"
                yield Found(message, place(function, write.node), spec)
        for masks in [Masks(flow, context, event, limit, target) for event in parsed]:
            yield from _refusals(masks, function)


class Masks:
    """A user's mask, the mask that limits it and the one it replaces, with numbers for them."""

    def __init__(
        self, flow: Flow, context: Context, parsed: Event, limit: str, target: str
    ) -> None:
        self.flow, self.bits, self.limit, self.target = flow, Bits(flow), limit, target
        self._out = ("out", id(parsed.node), parsed.name)
        register = context.device.event_register
        known = [event.value for event in context.device.events][:3]
        other = next((1 << n for n in range(register.width) if not known_bits(context) >> n & 1), 0)
        limits = _subsets(known)
        self.cases = [
            (mask, allowed, old)
            for mask in _subsets([*known, other, 1 << register.width])
            for allowed in limits
            for old in {0, allowed, (1 << register.width) - 1}
        ]

    def leaf(self, case: tuple[int, int, int]) -> Leaf:
        """The numbers of a case: the user's mask, the limit, the mask before."""

        def number_of(value: Value) -> int | None:
            if value == self._out:
                return case[0]
            if _is(value, self.limit):
                return case[1]
            return case[2] if _is(value, self.target) else None

        return number_of

    def of_user(self, value: Value) -> bool:
        """Whether a value is made from what the user wrote."""
        return self.bits.rests_on(value, lambda item: item == self._out)

    def outside(self, tests: list[tuple[Value, int]], stored: Value) -> bool | None:
        """Whether something else than a mask within the limit is kept; None if not known."""
        vague = False
        for case in self.cases:
            leaf = self.leaf(case)
            kept = self.bits.worth(stored, leaf)
            if kept == case[0] and not kept & ~case[1]:
                continue
            if self.bits.possible(tests, leaf):
                if kept is not None and not any(map(self.of_user, self.bits.open(tests, leaf))):
                    return True
                vague = True
        return None if vague else False


def _subsets(bits: list[int]) -> list[int]:
    found = [0]
    for bit in dict.fromkeys(bits):
        found += [one | bit for one in found]
    return list(dict.fromkeys(found))


def _judged(masks: Masks, function: Function, write: Event, spec: Span | None) -> Iterator[Word]:
    """Whether a write keeps only what is within the limit."""
    outside, span = masks.outside(list(write.known), write.values[0]), place(function, write.node)
    if outside:
        message = f"'{masks.target}' gets what a user wrote, unchecked against '{masks.limit}'"
        yield Found(message, span, spec)
    elif outside is None:
        yield Unknown(f"whether this keeps bits outside '{masks.limit}' is not known", span)


def _is(value: Value, name: str) -> bool:
    """Whether a value is what stands in a member."""
    if value[0] != "load" or value[1][0] != "field":
        return False
    # Asked for every case of every value: the last part alone tells most of them apart.
    return name.endswith(value[1][3]) and f"{value[1][2]}.{value[1][3]}" == name


def _refusals(masks: Masks, function: Function) -> Iterator[Word]:
    """A mask outside the limit is refused with EINVAL."""
    wanted = -masks.flow.program.names.get("EINVAL", 0)
    for path in masks.flow.traces[function].paths:
        tests = list(path.state.signs.items())
        cases = [case for case in masks.cases if masks.bits.possible(tests, masks.leaf(case))]
        if path.node is None or path.value is None or not cases:
            continue
        if any(not mask & ~allowed for mask, allowed, _ in cases):
            continue
        told = {masks.bits.worth(path.value, masks.leaf(case)) for case in cases}
        if told - {wanted, None}:
            message = f"a mask with bits outside '{masks.limit}' has to be refused with -EINVAL"
            yield Found(message, place(function, path.node))


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
