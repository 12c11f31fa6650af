# SPDX-License-Identifier: GPL-2.0-or-later
"""Both sides of one change, without all others: what a consumer sees of it is seen there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen.diff.occasions import as_silent
from gen.diff.records import Action, Fact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.diff.records import Change, Item


def apart(
    change: Change, old: Sequence[Item], new: Sequence[Item]
) -> tuple[Sequence[Item], Sequence[Item]]:
    """The old side as it is and with this change made; of what comes, the new one without and with.

    So what comes is seen among all else that comes.
    """
    left, right = (change.pair.old, change.pair.new) if change.pair else (None, None)
    if left is None or right is None:
        if right is not None:
            return as_silent(_without(new, right), old), new
        return (old, as_silent(_without(old, left), new)) if left is not None else (old, new)
    if change.action is Action.MOVED:
        return _among_drivers(old, left), _among_drivers(new, right)
    return old, as_silent(_with(old, left, change, right), new)


def _same(one: Item, other: Item) -> bool:
    """Whether two are one item of a side; matching gives it the new name of its owner."""
    return (one.kind, one.name, one.at) == (other.kind, other.name, other.at)


def _without(side: Sequence[Item], item: Item) -> list[Item]:
    return [one for one in side if not _same(one, item) and one.owner != item.path]


def _among_drivers(side: Sequence[Item], item: Item) -> list[Item]:
    return [one for one in side if one.kind == "frontend" or _same(one, item)]


def _with(side: Sequence[Item], item: Item, change: Change, new: Item) -> list[Item]:
    made = []
    mine = next((one.path for one in side if _same(one, item)), "")
    for one in side:
        if _same(one, item):
            made.append(_changed(one, change, new))
        elif mine and one.owner == mine and change.action is Action.RENAMED:
            made.append(replace(one, owner=new.path))
        else:
            made.append(one)
    return made


def _changed(item: Item, change: Change, new: Item) -> Item:
    """An item with its new name, or with one key or group of keys as the new side has it."""
    if change.action in {Action.RENAMED, Action.REUSED}:
        facts = dict(item.facts)
        if change.direction == "driver":
            # Its module keeps its name.
            facts.setdefault("module", Fact(item.name, item.at))
        return replace(item, name=new.name, facts=facts)
    key = change.subject.partition(".")[2]
    kept = {name: fact for name, fact in item.facts.items() if not _of(name, key)}
    come = {name: fact for name, fact in new.facts.items() if _of(name, key)}
    return replace(item, facts=kept | come)


def _of(name: str, key: str) -> bool:
    return name == key or name.startswith(f"{key}.")
