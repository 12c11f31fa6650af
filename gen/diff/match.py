# SPDX-License-Identifier: GPL-2.0-or-later
"""Which item of the old side is which of the new side; a renamed one is found by what it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from gen.diff.pci import direction
from gen.diff.records import Pair

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.diff.records import Item

# Claimed ids belong to the whole device: one that another module claims has moved.
GLOBAL = frozenset({"pci", "acpi", "of"})
# So does a Kconfig symbol: it can stay when what it built is gone.
FREE = frozenset({*GLOBAL, "kconfig"})
# How much of an item's identity has to be equal for it to be the same under another name.
ENOUGH = 0.75


def match(old: Iterable[Item], new: Iterable[Item]) -> list[Pair]:
    """Pairs of all items of both sides, in the order of the new side, what is gone last.

    What belongs to an item that only one side has is left out, since it is part of that item; but
    not its Kconfig symbol and the ids that it claims, which others can have instead.
    """
    left, right = _by_kind(old), _by_kind(new)
    pairs: list[Pair] = []
    names: dict[str, str] = {}
    order = list(dict.fromkeys([*right, *left]))
    # Owners first, so that what belongs to them can be matched under their new names.
    for kind in order:
        mine = [replace(one, owner=names.get(one.owner, one.owner)) for one in left.get(kind, [])]
        found = _match_kind(mine, right.get(kind, []))
        names |= {p.old.path: p.new.path for p in found if p.old and p.new}
        pairs += found
    lonely = {p.old.path for p in pairs if p.old and not p.new}
    lonely_new = {p.new.path for p in pairs if p.new and not p.old}
    return [
        pair
        for pair in pairs
        if not (pair.new is None and pair.old and _part(pair.old, lonely))
        and not (pair.old is None and pair.new and _part(pair.new, lonely_new))
    ]


def _part(item: Item, owners: set[str]) -> bool:
    return item.owner in owners and item.kind not in FREE


def _by_kind(items: Iterable[Item]) -> dict[str, list[Item]]:
    kinds: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        kinds[item.kind].append(item)
    return dict(kinds)


def _key(item: Item) -> tuple[str, str]:
    if item.kind == "kconfig":
        return ("", item.facts["symbol"].value)
    return ("" if item.kind in GLOBAL else item.owner, item.name)


def _match_kind(old: list[Item], new: list[Item]) -> list[Pair]:
    """Pairs by name, then by identity; where several fit equally well, none is taken."""
    several = _several(old) | _several(new)
    left = {_one(item, several): item for item in old}
    right = {_one(item, several): item for item in new}
    pairs = {key: Pair(left.pop(key, None), item) for key, item in right.items()}
    for key, item in right.items():
        if pairs[key].old is not None:
            continue
        scores = sorted(((_alike(one, item), k) for k, one in left.items()), reverse=True)
        if not scores or scores[0][0] < ENOUGH:
            continue
        if len(scores) > 1 and scores[0][0] == scores[1][0]:
            continue
        pairs[key] = Pair(left.pop(scores[0][1]), item)
    found = [*pairs.values(), *(Pair(item, None) for item in left.values())]
    return _covering(found) if new and new[0].kind == "pci" else found


def _covering(pairs: list[Pair]) -> list[Pair]:
    """The pairs with each PCI id that is gone beside a new one that covers it, or is covered."""
    gone = [pair.old for pair in pairs if pair.old and not pair.new]
    come = [pair.new for pair in pairs if pair.new and not pair.old]
    met = [Pair(old, new) for old in gone for new in come if direction(old.name, new.name)]
    left = {id(one) for pair in met for one in (pair.old, pair.new)}
    return [*(p for p in pairs if id(p.old or p.new) not in left or (p.old and p.new)), *met]


def _several(items: list[Item]) -> set[tuple[str, str]]:
    """The keys that drivers share, which buses allow."""
    counted = Counter(_key(item) for item in items if item.kind == "frontend")
    return {key for key, count in counted.items() if count > 1}


def _one(item: Item, several: set[tuple[str, str]]) -> tuple[str, ...]:
    """What an item is matched by: of drivers of one name, the bus as well."""
    key = _key(item)
    return (*key, item.facts["bus"].value) if key in several and item.kind == "frontend" else key


def _alike(old: Item, new: Item) -> float:
    """The part of the identity that is equal, from 0 to 1."""
    if old.owner != new.owner:
        return 0
    if old.kind == "kconfig":
        return 1  # each owner has one
    if not old.identity:
        return 0
    keys = [key for key in old.identity if key in old.facts or key in new.facts]
    same = [key for key in keys if _value(old, key) == _value(new, key)]
    marked = bool(old.marks) and all(key in old.facts and key in same for key in old.marks)
    return max(len(same) / len(keys) if keys else 0, ENOUGH if marked else 0)


def _value(item: Item, key: str) -> str | None:
    fact = item.facts.get(key)
    return fact.value if fact else None
