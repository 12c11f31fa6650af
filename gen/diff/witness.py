# SPDX-License-Identifier: GPL-2.0-or-later
"""What a consumer would see of a change, computed from both sides.

A side that was read out of C has the same views as a spec; a line needs facts that both sides
tell, so that what is only unknown is never shown as lost.
"""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from gen import names
from gen.diff.apart import apart
from gen.diff.detect import GRANTED
from gen.diff.directions import EVERY
from gen.diff.occasions import SEPARATOR, bits, sent, worth
from gen.diff.pci import Claim
from gen.diff.records import HOOKS, Action, Pair, Witness
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gen.diff.records import Change, DiffRule, Finding, Item

    View = Callable[[Sequence[Item]], list[str]]


def witnesses(
    change: Change,
    rule: DiffRule,
    rules: Sequence[DiffRule],
    old: Sequence[Item],
    new: Sequence[Item],
) -> tuple[Witness, ...]:
    """What a consumer sees of one change by itself, as far as it concerns whom the rule is about.

    `rules` are all that judge the change: what none of them is about is seen at each.
    """
    # A fact of a nested item: of `frontend[x].kconfig.depends` it is the kconfig that counts.
    kind = change.subject.partition(".")[0]
    left, right = apart(change, old, new)
    found = [
        Witness(what, *_only(*_seen(view, change, (left, right), old)))
        for what, view in _VIEWS.get(change.subject, _VIEWS.get(kind, ()))
        # Of the ids of a driver that comes or goes, each is told by itself.
        if not (view is aliases and change.subject == kind == "frontend" and _half(change))
        and (_CONCERNS[what] in rule.breaks or not any(_CONCERNS[what] in r.breaks for r in rules))
    ]
    if change.subject in _CONFIGURES:
        found.append(_olddefconfig(change, old, new))
    return tuple(one for one in found if one.before != one.after)


def told_once(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings without the witnesses that one before them has.

    Of what comes or goes that is each line: a new attribute of a new driver is seen at one of them.
    """
    told: set[tuple[str, bool, str]] = set()
    kept = []
    for one in found:
        seen = []
        for witness in one.witnesses:
            before = [(witness.what, False, line) for line in witness.before]
            after = [(witness.what, True, line) for line in witness.after]
            if _half(one.change):
                left, right = (
                    tuple(key[2] for key in side if key not in told) for side in (before, after)
                )
                seen.append(replace(witness, before=left, after=right))
            elif not told.issuperset([*before, *after]):
                seen.append(witness)
            told.update(before, after)
        kept.append(replace(one, witnesses=tuple(x for x in seen if x.before or x.after)))
    return tuple(kept)


def _half(change: Change) -> bool:
    """Whether a whole item comes or goes."""
    return change.pair is not None and None in (change.pair.old, change.pair.new)


def _seen(
    view: View, change: Change, sides: tuple[Sequence[Item], Sequence[Item]], old: Sequence[Item]
) -> tuple[list[str], list[str]]:
    """A view of both sides; to the host, all that counts is what a host that is there knows."""
    left, right = sides
    if view is not _sent:
        return view(left), view(right)
    if change.action is Action.REUSED and change.pair and change.pair.old and change.pair.new:
        # What the host hears of both events, as each side has it.
        return _sent([change.pair.old]), _sent([change.pair.new])
    if change.subject.startswith("event.qemu"):
        return _sent(left), _sent(right)
    # Of what comes, the host knows what the new side says, but what it knew it takes for that.
    heard = _heard(right) | _heard(old) if _half(change) else _heard(left)
    return _sent(left, heard), _sent(right, heard)


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
        for front in _of(side, "frontend")
        if (_value(front, "attributes") or "not shown") != "not shown"
        and (bus := _value(front, "bus"))
        for one in _of(side, "attribute")
        if (mode := _value(one, "mode")) and _value(one, "hidden") != EVERY
        for group in ([f"{_value(one, 'group')}/"] if _value(one, "group") else [""])
    ]


def _values(side: Iterable[Item]) -> Iterator[tuple[Item, int]]:
    """Each event of a known bit, and its value."""
    return ((one, worth(one)) for one in _of(side, "event") if bits(one))


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
        read = _value(one, "initial")
        read = _printed(form, every) if read in {None, GRANTED["initial"]} else read
        lines.append(f"{one.name}: {read} ({shows}){takes}")
    return lines


def _printed(form: str, value: int) -> str:
    """A number as printf shows it; the format itself where Python's is another."""
    try:
        return (form % value).rstrip("\n")
    except (TypeError, ValueError):
        return form.rstrip("\n")


def _heard(side: Iterable[Item]) -> dict[int, str]:
    """What a host makes of each value that it knows: its QMP event, empty if it is not told."""
    return {value: _value(one, "qemu.qmp") or "" for one, value in _values(side)}


def _sent(side: Sequence[Item], heard: dict[int, str] | None = None) -> list[str]:
    """What arrives at the host: the trigger, the value written, what the host makes of it."""
    heard = _heard(side) if heard is None else heard
    # Where no QMP event is told, as by C, nothing is known of the host.
    nothing = _NOTHING if any(heard.values()) else ""
    return [
        f"{trigger}: {worth(one):#x} {heard.get(worth(one), nothing)}".rstrip()
        for trigger, one in sent(side)
        if bits(one)
    ]


def _unheeded(side: Sequence[Item]) -> list[str]:
    """What is sent to a device that claims to take nothing, and what though an attribute is 0."""
    values = {one.name: value for one, value in _values(side)}
    found = []
    for one in _of(side, "register", "attribute"):
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
        for one in _of(side, "register")
        if (offset := _value(one, "offset")) is not None
        for key, form in forms
        if (value := _value(one, key)) is not None
    ]


def _regions(side: Sequence[Item]) -> list[str]:
    """Where each driver looks for the registers, and how much has to be there."""
    fronts = list(_of(side, "frontend"))
    called = {one.path: one.name for one in fronts}
    lines = [f"{one.name}: BAR {bar}" for one in fronts if (bar := _value(one, "bar")) is not None]
    lines += [
        f"{one.name}: the registers from byte {_value(one, 'registers-at') or 0}" for one in fronts
    ]
    for one in (*fronts, *_of(side, "resource")):
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
    for one in _of(side, "parameter"):
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
    for one in _of(side, *HOOKS):
        priority, stage = _value(one, "priority"), _value(one, "stage")
        found += [f"{one.kind}: priority {priority}"] if priority is not None else []
        found += [f"{one.kind}: {stage or GRANTED['stage']}"] if one.kind == "sys-off" else []
    return found


def _drivers(side: Sequence[Item]) -> list[str]:
    return [f"/sys/bus/{bus}/drivers/{one.name}" for one in _of(side, "frontend")
            if (bus := _value(one, "bus"))]  # fmt: skip


def _core(side: Sequence[Item]) -> list[str]:
    """The module that the drivers share; those of the drivers are called like them."""
    name = _whole(side, "device", "name")
    return [f"{name}.ko"] if name else []


# By kind of item, or by that and the key where its change is seen in another way.
_VIEWS: dict[str, tuple[tuple[str, View], ...]] = {
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
    "event": (("the host", _sent), ("macros", _macros)),
    "uapi": (("macros", _macros),),
    "device": (("modules", _core), ("macros", _macros)),
    "register": (("registers", _registers), ("sent all the same", _unheeded)),
}
_NOTHING = "(nothing that the host knows)"
_CONCERNS = {
    "module aliases": "AUTOLOAD",
    "drivers": "USER",
    "sysfs": "USER",
    "contents": "USER",
    "parameters": "USER",
    "the host": "HOST",
    "macros": "USER",
    "modules": "AUTOLOAD",
    "registers": "HOST",
    "regions": "HOST",
    "hooks": "HOST",
    "sent all the same": "HOST",
}
_CONFIGURES = frozenset({"kconfig", "kconfig.symbol", "kconfig.type", "kconfig.depends"})


def _olddefconfig(change: Change, old: Sequence[Item], new: Sequence[Item]) -> Witness:
    """An old .config in which what the change takes away is on, and what is left of that.

    Where it only allows more: a .config that has what is new, and what there was of that before.
    """
    from gen.diff.config import carry_on  # noqa: PLC0415 (kconfiglib takes long to load)

    more = change.direction == "loosened"
    what = "a .config" if more else "an old .config after olddefconfig"
    if change.pair is None:
        return Witness(what, (), ())
    # The symbol of the whole device first, on which the others depend.
    left, right = (sorted(_of(side, "kconfig"), key=lambda one: one.owner != "") for side in
                   (old, new))  # fmt: skip
    if more:
        after, before, assumed = carry_on(right, left, Pair(change.pair.new, change.pair.old))
    else:
        before, after, assumed = carry_on(left, right, change.pair)
    if assumed:
        values = ", ".join(f"{name}={'y' if value else 'n'}" for name, value in assumed.items())
        what = what.replace(".config", f".config with {values}")
    return Witness(what, *_only(list(before), list(after)))
