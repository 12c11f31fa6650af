# SPDX-License-Identifier: GPL-2.0-or-later
"""Driver structures against the spec: their names and members, and the resources they map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.match import (
    PCI_DRIVER,
    anchor,
    driver_name,
    driver_type,
    expects_all,
    name_field,
    older,
    older_drivers,
    pairs,
    pci_pairs,
    platform_pairs,
    unit_of,
)
from checks.rule import Found, NotApplicable, Unknown, check
from gen.frontend import Bus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import Call, Object, UnitFacts
    from checks.rule import Context, Word
    from gen.frontend import Frontend


@check("SPEC014")
def check_bar(context: Context) -> Iterator[Word]:
    """The registers are mapped from the spec's BAR."""
    found = False
    for frontend, driver in pci_pairs(context):
        found = True
        unit = unit_of(context.facts, driver)
        calls = [call for call in (unit.calls if unit else ()) if "bar" in call.named]
        maps = {call.name for call in calls if _maps_bar(context, call.name)}
        if not maps:
            yield Unknown("how the BAR is mapped is not known", driver.span)
        for call in calls:
            value = call.named["bar"]
            if value.number is None:
                yield Unknown(f"what '{value.written}' is worth is not known", value.span)
            elif value.number != frontend.bar:
                message = f"BAR {value.number} is not the spec's BAR {frontend.bar}"
                yield Found(message, value.span, frontend.at["bar"])
    if not found:
        yield NotApplicable("no PCI driver among the given files")


def _maps_bar(context: Context, name: str) -> bool:
    api = context.facts.kernel.table.get(name)
    return api is not None and api.acquires == "iomap"


@check("SPEC015")
def check_resources(context: Context) -> Iterator[Word]:
    """A platform driver maps each kind of resource that the spec lists, each in its own way."""
    found = False
    for frontend, driver in platform_pairs(context):
        found = True
        unit = unit_of(context.facts, driver)
        calls = unit.calls if unit else ()
        table = context.facts.kernel.table
        mapped = {table[call.name].maps for call in calls if call.name in table}
        probe = driver.fields.get("probe")
        place = unit.functions.get(probe.name or "", driver.span) if unit and probe else driver.span
        wrong = False
        for branch in unit.branches if unit else ():
            for kind, call in branch.maps:
                if kind != branch.kind:
                    wrong = True
                    message = f"{call.name} maps {kind} resources, but this is for {branch.kind}"
                    yield Found(message, branch.span, frontend.at["resources"])
        for resource in frontend.resources:
            if resource.kind.value not in mapped and not wrong:
                message = f"'{frontend.name}' does not map {resource.kind} resources"
                stranger = _stranger(context, unit)
                if stranger is not None:
                    why = f"{message}, unless {stranger.name}() does it, which is not known"
                    yield Unknown(why, stranger.callee)
                    continue
                yield Found(message, place, resource.at["kind"], absent=True)
    if not found:
        yield NotApplicable("no platform driver among the given files")


def _stranger(context: Context, unit: UnitFacts | None) -> Call | None:
    """A call, with arguments, of a function of which nothing is known."""
    table = context.facts.kernel.table
    own = {name for one in context.facts.units for name in one.functions}
    macros = {item.name for one in context.facts.units for item in one.defines}
    return next((call for call in (unit.calls if unit else ()) if call.arguments and not
                 (call.name in table or call.name in own or call.name in macros
                  or call.name.startswith("__"))), None)  # fmt: skip


@check("SPEC021")
def check_driver_names(context: Context) -> Iterator[Word]:
    """Each frontend has a driver of its name."""
    found = False
    tree = older(context)
    for bus, own in older_drivers(context) if tree else ():
        found = True
        name, wanted = driver_name(own), tree.drivers.get(bus) if tree else None
        if name and name.text and wanted and name.text != wanted:
            message = f"the driver is called '{name.text}'; in this release it was '{wanted}'"
            yield Found(message, name.span)
    for frontend, driver in pairs(context):
        if driver is None:
            if expects_all(context):
                message = f"no {driver_type(frontend)} for '{frontend.name}'"
                yield Found(message, anchor(context), frontend.at["name"], absent=True)
            continue
        found = True
        name = driver_name(driver)
        if name is None:
            message = f"{driver.name} has no .{name_field(driver)}"
            yield Found(message, driver.span, frontend.at["name"])
        elif name.text is None:
            yield Unknown(f"what '{name.written}' says is not known", name.span)
        elif name.text != frontend.name:
            message = f"the driver is called '{name.text}', the spec says '{frontend.name}'"
            yield Found(message, name.span, frontend.at["name"])
    if not found:
        yield NotApplicable("no driver structure among the given files")


@check("KERN132")
def check_driver_members(context: Context) -> Iterator[Word]:
    """A driver structure has what binding and its attributes need, where the bus looks for it."""
    found = False
    for frontend, driver in pairs(context):
        if driver is None:
            continue
        found = True
        if "probe" not in driver.fields:
            yield Found(f"{driver.name} has no .probe", driver.span)
        if context.device.sysfs:
            yield from _groups(context, frontend, driver)
        unit = unit_of(context.facts, driver)
        marks = [mark for mark in (unit.marks if unit else ()) if mark.kind == "driver"]
        calls = [call for call in (unit.calls if unit else ()) if _registers(context, call.name)]
        named = [mark.value.name for mark in marks]
        named += [value.name for call in calls for value in call.arguments]
        if driver.name not in named:
            yield Found(f"{driver.name} is never registered", driver.span, absent=True)
    if not found:
        yield NotApplicable("no driver structure among the given files")


def _registers(context: Context, name: str) -> bool:
    api = context.facts.kernel.table.get(name)
    return api is not None and api.acquires == "driver"


def _groups(context: Context, frontend: Frontend, driver: Object) -> Iterator[Word]:
    members = context.facts.kernel.members(PCI_DRIVER) if frontend.bus is Bus.PCI else {}
    right = "dev_groups" if "dev_groups" in members else "driver.dev_groups"
    spec = context.device.sysfs[0].at.item
    if right in driver.fields:
        return
    others = [key for key in ("dev_groups", "driver.dev_groups", "groups", "driver.groups")
              if key in driver.fields]  # fmt: skip
    if others and others[0] == "dev_groups" and frontend.bus is Bus.PCI:
        return  # the target has no such member, which PORT202 tells
    if others:
        message = f"the bus does not create the devices' attributes from .{others[0]}"
        yield Found(message, driver.fields[others[0]].span, spec, f"set .{right}")
    elif frontend.attributes:
        message = f"{driver.name} has no .{right}, so its devices have no attributes"
        yield Found(message, driver.span, spec)
