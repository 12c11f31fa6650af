# SPDX-License-Identifier: GPL-2.0-or-later
"""What each event of a side is worth, and on which occasions it is sent.

A spec gives an event one bit and one trigger. C may tell of several of either: they stand in one
fact then, separated by commas. With a crash kernel loaded, the panic's event is sent if no other
event is for that; C may also be silent there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.diff.records import Item

SEPARATOR = ", "
# Triggers on which nothing is sent.
UNSENT = frozenset({Trigger.NONE, Trigger.UNUSED})
# Said of a panic's event where nothing is sent with a crash kernel loaded, as no spec has it.
SILENT = f"not {Trigger.CRASH_KERNEL}"


def bits(item: Item | None) -> frozenset[int]:
    """The bits of an event; none of anything else, or if they are not known."""
    fact = item.facts.get("bit") if item and item.kind == "event" else None
    return frozenset(int(bit) for bit in fact.value.split(SEPARATOR)) if fact else frozenset()


def worth(item: Item) -> int:
    """The value that is written for an event of known bits."""
    return sum(1 << bit for bit in bits(item))


def triggers(item: Item | None) -> tuple[str, ...]:
    """The triggers that an event says; none of anything else, or if they are not known."""
    return tuple(word for word in _said(item) if word != SILENT)


def _said(item: Item | None) -> tuple[str, ...]:
    fact = item.facts.get("trigger") if item and item.kind == "event" else None
    return tuple(fact.value.split(SEPARATOR)) if fact else ()


def sent(side: Iterable[Item]) -> Iterator[tuple[str, Item]]:
    """Each occasion and the event that is sent on it, as far as their triggers are known."""
    events = [item for item in side if item.kind == "event"]
    also = heirs(events)
    for event in events:
        for trigger in triggers(event):
            if trigger not in UNSENT:
                yield trigger, event
                if trigger == Trigger.PANIC and event.name in also:
                    yield Trigger.CRASH_KERNEL.value, event


def as_silent(side: Iterable[Item], other: Iterable[Item]) -> list[Item]:
    """A side changed in part; the panic is told for a crash kernel only where `other` tells it."""
    heard = {bits(item) for item in other
             if Trigger.PANIC in triggers(item) and SILENT not in _said(item)}  # fmt: skip
    return [_silent(item) if Trigger.PANIC in triggers(item) and bits(item) not in heard else item
            for item in side]  # fmt: skip


def _silent(item: Item) -> Item:
    value = SEPARATOR.join((*triggers(item), SILENT))
    return replace(
        item, facts={**item.facts, "trigger": replace(item.facts["trigger"], value=value)}
    )


def heirs(side: Iterable[Item | None]) -> frozenset[str]:
    """The events of a panic that are sent with a crash kernel loaded, too, as none else is then."""
    events = [item for item in side if item and item.kind == "event"]
    said = [_said(event) for event in events]
    if not all(said) or any({Trigger.CRASH_KERNEL, SILENT} & set(one) for one in said):
        return frozenset()
    return frozenset(event.name for event, one in zip(events, said, strict=True)
                     if Trigger.PANIC in one)  # fmt: skip
