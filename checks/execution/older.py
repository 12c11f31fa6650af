# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers of releases older than the spec's frontends: one file, one device, two ways to find it.

Which frontend of the spec a driver structure stands for follows from the ids in its own tables.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from checks.execution.machine import AcpiFrontend
from checks.match import ACPI_DRIVER, PLATFORM_DRIVER
from gen.frontend import PlatformFrontend, ResourceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import DriverFacts, Object
    from checks.rule import Context
    from gen.frontend import Frontend

# The members of a driver structure that name a table of ids, and the member of an entry.
ACPI, OF = ("driver.acpi_match_table", "id"), ("driver.of_match_table", "compatible")
OWN = ("ids", "id")


@dataclass(frozen=True)
class Variant:
    """A machine with ACPI or, if that is disabled, a device tree, and what is bound to there."""

    acpi_disabled: int
    machine: str
    pairs: tuple[tuple[Frontend, Object], ...]


def drivers(facts: DriverFacts) -> list[Object]:
    """The structures of drivers that such a release may have."""
    return [*facts.objects(ACPI_DRIVER), *facts.objects(PLATFORM_DRIVER)]


def variants(context: Context) -> list[Variant]:
    """The kinds of machine, without those in which the driver knows no device of the spec."""
    found = [
        Variant(0, " on a machine with ACPI", tuple(_with_acpi(context))),
        Variant(1, " on a machine with a device tree", tuple(_with_device_tree(context))),
    ]
    return [variant for variant in found if variant.pairs]


def unmatched(context: Context) -> list[Object]:
    """The driver structures in whose tables no id of the spec was found."""
    known = {item.name for variant in variants(context) for _, item in variant.pairs}
    return [item for item in drivers(context.facts) if item.name not in known]


def _ids(facts: DriverFacts, driver: Object, member: str, field: str) -> set[str]:
    value = driver.fields.get(member)
    table = facts.object(value.name, driver.file) if value else None
    entries = table.entries if table else ()
    return {found.text for entry in entries if (found := entry.fields.get(field)) and found.text}


def _with_acpi(context: Context) -> Iterator[tuple[Frontend, Object]]:
    facts = context.facts
    for frontend in context.device.later:
        if not isinstance(frontend, PlatformFrontend):
            continue
        wanted = set(frontend.acpi)
        for driver in facts.objects(ACPI_DRIVER):
            if wanted & _ids(facts, driver, *OWN):
                values = {item.name: getattr(frontend, item.name) for item in fields(frontend)}
                yield AcpiFrontend(**{**values, "name": driver.name}), driver
        for driver in facts.objects(PLATFORM_DRIVER):
            if wanted & _ids(facts, driver, *ACPI):
                yield replace(frontend, name=driver.name), driver


def _with_device_tree(context: Context) -> Iterator[tuple[Frontend, Object]]:
    """A device tree has devices in memory only."""
    facts = context.facts
    for frontend in context.device.later:
        if not isinstance(frontend, PlatformFrontend):
            continue
        memory = tuple(r for r in frontend.resources if r.kind is ResourceKind.MEMORY)
        for driver in facts.objects(PLATFORM_DRIVER):
            if memory and set(frontend.of) & _ids(facts, driver, *OF):
                yield replace(frontend, name=driver.name, resources=memory), driver
