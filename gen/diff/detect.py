# SPDX-License-Identifier: GPL-2.0-or-later
"""Matched items to changes: what differs, and in which direction. No opinion is formed here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen.diff import directions, pci
from gen.diff.constants import same_number
from gen.diff.formula import compare_dependencies
from gen.diff.items import items
from gen.diff.match import match
from gen.diff.occasions import SEPARATOR, bits, heirs, triggers
from gen.diff.records import Action, Change, Fact, Pair
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.diff.records import Item
    from gen.model import Device

# Made for matching only; what is in them is told by itself.
DERIVED = frozenset({"frontend.ids", "frontend.kconfig"})
# What a frontend says of its attributes only where it is not what it says of itself.
_SINCE_SHOWN = frozenset({"attributes.since", "attributes.stable"})
# What only C can say, and what it is where nothing is said.
GRANTED = {
    "stage": directions.LATE,
    "initial": "the capability",
    "autoload": "yes",
    "probe": "takes a device that has all",
    "registers-at": "0",
    "store.refuses": directions.NOTHING,
}


def changes(old: Device, new: Device) -> list[Change]:
    """All differences of meaning between two devices, in the order of the new one."""
    return item_changes(items(old), items(new))


def item_changes(old: Iterable[Item], new: Iterable[Item]) -> list[Change]:
    """All differences between the items of two sides, in the order of the new one."""
    pairs, reused = _with_reused(match(list(old), list(new)))
    found: list[Change] = []
    for pair in pairs:
        how = Action.REUSED if pair in reused else Action.RENAMED
        found += (replace(change, pair=pair) for change in _item(pair, how))
    found += _taken_over(pairs)
    found = [_reusing(change, pairs) for change in found]
    asking = (_reads(pair.old for pair in pairs), _reads(pair.new for pair in pairs))
    return [_negotiation(change, *asking) for change in found]


def _reads(side: Iterable[Item | None]) -> bool:
    """Whether any register is read for what the device takes."""
    return any("read" in item.facts for item in side if item and item.kind == "register")


def _negotiation(change: Change, before: bool, after: bool) -> Change:
    """The change of what a register is read for: the first one that is read at all, or the last."""
    if change.subject != "register.read" or before == after:
        return change
    return replace(change, direction="first" if after else "last")


def _taken_over(pairs: list[Pair]) -> Iterator[Change]:
    """The events of a panic to or from which a crash kernel's own event takes that occasion."""
    before, after = (heirs(side) for side in ([p.old for p in pairs], [p.new for p in pairs]))
    for pair in pairs:
        old, new = pair.old, pair.new
        if not old or not new or triggers(old) != triggers(new) or not triggers(new):
            continue
        if (old.name in before) != (new.name in after):
            trigger = SEPARATOR.join(triggers(new))
            more = SEPARATOR.join((trigger, Trigger.CRASH_KERNEL.value))
            was, now = (more, trigger) if old.name in before else (trigger, more)
            places = (old.facts["trigger"].at, new.facts["trigger"].at)
            yield Change("event.trigger", Action.CHANGED, f"{new.path}.trigger", was, now,
                         *places, pair=pair)  # fmt: skip


def _reusing(change: Change, pairs: list[Pair]) -> Change:
    """The coming or going of an event whose bit another one of the other side has, which stays."""
    item = (change.pair.new or change.pair.old) if change.pair else None
    if change.subject != "event" or change.action not in {Action.ADDED, Action.REMOVED}:
        return change
    come = change.action is Action.ADDED
    others = ((p.old if come else p.new) for p in pairs if p.old and p.new)
    other = next((one for one in others if bits(one) & bits(item)), None)
    if other is None:
        return change
    direction = f"reused-{change.direction}".rstrip("-")
    at = other.facts["bit"].at
    if come:
        return replace(change, old=other.path, old_at=at, direction=direction)
    return replace(change, new=other.path, new_at=at, direction=direction)


def _with_reused(pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    """The pairs with each new event beside the one that is gone and whose bit it has; only these.

    So all that such an event says is compared with what its bit meant.
    """
    gone = {bit: pair.old for pair in pairs if not pair.new and (bit := bits(pair.old))}
    come = {bit for pair in pairs if not pair.old and (bit := bits(pair.new))}
    kept, reused = [], []
    for pair in pairs:
        bit = bits(pair.new or pair.old)
        if (pair.old and pair.new) or bit not in gone or bit not in come:
            kept.append(pair)
        elif pair.new:
            reused.append(Pair(gone[bit], pair.new))
            kept.append(reused[-1])
    return kept, reused


def _item(pair: Pair, how: Action) -> Iterator[Change]:
    """What differs between the items of a pair; `how` one name became another."""
    old, new = pair.old, pair.new
    if old is None or new is None:
        yield _whole(old, new, Action.ADDED if old is None else Action.REMOVED)
        return
    if old.name != new.name:
        yield _whole(old, new, how)
    old, new, groups = _without_groups(old, new)
    yield from groups
    if old.owner != new.owner:
        was, now = (one.owner or "the whole device" for one in (old, new))
        # A Kconfig symbol may build nothing.
        path = (new if now != "nothing" else old).path
        yield Change(new.kind, Action.MOVED, path, was, now, old.at, new.at)
    keys = list(dict.fromkeys([*old.facts, *new.facts]))
    for key in keys:
        if f"{new.kind}.{key}" in DERIVED:
            continue
        if key in _SINCE_SHOWN and old.facts["attributes"].value != new.facts["attributes"].value:
            continue
        change = _fact(new, key, old.facts.get(key), new.facts.get(key), old)
        if change:
            yield change


def _without_groups(old: Item, new: Item) -> tuple[Item, Item, list[Change]]:
    """Both items without the keys of a mapping that one side lacks, and its coming or going."""
    found = []
    for group in dict.fromkeys(k.partition(".")[0] for k in (*old.facts, *new.facts) if "." in k):
        was, now = _group(old, group), _group(new, group)
        if bool(was) == bool(now) or group in new.facts:
            continue
        action = Action.ADDED if now else Action.REMOVED
        values = ", ".join(f"{key.partition('.')[2]}={fact.value}" for key, fact in
                           (now or was).items())  # fmt: skip
        at = next(iter((now or was).values())).at
        found.append(
            Change(
                subject=f"{new.kind}.{group}",
                action=action,
                path=f"{new.path}.{group}",
                old=values if was else None,
                new=values if now else None,
                old_at=at if was else old.at,
                new_at=at if now else new.at,
            )
        )
        old = replace(old, facts={k: v for k, v in old.facts.items() if k not in was})
        new = replace(new, facts={k: v for k, v in new.facts.items() if k not in now})
    return old, new, found


def _group(item: Item, group: str) -> dict[str, Fact]:
    return {key: fact for key, fact in item.facts.items() if key.partition(".")[0] == group
            and "." in key}  # fmt: skip


def _whole(old: Item | None, new: Item | None, action: Action) -> Change:
    one = new or old
    if one is None:
        raise ValueError("a pair of nothing")
    return Change(
        subject=one.kind,
        action=action,
        path=one.path,
        old=_told(old) if old else None,
        new=_told(new) if new else None,
        old_at=old.at if old else None,
        new_at=new.at if new else None,
        direction=_naming(old, new) if old and new else _restarts(old, new),
    )


def _naming(old: Item, new: Item) -> str:
    """What can be told of two names: of a driver, that its module's is told apart."""
    if new.kind == "pci":
        return pci.direction(old.name, new.name)
    return "driver" if "module" in {**old.facts, **new.facts} else ""


def _restarts(old: Item | None, new: Item | None) -> str:
    """Whether an event that comes or goes is sent on a restart."""
    was, now = (Trigger.RESTART in triggers(item) for item in (old, new))
    return "" if was == now else "to-restart" if now else "from-restart"


def _told(item: Item) -> str:
    symbol = item.facts.get("symbol")
    return item.name or (symbol.value if symbol else item.kind)


def _fact(item: Item, key: str, old: Fact | None, new: Fact | None, before: Item) -> Change | None:
    if key in _SINCE_SHOWN:
        old, new = _since_shown(key, old, before), _since_shown(key, new, item)
    was, now = (old.value if old else None), (new.value if new else None)
    if key == "module":
        # Said only where a driver's module is not called like the driver.
        was, now = was or before.name, now or item.name
        old, new = (Fact(was, old.at if old else before.at), Fact(now, new.at if new else item.at))
    if key in GRANTED:
        was, now = was or GRANTED[key], now or GRANTED[key]
        old, new = (Fact(was, old.at if old else before.at), Fact(now, new.at if new else item.at))
    if was == now or (was and now and _spaced(was) == _spaced(now) and key != "format"):
        return None
    if key == "priority" and was and now and same_number(was, now):
        return None
    if key == "trigger" and triggers(before) == triggers(item):
        return None  # what C says of a crash kernel besides is told with who is sent then
    action = Action.ADDED if old is None else Action.REMOVED if new is None else Action.CHANGED
    direction = ""
    if key == "depends":
        direction = compare_dependencies(was, now)
        if direction == "same":
            return None
        action = Action.CHANGED
    elif was is not None and now is not None:
        direction = directions.direction(item.kind, key, was, now)
    return Change(
        subject=f"{item.kind}.{key}",
        action=action,
        path=f"{item.path}.{key}",
        old=was if was is not None or key != "depends" else "y",
        new=now if now is not None or key != "depends" else "y",
        old_at=old.place(new) if old else before.at,
        new_at=new.place(old) if new else item.at,
        direction=direction,
    )


def _since_shown(key: str, fact: Fact | None, item: Item) -> Fact | None:
    """Since when a frontend's devices show attributes: since there is the frontend, if not said."""
    fact = fact or item.facts.get(key.partition(".")[2])
    return fact if fact and fact.value else None


def _spaced(text: str) -> str:
    return " ".join(text.split())
