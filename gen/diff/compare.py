# SPDX-License-Identifier: GPL-2.0-or-later
"""The stages in a row: two sides to findings, those that are accepted set apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.diff.also import also
from gen.diff.detect import GRANTED, item_changes
from gen.diff.items import items
from gen.diff.policy import judge
from gen.diff.records import CONFIGURATION, Finding, Side, TreeSide, Unknown
from gen.diff.witness import told_once, witnesses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.baseline import Entry
    from gen.diff.records import Also, Item, Severity

# What stands in a table of a driver, in the driver's own file.
_IN_TABLES = frozenset({"pci", "acpi", "of"})


@dataclass(frozen=True)
class Comparison:
    """The findings of a diff, the worst first; `stale` are acceptances of what is not found.

    `kernel` is the series that the findings' shares were rendered for, empty if they have none;
    `leftover` are the hunks of the rendered files that no change accounts for. `complete` says
    that something of each kind was, and that what one side tells is known of the other as well.
    """

    old: Side | TreeSide
    new: Side | TreeSide
    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Entry], ...] = ()
    stale: tuple[Entry, ...] = ()
    kernel: str = ""
    leftover: tuple[str, ...] = ()
    complete: bool = True

    @property
    def also(self) -> tuple[Also, ...]:
        """What else differs between two drivers in C."""
        found = [*self.findings, *(one for one, _ in self.accepted)]
        return also(self.old, self.new, found, [one.at for _, one in self.unknown])

    @property
    def unknown(self) -> tuple[tuple[str, Unknown], ...]:
        """What a driver's C did not tell, so that it is not compared; of `old` or of `new`."""
        sides = (("old", self.old), ("new", self.new))
        told = [(name, one) for name, side in sides for one in dict.fromkeys(_untold(side))]
        return (*told, *_held_back(self.old, self.new))

    def reaches(self, gate: Severity) -> bool:
        """Whether a finding is as bad as `gate`, or worse."""
        return any(one.rule.severity.weight >= gate.weight for one in self.findings)


def compare(
    old: Side | TreeSide, new: Side | TreeSide, accepted: tuple[Entry, ...] = ()
) -> Comparison:
    """Everything that differs between two sides, judged.

    With a side that was read out of C, only what both sides tell is compared.
    """
    left, right, complete = _comparable(old, new)
    found = [
        Finding(change, rule, witnesses(change, rule, rules, left, right))
        for change in item_changes(left, right)
        for rules in (judge(change),)
        for rule in rules
    ]
    found.sort(key=lambda one: -one.rule.severity.weight)
    allowed = {(one.fingerprint, one.rule): one for one in accepted}
    marked = [(one, allowed.get((one.fingerprint, one.rule.id))) for one in found]
    used = {entry for _, entry in marked if entry is not None}
    return Comparison(
        old,
        new,
        told_once(one for one, entry in marked if entry is None),
        tuple((one, entry) for one, entry in marked if entry is not None),
        tuple(entry for entry in accepted if entry not in used),
        complete=complete,
    )


def _comparable(
    old: Side | TreeSide, new: Side | TreeSide
) -> tuple[tuple[Item, ...], tuple[Item, ...], bool]:
    """The items of both sides without what one of them does not tell, and whether that is all."""
    if isinstance(old, Side) and isinstance(new, Side):
        return tuple(items(old.device)), tuple(items(new.device)), True
    told = _in_c(old), _in_c(new)
    gone = _unknown(old), _unknown(new)
    both = {_which(item) for item in told[0]} & {_which(item) for item in told[1]}
    unknown, sides, complete = gone[0] | gone[1], [], True
    for mine, others, there in zip(
        told, reversed(gone), (_Other(new, told[1]), _Other(old, told[0])), strict=True
    ):
        # What the other side lacks may be there where that one was not read.
        known = [item for item in mine if not _hidden(item, others)
                 and (_which(item) in both or not there.may_have(item))]  # fmt: skip
        complete &= len(known) == len(mine) and not _keys(known, others, unknown - others)
        sides.append(tuple(_known(one, unknown) for one in known if not _hidden(one, unknown)))
    # Of a kind of which a side tells nothing, nobody knows what the other one lacks.
    complete &= any(sides) and all(key for _, key in unknown)
    # Nobody knows what either does with another configuration than the one that was read.
    options = [{key for path, key in one if path == CONFIGURATION} for one in gone]
    complete &= options[0] == options[1]
    return sides[0], sides[1], complete


def _held_back(old: Side | TreeSide, new: Side | TreeSide) -> Iterator[tuple[str, Unknown]]:
    """What one side has and the other one lacks, of which nobody knows whether it is gone."""
    if isinstance(old, Side) and isinstance(new, Side):
        return
    told = _in_c(old), _in_c(new)
    both = {_which(item) for item in told[0]} & {_which(item) for item in told[1]}
    ends = (("new", told[0], _Other(new, told[1])), ("old", told[1], _Other(old, told[0])))
    for side, mine, there in ends:
        for item in mine:
            lone = _which(item) not in both and not _hidden(item, there.unknown)
            if lone and there.may_have(item):
                why = f"only the other side has it; the {side} one was not read in full"
                yield side, Unknown(item.path, "", why, item.at)


class _Other:
    """The side of a comparison that lacks something."""

    def __init__(self, side: Side | TreeSide, told: tuple[Item, ...]) -> None:
        self.unknown = _unknown(side)
        self._places = [(one.path, one.at.source) for one in _untold(side)]
        self._owners = {item.path: item.at.source for item in told if item.kind == "frontend"}

    def may_have(self, item: Item) -> bool:
        """Whether an item that the side lacks may be there, only not read, or not by its name."""
        doubts = {"driver", item.kind, *(("frontend",) if item.owner else ())}
        home = self._owners.get(item.owner) if item.kind in _IN_TABLES else None
        # A table is whole where its driver's file is, whatever else was not read.
        return any(path in doubts and (home is None or path != "driver" or at == home)
                   for path, at in self._places)  # fmt: skip


def _keys(
    known: list[Item], theirs: frozenset[tuple[str, str]], only_mine: frozenset[tuple[str, str]]
) -> bool:
    """Whether an item has a fact that the other side does not tell, or what goes without saying.

    Args:
        known: the items of a side.
        theirs: what the other side does not tell.
        only_mine: what this side alone does not tell.
    """
    return any((item.path, key) in theirs for item in known for key in item.facts) or any(
        (item.path, key) in only_mine for item in known for key in GRANTED
    )


def _which(item: Item) -> tuple[str, str]:
    """An item of a driver; two buses may have drivers of one name."""
    bus = item.facts.get("bus") if item.kind == "frontend" else None
    return item.path, bus.value if bus else ""


def _hidden(item: Item, unknown: frozenset[tuple[str, str]]) -> bool:
    """Whether a side could not tell of an item, of what it belongs to, or of any of its kind."""
    about = {(item.path, ""), (item.owner, ""), (item.owner, item.kind)}
    # The symbol of the whole device has the path that is the name of its kind.
    about |= {(item.kind, "")} if item.kind != "kconfig" else set()
    about |= {(item.owner, "resources")} if item.kind == "resource" else set()
    return not unknown.isdisjoint(about)


def _unknown(side: Side | TreeSide) -> frozenset[tuple[str, str]]:
    return frozenset((one.path, one.key) for one in _untold(side))


def _untold(side: Side | TreeSide) -> tuple[Unknown, ...]:
    return side.unknown if isinstance(side, TreeSide) else ()


def _known(item: Item, unknown: frozenset[tuple[str, str]]) -> Item:
    facts = {key: fact for key, fact in item.facts.items() if (item.path, key) not in unknown}
    return replace(item, facts=facts)


def _in_c(side: Side | TreeSide) -> tuple[Item, ...]:
    if isinstance(side, TreeSide):
        return side.items
    from gen.diff.carried import in_c  # noqa: PLC0415 (kconfiglib takes long to load)

    return in_c(side.device)
