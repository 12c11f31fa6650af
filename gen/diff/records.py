# SPDX-License-Identifier: GPL-2.0-or-later
"""The records that the stages of a diff hand on: items and facts in, changes and findings out."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.baseline import DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen.model import Device
    from gen.source import Span

# The path of an unknown option that a driver's C asks for: it is read as if all were set.
CONFIGURATION = "configuration"


class Action(enum.StrEnum):
    """What happened to an item or to one of its facts."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"
    MOVED = "moved"
    REUSED = "reused"


class Severity(enum.StrEnum):
    """How bad a change is, the worst last."""

    DOC = "doc"
    COMPATIBLE = "compatible"
    RISKY = "risky"
    BREAK = "break"

    @property
    def weight(self) -> int:
        """0 for `doc` to 3 for `break`."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Fact:
    """The value of a key as the differ compares it, and its place.

    Where it is made up of several that stand at different places, `parts` has each with its own.
    """

    value: str
    at: Span
    parts: tuple[tuple[str, Span], ...] = field(default=(), compare=False)

    def place(self, other: Fact | None) -> Span:
        """Where it differs from the other side's: at the first part that the other one lacks."""
        theirs = {text for text, _ in other.parts} if other else set()
        return next((at for text, at in self.parts if theirs and text not in theirs), self.at)


@dataclass(frozen=True)
class Item:
    """A thing of a spec that is matched by name: an event, an attribute, an id that is claimed.

    `facts` are its keys. `identity` says which of them tell that it is the same thing under
    another name; with none, another name is another thing. `marks` are keys that tell it alone, if
    all are said. `owner` is the item it belongs to.
    """

    kind: str
    name: str
    at: Span
    facts: Mapping[str, Fact] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    owner: str = ""
    marks: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where the item stands in its spec, such as `event[panicked]`."""
        own = f"{self.kind}[{self.name}]" if self.name else self.kind
        return f"{self.owner}.{own}" if self.owner else own


# The kinds of item by which the kernel calls a driver.
HOOKS = ("panic-notifier", "die-notifier", "reboot-notifier", "sys-off")
# What is told of an item that comes or goes.
_TOLD = {
    "register": (("offset", "offset {}"), ("width", "{} bits"), ("access", "{}")),
    "event": (("bit", "bit {}"), ("trigger", "trigger {}"), ("qemu.qmp", "{}")),
    "panic-notifier": (("priority", "priority {}"),),
    "die-notifier": (("priority", "priority {}"),),
    "reboot-notifier": (("priority", "priority {}"),),
    "sys-off": (("priority", "priority {}"),),
    "frontend": (("bus", "bus {}"), ("module", "module {}")),
    "attribute": (("mode", "mode {}"), ("shows", "shows {}")),
    "kconfig": (("type", "{}"), ("depends", "depends on {}")),
}


def _told(item: Item) -> list[tuple[str, str]]:
    """What is told of an item that comes or goes: the form and the value of each."""
    return [(text, item.facts[key].value) for key, text in _TOLD.get(item.kind, ())
            if key in item.facts]  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """An item of the old side and the same of the new side; None where a side has none."""

    old: Item | None
    new: Item | None


@dataclass(frozen=True)
class Change:
    """One difference without an opinion.

    `subject` is the kind of item, with a dot and the key where a fact of it changed. `direction`
    says what can be told of the two values without judging: `tightened`, `narrowed`, `earlier`.
    `pair` are the items that it was found in.
    """

    subject: str
    action: Action
    path: str
    old: str | None
    new: str | None
    old_at: Span | None
    new_at: Span | None
    direction: str = ""
    pair: Pair | None = field(default=None, compare=False, repr=False)

    @property
    def about(self) -> str:
        """What an item that comes or goes is, in a few of its facts; empty for any other change."""
        item = (self.pair.new or self.pair.old) if self.pair else None
        if item is None or self.action not in {Action.ADDED, Action.REMOVED}:
            return ""
        if self.subject != item.kind:
            return ""
        return ", ".join(text.format(value) for text, value in _told(item))

    @property
    def values(self) -> tuple[str | None, ...]:
        """The old and the new value; of whole items also what makes them up, on both sides."""
        items = (self.pair.old, self.pair.new) if self.pair else ()
        if self.action not in {Action.ADDED, Action.REMOVED, Action.REUSED} or "." in self.subject:
            items = ()
        inner = (value for one in items if one for _, value in _told(one))
        return (self.old, self.new, *inner)

    @property
    def at(self) -> Span:
        """The place to show first: the new side's if there is one."""
        place = self.new_at or self.old_at
        if place is None:
            raise ValueError(f"{self.path}: a change without a place")
        return place


@dataclass(frozen=True)
class DiffRule:
    """A rule of rules.yaml: `mirror` judges the opposite change; `waiver` says why none does."""

    id: str
    title: str
    severity: Severity
    breaks: tuple[str, ...]
    stable: bool
    why: str
    reference: str
    promise: str
    mirror: str | None
    waiver: str | None
    on: tuple[tuple[str, Action, str], ...]


@dataclass(frozen=True)
class Witness:
    """What a consumer would see, computed from both sides: `what`, and lines before and after."""

    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Share:
    """What a change does to the rendered files: the hunks that come of it.

    `together` are the paths of other changes without which it cannot be rendered; the hunks are
    those of all of them, then.
    """

    hunks: tuple[str, ...]
    together: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A change, the rule that judges it, what a consumer would see, and its share of the C.

    `share` is None where nobody asked for it.
    """

    change: Change
    rule: DiffRule
    witnesses: tuple[Witness, ...] = ()
    share: Share | None = None

    @property
    def fingerprint(self) -> str:
        """Of rule, path and values; the wording and the place do not count."""
        one = self.change
        parts = (self.rule.id, one.path, one.action, *one.values)
        text = "\0".join("-" if part is None else f"={part}" for part in parts)
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:DIGITS]

    @property
    def message(self) -> str:
        """One sentence with the values."""
        one = self.change
        if one.action in {Action.ADDED, Action.REMOVED}:
            value = one.new if one.action is Action.ADDED else one.old
            told = "" if one.path.endswith(f"[{value}]") or value == one.path else f": {value}"
            about = f" ({one.about})" if one.about else ""
            other = one.old if one.action is Action.ADDED else one.new
            verb = "was" if one.action is Action.ADDED else "is now"
            bit = f"; the bit {verb} that of {other}" if other else ""
            return f"{self.rule.title}: {one.path}{told}{about}{bit}"
        called = one.action is Action.RENAMED and one.subject != "pci"
        verb, now = ("is called", " now") if called else ("became", "")
        symbol = one.pair.new.facts.get("symbol") if one.pair and one.pair.new else None
        whose = f" of {symbol.value}" if symbol else ""
        many = "; not compared by value: too many symbols" if one.direction == "undecided" else ""
        return f"{self.rule.title}: {one.path}{whose}: {one.old} {verb} {one.new}{now}{many}"


@dataclass(frozen=True)
class Side:
    """One side of a diff: the device, how it was asked for, and the path of its spec."""

    label: str
    device: Device
    file: str = ""


@dataclass(frozen=True)
class Unknown:
    """A fact that could not be determined: the item's path, the key (empty: all of it), why."""

    path: str
    key: str
    why: str
    at: Span

    @property
    def what(self) -> str:
        """What it is, such as `event[panicked].trigger`."""
        return f"{self.path}.{self.key}" if self.key else self.path


@dataclass(frozen=True)
class Part:
    """A function, an object, a Kconfig entry or a line: its text without layout, and its lines."""

    file: str
    name: str
    text: str
    at: Span
    last: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What two sides have in common if the part is the same."""
        return self.file, self.name, self.text

    def holds(self, places: Iterable[Span]) -> bool:
        """Whether one of the places lies in it."""
        return any(at.source == self.at.source and self.at.line <= at.line <= self.last
                   for at in places)  # fmt: skip


@dataclass(frozen=True)
class Also:
    """Parts of a file that differ, of which nothing else is told; the place is the first one's."""

    at: Span
    file: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class TreeSide:
    """One side that was read out of C, its text, and what could not be determined of it."""

    label: str
    items: tuple[Item, ...]
    unknown: tuple[Unknown, ...]
    parts: tuple[Part, ...] = field(default=(), repr=False)
