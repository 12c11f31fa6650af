# SPDX-License-Identifier: GPL-2.0-or-later
"""Some changes of a diff made to the old device, without the others: what each does by itself.

Parts of a device are found by the items in which the changes were seen, and taken from the new
device. What cannot be made by itself is told by an error; what makes no sense by itself, such as
a hook that no event uses, is left to the check of the meaning.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gen.diff.records import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gen.diff.records import Change, Item
    from gen.frontend import Frontend
    from gen.model import Device

# By kind of item: the list of the device that has it, and the field by which it is found there.
_LISTS = {
    "register": ("registers", "name"),
    "event": ("events", "name"),
    "frontend": ("frontends", "name"),
    "attribute": ("sysfs", "name"),
    "document": ("documents", "path"),
    "reference": ("references", "url"),
}
_HOOKS = {"panic-notifier": "panic_notifier", "sys-off": "sys_off"}
_IDS = frozenset({"acpi", "of"})
# A part has another name: its own new one, or that of what takes its place.
_NAMING = frozenset({Action.RENAMED, Action.REUSED})
# Keys that do not stand in the record itself; a group of keys comes and goes as one.
_FIELDS = {
    "qemu": ("host",),
    "frontend.vendor": ("vendor", "macro"),
    "frontend.device": ("device", "macro"),
}


class EntangledError(Exception):
    """The changes cannot be made without others."""


def transplant(old: Device, new: Device, made: Iterable[Change], every: Iterable[Change]) -> Device:
    """The old device with the changes `made`; `every` are all that the two differ in.

    Raises:
        EntangledError: they cannot be made without others.
    """
    work = _Work(old, new, every)
    changes = sorted(made, key=_turn)
    whole = {work.old_path(one.path) for one in changes if _is_whole(one)}
    try:
        for change in changes:
            if _is_whole(change) or not work.homes(change) <= whole:
                work.make(change, whole)
    except (LookupError, AttributeError, TypeError):
        raise EntangledError from None
    return work.device


def ties(change: Change) -> frozenset[str]:
    """The frontends with which a change stands or falls: they come, go or change as a whole."""
    if _is_whole(change):
        return frozenset({change.path.removesuffix(".bus")})
    if change.subject == "pci":
        items = (change.pair.old, change.pair.new) if change.pair else ()
        return frozenset(item.owner for item in items if item)
    return frozenset()


def _is_whole(change: Change) -> bool:
    """Whether a frontend is put in, taken out, or exchanged for one of another bus."""
    if change.subject == "frontend":
        return change.action in {Action.ADDED, Action.REMOVED}
    return change.subject == "frontend.bus"


def _turn(change: Change) -> int:
    """Frontends first, since ids go into them; names last, since parts are found by the old."""
    return 0 if _is_whole(change) else 2 if change.action in _NAMING else 1


class _Work:
    """A device that changes one by one; `device` is what it is now."""

    def __init__(self, old: Device, new: Device, every: Iterable[Change]) -> None:
        self.device, self.new = old, new
        self._names = {
            change.pair.new.path: change.pair.old.path
            for change in every
            if change.action in _NAMING and change.pair and change.pair.old
            and change.pair.new
        }  # fmt: skip

    def old_path(self, path: str) -> str:
        """What the old side calls an item, or a frontend, of the new side."""
        path = path.removesuffix(".bus")
        return self._names.get(path, path)

    def homes(self, change: Change) -> set[str]:
        """The frontends that a change is a part of, as the old side calls them."""
        items = (change.pair.old, change.pair.new) if change.pair else ()
        return {self.old_path(item.owner or item.path) for item in items if item}

    def _set(self, **parts: Any) -> None:
        self.device = replace(self.device, **parts)

    def make(self, change: Change, whole: set[str]) -> None:
        """Make one change, or the half of it that none of the frontends `whole` brings along."""
        kind, _, key = change.subject.partition(".")
        if change.pair is None:
            raise LookupError(change.path)
        old, new = change.pair.old, change.pair.new
        if change.subject == "frontend.bus" and old and new:
            self._put(old, self._donor(new))
        elif kind in _IDS:
            left, right = (item if item and self.old_path(item.owner) not in whole else None
                           for item in (old, new))  # fmt: skip
            self._claim(kind, left, right)
        elif kind == "kconfig" and old and new and old.owner != new.owner:
            self._put(replace(new, owner=self.old_path(new.owner)), self._donor(new))
        elif kind == "pci":
            self._pci(new or old)
        elif change.action in _NAMING and old and new:
            _, name = _LISTS[kind]
            donor = getattr(self._donor(new), name)
            self._put(old, replace(self._find(old), **{name: donor}))
        elif key and old and new:
            self._fact(change, old, new)
        else:
            self._come_or_go(kind, old, new)

    def _fact(self, change: Change, old: Item, new: Item) -> None:
        part, donor = self._find(old), self._donor(new)
        made = _with(part, donor, change.subject)
        if change.subject in {"frontend.since", "frontend.stable"} and _shown_always(old, new):
            made = replace(made, attributes=donor.attributes)
        self._put(old, made)

    def _come_or_go(self, kind: str, old: Item | None, new: Item | None) -> None:
        if kind in _HOOKS:
            name = _HOOKS[kind]
            self._set(hooks=replace(self.device.hooks, **{name: getattr(self.new.hooks, name)}))
        elif kind == "resource":
            self._resource(old, new)
        else:
            field, name = _LISTS[kind]
            mine = list(getattr(self.device, field))
            if old is not None:
                mine.remove(self._find(old))
            if new is not None:
                _insert(mine, self._donor(new), getattr(self.new, field), name)
            self._set(**{field: tuple(mine)})

    def _resource(self, old: Item | None, new: Item | None) -> None:
        front: Any = self._owner(new or old)
        mine = list(front.resources)
        if old is not None:
            mine.remove(self._find(old))
        if new is not None:
            donor: Any = _named(self.new.frontends, _owner_name(new.owner))
            _insert(mine, self._donor(new), donor.resources, "kind")
        self._exchange(front, replace(front, resources=tuple(mine)))

    def _claim(self, kind: str, old: Item | None, new: Item | None) -> None:
        if old is not None:
            front: Any = self._owner(old)
            kept = list(getattr(front, kind))
            kept.remove(old.name)
            self._exchange(front, replace(front, **{kind: tuple(kept)}))
        if new is not None:
            front = self._owner(new)
            donor: Any = _named(self.new.frontends, _owner_name(new.owner))
            mine = list(getattr(front, kind))
            _insert(mine, new.name, getattr(donor, kind), "")
            self._exchange(front, replace(front, **{kind: tuple(mine)}))

    def _pci(self, item: Item | None) -> None:
        front: Any = self._owner(item)
        donor: Any = _named(self.new.frontends, _owner_name(item.owner if item else ""))
        self._exchange(front, replace(front, vendor=donor.vendor, device=donor.device))

    def _owner(self, item: Item | None) -> Frontend:
        if item is None:
            raise LookupError
        front: Frontend = _named(self.device.frontends, _owner_name(self.old_path(item.owner)))
        return front

    def _exchange(self, front: Frontend, other: Frontend) -> None:
        fronts = tuple(other if one is front else one for one in self.device.frontends)
        self._set(frontends=fronts)

    def _find(self, item: Item) -> Any:
        return _part(self.device, item, self._owner(item) if item.owner else None)

    def _donor(self, item: Item) -> Any:
        owner = _named(self.new.frontends, _owner_name(item.owner)) if item.owner else None
        return _part(self.new, item, owner)

    def _put(self, item: Item, part: Any) -> None:
        """Another part in the place of an item's."""
        if item.kind == "resource":
            front: Any = self._owner(item)
            parts = tuple(part if one.kind == item.name else one for one in front.resources)
            self._exchange(front, replace(front, resources=parts))
        elif item.kind == "kconfig" and item.owner:
            front = self._owner(item)
            self._exchange(front, replace(front, kconfig=part))
        elif item.kind == "device":
            self.device = part
        elif item.kind in _HOOKS:
            self._set(hooks=replace(self.device.hooks, **{_HOOKS[item.kind]: part}))
        elif item.kind in _LISTS:
            field, name = _LISTS[item.kind]
            others = [part if getattr(one, name) == item.name else one
                     for one in getattr(self.device, field)]  # fmt: skip
            self._set(**{field: tuple(others)})
        else:
            self._set(**{item.kind: part})


def _shown_always(old: Item, new: Item) -> bool:
    """Whether the sysfs attributes are shown since there is the frontend, whenever that is."""
    return all(one.facts["attributes"].value == "shown" and "attributes.since" not in one.facts
               for one in (old, new))  # fmt: skip


def _part(device: Device, item: Item, owner: Frontend | None) -> Any:
    """The record of a device that an item was made of."""
    if item.kind == "resource":
        return next(one for one in getattr(owner, "resources", ()) if one.kind == item.name)
    if item.kind == "kconfig":
        return owner.kconfig if owner else device.kconfig
    if item.kind == "device":
        return device
    if item.kind in _HOOKS:
        return getattr(device.hooks, _HOOKS[item.kind])
    if item.kind in _LISTS:
        field, name = _LISTS[item.kind]
        return _named(getattr(device, field), item.name, name)
    return getattr(device, item.kind)


def _named(parts: Iterable[Any], wanted: str, field: str = "name") -> Any:
    for one in parts:
        if getattr(one, field) == wanted:
            return one
    raise LookupError(wanted)


def _owner_name(path: str) -> str:
    return path.removeprefix("frontend[").removesuffix("]")


def _insert(mine: list[Any], part: Any, order: Iterable[Any], field: str) -> None:
    """Put a part where the new side has it: after the nearest one before it that is here, too."""
    key: Callable[[Any], Any] = (lambda one: getattr(one, field)) if field else (lambda one: one)
    before = []
    for one in order:
        if one == part:
            break
        before.append(key(one))
    places = [index for index, one in enumerate(mine) if key(one) in before]
    mine.insert(max(places) + 1 if places else 0, part)


def _with(part: Any, donor: Any, subject: str) -> Any:
    """A record with one key as another one has it."""
    key = subject.partition(".")[2]
    fields = _FIELDS.get(subject) or _FIELDS.get(key)
    if fields is None:
        head, _, tail = key.replace("-", "_").partition(".")
        fields = ({"qemu": "host"}.get(head, head), *((tail,) if tail else ()))
    if not hasattr(part, fields[0]):
        # What is told of since when there is something.
        fields = ("arrival", *fields)
    head = fields[0]
    if len(fields) == 1:
        return replace(part, **{head: getattr(donor, head)})
    inner = replace(getattr(part, head), **{fields[1]: getattr(getattr(donor, head), fields[1])})
    return replace(part, **{head: inner})
