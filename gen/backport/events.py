# SPDX-License-Identifier: GPL-2.0-or-later
"""Events in a hand-written driver: renumbered, defined, sent."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gen import names
from gen.backport.clash import refuse_taken
from gen.backport.draft import UNCERTAIN, defined_beside, definitions
from gen.backport.records import BackportError
from gen.backport.roles import core_roles, known_events
from gen.backport.sysoff import send_on_power_off
from gen.csyntax import words
from gen.model import Trigger
from gen.plan_core import plan_core

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gen.backport.draft import Draft
    from gen.backport.records import Patch
    from gen.backport.text import CText
    from gen.diff.records import Change
    from gen.model import Device, Event

_BIT = re.compile(r"(?P<head>\(1[UL]* << |_?BIT[A-Z_]*\()(?P<bit>[0-9]+)(?P<tail>\))")


def renumbered(draft: Draft, new: Device) -> Iterator[Patch]:
    """Events that have another bit, which the header alone says.

    One to a mail, unless two of them exchange their bits and only both together make sense.
    """
    wanted = {event.name: event for event in new.macros}
    left = [one for one in draft.contract.macros if wanted[one.name].bit != one.bit]
    while left:
        taken = {event.bit for event in draft.contract.macros}
        free = [one for one in left if wanted[one.name].bit not in taken]
        now = free[:1] or left
        yield _moved(draft, new, now)
        left = [one for one in left if one not in now]


def _moved(draft: Draft, new: Device, events: list[Event]) -> Patch:
    text = draft.open(draft.uapi)
    wanted = {event.name: event for event in new.macros}
    bits = {name: event.bit for name, event in wanted.items()}
    told = []
    for event in events:
        macro = names.event_macro(draft.contract, event)
        define, value, match = _define(text, macro, event.bit)
        text.remember_remarks(define)
        text.replace(value, f"{match['head']}{bits[event.name]}{match['tail']}")
        told.append(f"The device takes {macro} as bit {bits[event.name]}, not {event.bit}.")
    told.append("Programs built with the old header, and hosts that know the old bit only, break.")
    moving = {event.name for event in events}

    def moved(old: Event) -> Event:
        # What the host makes of the event goes with its bit.
        return replace(wanted[old.name], trigger=old.trigger) if old.name in moving else old

    draft.contract = replace(
        draft.contract,
        events=tuple(moved(one) for one in draft.contract.events),
        defined=tuple(moved(one) for one in draft.contract.defined),
    )
    paths = {f"event[{name}].bit" for name in moving}
    changes = tuple(one for one in draft.of("event.bit") if one.path in paths)
    which = " and ".join(names.event_macro(draft.contract, event) for event in events)
    return draft.patch(f"renumber {which}", "\n\n".join(told), [text], changes)


def bit_of(define: Node) -> int | None:
    """The bit that a macro stands for, if it is written as one."""
    match = _BIT.fullmatch(words(define.child_by_field_name("value")))
    return int(match["bit"]) if match else None


def _define(text: CText, macro: str, bit: int) -> tuple[Node, Node, re.Match[str]]:
    """The definition of an event's macro, its value, and how that writes the bit."""
    define = text.one(definitions(text, macro), f"the definition of {macro}")
    value = define.child_by_field_name("value")
    match = _BIT.fullmatch(words(value))
    if value is None or match is None or int(match["bit"]) != bit:
        line = f"{text.name}:{define.start_point[0] + 1}"
        raise BackportError(f"{line}: {macro} is not written as bit {bit}{UNCERTAIN}")
    return define, value, match


def added(draft: Draft, new: Device, event: Event) -> Iterator[Patch]:
    """A new event: first in the header, unless it is there, then in the driver."""
    macro, unused = names.event_macro(new, event), event.trigger is Trigger.UNUSED
    if not unused and (
        event.trigger is not Trigger.POWER_OFF or draft.contract.event_for(event.trigger)
    ):
        raise BackportError(f"{event.at.item}: no edit is known for an event of the trigger "
                            f"{event.trigger}{UNCERTAIN}")  # fmt: skip
    commits = event.upstream
    changes = tuple(
        one for one in draft.of("event", "event.trigger", "sys-off")
        if one.new == event.name or one.subject == "sys-off"
        or one.path == f"event[{event.name}].trigger"
    )  # fmt: skip
    if event.name not in {one.name for one in draft.contract.defined}:
        text = _defined(draft, event, macro)
        named = replace(event, trigger=Trigger.UNUSED)
        draft.contract = replace(draft.contract, defined=(*draft.contract.defined, named))
        told = (
            f"The header for user space has no macro for bit {event.bit} of the device, which "
            f'says: "{event.description}" Define one'
        )
        told += "." if unused else "; the driver itself is changed afterwards."
        # Each mail answers for its own changes only.
        mine = tuple(one for one in changes if unused or one.subject == "event")
        changes = tuple(one for one in changes if one not in mine)
        yield draft.patch(f"define the event {macro}", told, [text], mine, event.arrival,
                          commits.header if commits else None)  # fmt: skip
    if not unused:
        yield _sent(draft, new, event, changes)


def _defined(draft: Draft, event: Event, macro: str) -> CText:
    """The header with one more macro behind the last, in its style."""
    text, last = draft.open(draft.uapi), draft.contract.macros[-1]
    define, _, match = _define(text, names.event_macro(draft.contract, last), last.bit)
    value = f"{match['head']}{event.bit}{match['tail']}"
    refuse_taken(draft, text, [macro])
    text.insert(text.line_after(define), defined_beside(text, define, macro, value))
    return text


def _sent(draft: Draft, new: Device, event: Event, changes: tuple[Change, ...]) -> Patch:
    """The driver sends the event of a sys-off chain."""
    text, macro = draft.open(draft.core), names.event_macro(new, event)
    roles = core_roles(text)
    known = known_events(text, {names.event_macro(new, one) for one in draft.contract.events})
    draft.contract = replace(
        draft.contract,
        events=(*draft.contract.events, event),
        defined=tuple(one for one in draft.contract.defined if one.name != event.name),
        hooks=replace(draft.contract.hooks, sys_off=new.hooks.sys_off),
    )
    hook = next(
        one for one in plan_core(draft.contract, draft.kernel).sys_off if one.event == macro
    )
    send_on_power_off(draft, text, roles, hook)
    text.replace(known, f"{words(known)} | {macro}")
    body = (
        f'The driver does not tell the host of this event: "{event.description}" Send it from a '
        f"handler of {hook.mode}, with the priority {hook.priority}.\n\n"
    )
    if new.hooks.sys_off and new.hooks.sys_off.why:
        body += f"{new.hooks.sys_off.why}\n\n"
    body += (
        "The handler is registered only while a bound device has the event enabled. "
        f"{roles.lock} is taken to find that out, and a panic that finds it taken is not "
        "reported: so this is done only when a device comes or goes, and when what is written to "
        f"{roles.attribute} does not go with what is registered."
    )
    commit = event.upstream.driver if event.upstream else None
    return draft.patch(f"send the event {macro}", body, [text], changes, event.arrival, commit)
