# SPDX-License-Identifier: GPL-2.0-or-later
"""What a consumer would see of a change, computed from both sides.

A side that was read out of C has the same views as a spec; a line needs facts that both sides
tell, so that what is only unknown is never shown as lost.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from gen import names
from gen.diff.records import Witness
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gen.diff.records import Change, DiffRule, Item

    View = Callable[[Sequence[Item]], list[str]]


def witnesses(
    change: Change, rule: DiffRule, old: Sequence[Item], new: Sequence[Item]
) -> tuple[Witness, ...]:
    """Those views of both sides that belong to a change and to whom it concerns, if they differ."""
    # A fact of a nested item: of `frontend[x].kconfig.depends` it is the kconfig that counts.
    kind = change.subject.partition(".")[0]
    views = _VIEWS.get(kind, ())
    whole = old, new
    old, new = (_concerned(change, side) for side in whole)
    found = [
        Witness(what, *_only(view(old), view(new)))
        for what, view in views
        # What an event is for the host and for user space is told apart by the rules.
        if kind != "event" or _CONCERNS[what] in rule.breaks or not rule.breaks
    ]
    if change.subject in _CONFIGURES:
        found.append(_olddefconfig(change, *whole))
    return tuple(one for one in found if one.before != one.after)


def _concerned(change: Change, side: Sequence[Item]) -> Sequence[Item]:
    """A side without what other findings are about: items of the same kind."""
    pair = change.pair
    names = {one.name for one in (pair.old, pair.new) if one} if pair else set()
    kind = change.subject.partition(".")[0]
    if kind in _IDS:
        return [one for one in side if one.kind not in _IDS or (one.kind == kind and
                one.name in names)]  # fmt: skip
    if kind in _NAMED:
        return [one for one in side if one.kind != kind or one.name in names]
    if kind in _SENDS:
        return [one for one in side if one.kind != "event" or _value(one, "trigger") in
                _SENDS[kind]]  # fmt: skip
    if kind == "frontend":
        owners = {f"frontend[{name}]" for name in names}
        return [one for one in side if one.path in owners or one.owner in owners or
                (one.kind not in _IDS and one.kind != kind)]  # fmt: skip
    return side


def _only(old: list[str], new: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines that the other side lacks."""
    return tuple(x for x in old if x not in new), tuple(x for x in new if x not in old)


def _of(side: Iterable[Item], *kinds: str) -> Iterator[Item]:
    return (item for item in side if item.kind in kinds)


def _value(item: Item, key: str) -> str | None:
    fact = item.facts.get(key)
    return fact.value if fact else None


def _whole(side: Iterable[Item], kind: str, key: str) -> str | None:
    """A fact of an item that there is one of."""
    return next((_value(item, key) for item in _of(side, kind)), None)


def aliases(side: Sequence[Item]) -> list[str]:
    """The module aliases as `modinfo` prints them, with the module that has each."""
    modules = {one.path: _value(one, "module") or one.name for one in _of(side, "frontend")}
    lines = []
    for item in _of(side, "pci", "acpi", "of"):
        module = modules.get(item.owner, "")
        if item.kind == "pci":
            vendor, _, device = item.name.upper().partition(":")
            lines.append(f"pci:v{vendor:0>8}d{device:0>8}sv*sd*bc*sc*i* {module}")
        elif item.kind == "acpi":
            lines.append(f"acpi*:{item.name}:* {module}")
        else:
            lines += [f"of:N*T*C{item.name}{tail} {module}" for tail in ("", "C*")]
    return lines


def listing(side: Sequence[Item]) -> list[str]:
    """The attributes of each driver's devices as `ls -l` shows them."""
    return [
        f"{stat.filemode(stat.S_IFREG | int(mode, 8))} "
        f"/sys/bus/{bus}/drivers/{front.name}/.../{one.name}"
        for front in _of(side, "frontend")
        if (_value(front, "attributes") or "not shown") != "not shown"
        and (bus := _value(front, "bus"))
        for one in _of(side, "attribute")
        if (mode := _value(one, "mode"))
    ]


def _values(side: Iterable[Item]) -> Iterator[tuple[Item, int]]:
    """Each event of a known bit, and its value."""
    return ((one, 1 << int(bit)) for one in _of(side, "event") if (bit := _value(one, "bit")))


def _contents(side: Sequence[Item]) -> list[str]:
    """What each attribute reads as, with all events on, and what it takes."""
    known = (value for one, value in _values(side) if _value(one, "trigger") != Trigger.UNUSED)
    every = sum(known)
    lines = []
    for one in _of(side, "attribute"):
        form, shows = _value(one, "format"), _value(one, "shows")
        if form is None or shows is None:
            continue
        base, within = _value(one, "store.base"), _value(one, "store.within")
        takes = f", takes base {base} within {within}" if base and within else ""
        lines.append(f"{one.name}: {_printed(form, every)} ({shows}){takes}")
    return lines


def _printed(form: str, value: int) -> str:
    """A number as printf shows it; the format itself where Python's is another."""
    try:
        return (form % value).rstrip("\n")
    except (TypeError, ValueError):
        return form.rstrip("\n")


def _sent(side: Sequence[Item]) -> list[str]:
    """What arrives at the host: the trigger, the value written, the QMP event if it is told."""
    return [
        f"{trigger}: {value:#x} {_value(one, 'qemu.qmp') or ''}".rstrip()
        for one, value in _values(side)
        if (trigger := _value(one, "trigger")) and trigger not in _UNSENT
    ]


def _macros(side: Sequence[Item]) -> list[str]:
    path, name = _whole(side, "uapi", "path"), _whole(side, "device", "name")
    if not path or not name:
        return []
    return [f"<{path}> {names.macro(name, one.name)} {value:#x}" for one, value in _values(side)]


def _registers(side: Sequence[Item]) -> list[str]:
    keys = ("offset", "width", "access", "read", "write")
    rows = [{key: _value(one, key) for key in keys} for one in _of(side, "register")]
    return [
        f"{int(row['offset']):#x}: {row['width']} bits {row['access']}, "
        f"read for {row['read'] or 'nothing'}, written for {row['write'] or 'nothing'}"
        for row in rows
        if row["offset"] is not None
    ]


def _drivers(side: Sequence[Item]) -> list[str]:
    return [f"/sys/bus/{bus}/drivers/{one.name}" for one in _of(side, "frontend")
            if (bus := _value(one, "bus"))]  # fmt: skip


_VIEWS: dict[str, tuple[tuple[str, View], ...]] = {
    "pci": (("module aliases", aliases),),
    "acpi": (("module aliases", aliases),),
    "of": (("module aliases", aliases),),
    "frontend": (("module aliases", aliases), ("drivers", _drivers), ("sysfs", listing)),
    "attribute": (("sysfs", listing), ("contents", _contents)),
    "event": (("the host", _sent), ("macros", _macros)),
    "panic-notifier": (("the host", _sent),),
    "sys-off": (("the host", _sent),),
    "uapi": (("macros", _macros),),
    "device": (("macros", _macros),),
    "register": (("registers", _registers),),
}
_IDS = frozenset({"pci", "acpi", "of"})
_NAMED = frozenset({"attribute", "event", "register"})
_SENDS = {
    "panic-notifier": {Trigger.PANIC, Trigger.CRASH_KERNEL},
    "sys-off": {Trigger.POWER_OFF, Trigger.RESTART},
}
_UNSENT = frozenset({Trigger.NONE, Trigger.UNUSED})
_CONCERNS = {"the host": "HOST", "macros": "USER"}
_CONFIGURES = frozenset({"kconfig", "kconfig.symbol", "kconfig.type", "kconfig.depends"})


def _olddefconfig(change: Change, old: Sequence[Item], new: Sequence[Item]) -> Witness:
    """An old .config in which what the change takes away is on, and what is left of that."""
    from gen.diff.config import carry_on  # noqa: PLC0415 (kconfiglib takes long to load)

    what = "an old .config after olddefconfig"
    if change.pair is None:
        return Witness(what, (), ())
    # The symbol of the whole device first, on which the others depend.
    left, right = (sorted(_of(side, "kconfig"), key=lambda one: one.owner != "") for side in
                   (old, new))  # fmt: skip
    before, after, assumed = carry_on(left, right, change.pair)
    if assumed:
        values = ", ".join(f"{name}={'y' if value else 'n'}" for name, value in assumed.items())
        what = f"an old .config with {values} after olddefconfig"
    return Witness(what, *_only(list(before), list(after)))
