# SPDX-License-Identifier: GPL-2.0-or-later
"""What consumers see of one side, as lines: module aliases, attributes, what the host hears.

A side that was read out of C has the same views as a spec.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from gen import names
from gen.diff.detect import GRANTED
from gen.diff.directions import EVERY
from gen.diff.occasions import SEPARATOR, bits, sent, worth
from gen.diff.pci import Claim
from gen.diff.records import HOOKS
from gen.model import Mask, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gen.diff.records import Item

    View = Callable[[Sequence[Item]], list[str]]


def of_kind(side: Iterable[Item], *kinds: str) -> Iterator[Item]:
    """The items of these kinds, in their order."""
    return (item for item in side if item.kind in kinds)


def _value(item: Item, key: str) -> str | None:
    fact = item.facts.get(key)
    return fact.value if fact else None


def _whole(side: Iterable[Item], kind: str, key: str) -> str | None:
    """A fact of an item that there is one of."""
    return next((_value(item, key) for item in of_kind(side, kind)), None)


def aliases(side: Sequence[Item]) -> list[str]:
    """The module aliases as `modinfo` prints them, with the module that has each."""
    modules = {one.path: _value(one, "module") or one.name for one in of_kind(side, "frontend")}
    lines = []
    for item in of_kind(side, "pci", "acpi", "of"):
        module = modules.get(item.owner, "")
        if _value(item, "autoload") == "no":
            continue
        if item.kind == "pci":
            lines.append(f"{Claim.parse(item.name).alias} {module}")
        elif item.kind == "acpi":
            lines.append(f"acpi*:{item.name}:* {module}")
        else:
            lines += [f"of:N*T*C{item.name}{tail} {module}" for tail in ("", "C*")]
    return lines


def listing(side: Sequence[Item]) -> list[str]:
    """The attributes of each driver's devices as `ls -l` shows them."""
    return [
        f"{stat.filemode(stat.S_IFREG | int(mode, 8))} "
        f"/sys/bus/{bus}/drivers/{front.name}/.../{group}{one.name}"
        for front in of_kind(side, "frontend")
        if (_value(front, "attributes") or "not shown") != "not shown"
        and (bus := _value(front, "bus"))
        for one in of_kind(side, "attribute")
        if (mode := _value(one, "mode")) and _value(one, "hidden") != EVERY
        for group in ([f"{_value(one, 'group')}/"] if _value(one, "group") else [""])
    ]


def _values(side: Iterable[Item]) -> Iterator[tuple[Item, int]]:
    """Each event of a known bit, and its value."""
    return ((one, worth(one)) for one in of_kind(side, "event") if bits(one))


def _contents(side: Sequence[Item]) -> list[str]:
    """What each attribute reads as, with all events on, and what it takes."""
    known = (value for one, value in _values(side) if _value(one, "trigger") != Trigger.UNUSED)
    every = sum(known)
    lines = []
    for one in of_kind(side, "attribute"):
        form, shows = _value(one, "format"), _value(one, "shows")
        if form is None or shows is None:
            continue
        base, within = _value(one, "store.base"), _value(one, "store.within")
        takes = f", takes base {base} within {within}" if base and within else ""
        read = _value(one, "initial")
        read = _printed(form, every) if read in {None, GRANTED["initial"]} else read
        if shows not in tuple(Mask):
            read = form.rstrip("\n")  # what it then reads as is not known
        lines.append(f"{one.name}: {read} ({shows}){takes}")
    return lines


def _printed(form: str, value: int) -> str:
    """A number as printf shows it; the format itself where Python's is another."""
    try:
        return (form % value).rstrip("\n")
    except (TypeError, ValueError):
        return form.rstrip("\n")


def heard(side: Iterable[Item]) -> dict[int, str]:
    """What a host makes of each value that it knows: its QMP event, empty if it is not told."""
    return {value: _value(one, "qemu.qmp") or "" for one, value in _values(side)}


def sent_to_host(side: Sequence[Item], known: dict[int, str] | None = None) -> list[str]:
    """What arrives at the host: the trigger, the value written, what the host makes of it."""
    known = heard(side) if known is None else known
    # Where no QMP event is told, as by C, nothing is known of the host.
    nothing = _NOTHING if any(known.values()) else ""
    return [
        f"{trigger}: {worth(one):#x} {known.get(worth(one), nothing)}".rstrip()
        for trigger, one in sent(side)
        if bits(one)
    ]


def _unheeded(side: Sequence[Item]) -> list[str]:
    """What is sent to a device that claims to take nothing, and what though an attribute is 0."""
    values = {one.name: value for one, value in _values(side)}
    found = []
    for one in of_kind(side, "register", "attribute"):
        deaf = _value(one, "unheeded") or _value(one, "store.unheeded") or ""
        names = [name for name in deaf.split(SEPARATOR) if name in values]
        where = f"{one.name} is 0" if one.kind == "attribute" else "the device takes nothing"
        found += [f"{name}: {values[name]:#x} though {where}" for name in names]
    return found


def _macros(side: Sequence[Item]) -> list[str]:
    path, name = _whole(side, "uapi", "path"), _whole(side, "device", "name")
    if not path or not name:
        return []
    return [f"<{path}> {names.macro(name, one.name)} {value:#x}" for one, value in _values(side)]


def _registers(side: Sequence[Item]) -> list[str]:
    """A line for each thing that is said of a register, so that each change has its own."""
    forms = (("width", "{} bits"), ("access", "{}"), ("read", "read for {}"),
             ("write", "written for {}"))  # fmt: skip
    return [
        f"{int(offset):#x}: {form.format(value)}"
        for one in of_kind(side, "register")
        if (offset := _value(one, "offset")) is not None
        for key, form in forms
        if (value := _value(one, key)) is not None
    ]


def _regions(side: Sequence[Item]) -> list[str]:
    """Where each driver looks for the registers, and how much has to be there."""
    fronts = list(of_kind(side, "frontend"))
    called = {one.path: one.name for one in fronts}
    lines = [f"{one.name}: BAR {bar}" for one in fronts if (bar := _value(one, "bar")) is not None]
    lines += [
        f"{one.name}: the registers from byte {_value(one, 'registers-at') or 0}" for one in fronts
    ]
    for one in (*fronts, *of_kind(side, "resource")):
        name = called.get(one.owner, one.name)
        if one.kind == "resource":
            name = f"{name}: {one.name}"
            lines.append(name)
        if length := _value(one, "length"):
            lines.append(f"{name}: at least {length} bytes")
    return lines


def _parameters(side: Sequence[Item]) -> list[str]:
    """What can be set when a module is loaded, and its file where sysfs has one."""
    lines = []
    for one in of_kind(side, "parameter"):
        module, _, name = one.name.partition(".")
        lines.append(f"modprobe {module} {name}=<{_value(one, 'type')}>")
        mode = int(_value(one, "mode") or "0", 8)
        if mode:
            form = stat.filemode(stat.S_IFREG | mode)
            lines.append(f"{form} /sys/module/{module}/parameters/{name}")
    return lines


def _hooks(side: Sequence[Item]) -> list[str]:
    """The chains that call the driver, and where in them it is."""
    found = []
    for one in of_kind(side, *HOOKS):
        priority, stage = _value(one, "priority"), _value(one, "stage")
        found += [f"{one.kind}: priority {priority}"] if priority is not None else []
        found += [f"{one.kind}: {stage or GRANTED['stage']}"] if one.kind == "sys-off" else []
    return found


def _drivers(side: Sequence[Item]) -> list[str]:
    return [f"/sys/bus/{bus}/drivers/{one.name}" for one in of_kind(side, "frontend")
            if (bus := _value(one, "bus"))]  # fmt: skip


def _core(side: Sequence[Item]) -> list[str]:
    """The module that the drivers share; those of the drivers are called like them."""
    name = _whole(side, "device", "name")
    return [f"{name}.ko"] if name else []


# By kind of item, or by that and the key where its change is seen in another way.
VIEWS: dict[str, tuple[tuple[str, View], ...]] = {
    "frontend.bar": (("regions", _regions),),
    "frontend.length": (("regions", _regions),),
    "frontend.registers-at": (("regions", _regions),),
    "resource": (("regions", _regions),),
    **dict.fromkeys(HOOKS, (("hooks", _hooks),)),
    "pci": (("module aliases", aliases),),
    "acpi": (("module aliases", aliases),),
    "of": (("module aliases", aliases),),
    "frontend": (("module aliases", aliases), ("drivers", _drivers), ("sysfs", listing)),
    "attribute": (("sysfs", listing), ("contents", _contents), ("sent all the same", _unheeded)),
    "parameter": (("parameters", _parameters),),
    "event": (("the host", sent_to_host), ("macros", _macros)),
    "uapi": (("macros", _macros),),
    "device": (("modules", _core), ("macros", _macros)),
    "register": (("registers", _registers), ("sent all the same", _unheeded)),
}
_NOTHING = "(nothing that the host knows)"
