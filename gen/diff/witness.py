# SPDX-License-Identifier: GPL-2.0-or-later
"""What a consumer would see of a change, computed from both devices."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from gen import names
from gen.diff.records import Witness
from gen.model import PciFrontend, PlatformFrontend

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen.diff.records import Change
    from gen.model import Device, KconfigSymbol


def witnesses(change: Change, old: Device, new: Device) -> tuple[Witness, ...]:
    """Those views of both sides that belong to the kind of change, where they differ."""
    # A fact of a nested item: of `frontend[x].kconfig.depends` it is the kconfig that counts.
    kind = change.subject.partition(".")[0]
    views = _VIEWS.get(kind, ())
    found = [Witness(what, *_only(view(old), view(new))) for what, view in views]
    if kind in {"kconfig", "frontend"} and change.subject in _CONFIGURES:
        found.append(Witness("an old .config after olddefconfig", *_olddefconfig(old, new)))
    return tuple(one for one in found if one.before != one.after)


def _only(old: list[str], new: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines that the other side lacks."""
    return tuple(x for x in old if x not in new), tuple(x for x in new if x not in old)


def aliases(device: Device) -> list[str]:
    """The module aliases as `modinfo` prints them, with the module that has each."""
    lines = []
    for front in device.frontends:
        if isinstance(front, PciFrontend):
            name = f"pci:v{front.vendor.id:08X}d{front.device.id:08X}sv*sd*bc*sc*i*"
            lines.append(f"{name} {front.name}")
        if isinstance(front, PlatformFrontend):
            lines += [f"acpi*:{text}:* {front.name}" for text in front.acpi]
            for text in front.of:
                lines += [f"of:N*T*C{text} {front.name}", f"of:N*T*C{text}C* {front.name}"]
    return lines


def listing(device: Device) -> list[str]:
    """The attributes of each driver's devices as `ls -l` shows them."""
    return [
        f"{stat.filemode(stat.S_IFREG | one.mode)} /sys/bus/{front.bus}/drivers/{front.name}/"
        f".../{one.name}"
        for front in device.frontends
        if front.attributes is not None
        for one in device.sysfs
    ]


def _contents(device: Device) -> list[str]:
    """What each attribute reads as, with all events on, and what it takes."""
    every = sum(event.value for event in device.events)
    lines = []
    for one in device.sysfs:
        text = (one.format % every).rstrip("\n")
        takes = f", takes base {one.store.base} within {one.store.within}" if one.store else ""
        lines.append(f"{one.name}: {text} ({one.shows}){takes}")
    return lines


def _qmp(device: Device) -> list[str]:
    """What arrives at the host: the trigger, the value written, the QMP event."""
    return [
        f"{event.trigger}: {event.value:#x} {event.host.qmp if event.host else '-'}"
        for event in device.events
    ]


def _macros(device: Device) -> list[str]:
    return [
        f"<{device.uapi.path}> {names.event_macro(device, event)} {event.value:#x}"
        for event in device.events
    ]


def _registers(device: Device) -> list[str]:
    return [
        f"+{one.offset:#x} {one.width} bits {one.access} read={one.read} write={one.write}"
        for one in device.registers
    ]


def _drivers(device: Device) -> list[str]:
    return [f"/sys/bus/{one.bus}/drivers/{one.name}" for one in device.frontends]


_VIEWS: dict[str, tuple[tuple[str, Callable[[Device], list[str]]], ...]] = {
    "pci": (("module aliases", aliases),),
    "acpi": (("module aliases", aliases),),
    "of": (("module aliases", aliases),),
    "frontend": (("module aliases", aliases), ("drivers", _drivers), ("sysfs", listing)),
    "attribute": (("sysfs", listing), ("contents", _contents)),
    "event": (("the host", _qmp), ("macros", _macros)),
    "uapi": (("macros", _macros),),
    "device": (("macros", _macros),),
    "register": (("registers", _registers),),
}
_CONFIGURES = frozenset({"kconfig.symbol", "kconfig.type", "kconfig.depends", "frontend"})


def _entries(device: Device) -> list[KconfigSymbol]:
    return [device.kconfig, *(front.kconfig for front in device.frontends)]


def _olddefconfig(old: Device, new: Device) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Each old symbol at its highest value, and what the new Kconfig leaves of it.

    Every symbol that only others define is a prompt of its own that the old .config sets to what
    the old dependencies need, so that a new dependency is one that nobody had set.
    """
    from gen.diff.config import carry_on  # noqa: PLC0415 (kconfiglib takes long to load)

    return carry_on(_entries(old), _entries(new))
