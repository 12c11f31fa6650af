# SPDX-License-Identifier: GPL-2.0-or-later
"""A device for a driver to be run with, made from what its own text says of registers and ids.

What C does not tell is filled with neutral values here; nothing of this is ever written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.match import ACPI_DRIVER, PCI_DRIVER, PLATFORM_DRIVER, driver_name
from gen.frontend import Frontend, PciFrontend, PciId, PlatformFrontend, Resource, ResourceKind
from gen.model import Device, Event, Hooks, KconfigSymbol, Places, Register, Trigger, Uapi
from gen.release import Arrival, Release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.facts import DriverFacts, Object
    from gen.source import Span

LENGTH = 4096
_EVER = Release(0, 0)


def stand_in(  # noqa: PLR0917 (each is another kind of fact)
    facts: DriverFacts,
    events: Mapping[str, int],
    registers: Mapping[tuple[str, int, int], Span],
    bars: Mapping[str, int],
    kinds: frozenset[ResourceKind],
    ids: Mapping[str, tuple[str, ...]],
    at: Span,
) -> Device | None:
    """The device; None where the driver's text writes to no known register.

    Args:
        facts: the driver.
        events: the value of each event's macro.
        registers: what it accesses: direction, offset and width.
        bars: the BAR that each PCI driver maps, by the driver's name.
        kinds: the kinds of resource that its platform drivers map.
        ids: those that it claims, by the kind of their table.
        at: the driver's place.
    """
    places = Places(at)
    if not any(direction == "write" for direction, *_ in registers) or not events:
        return None
    made = [_register(key, places) for key in registers]
    if not any(one.read for one in made):
        # A driver that reads none takes each event for granted.
        made.append(Register("unread", LENGTH - 8, 32, "read-only", "capability", None, "", places))
    ever = Arrival(_EVER, (), places)
    kconfig = KconfigSymbol("NONE", "bool", "", None, "", places)
    fronts = tuple(_frontends(facts, bars, kinds, kconfig, ever))
    later: tuple[Frontend, ...] = ()
    if facts.objects(ACPI_DRIVER):
        # From before the frontends: which driver finds the device depends on the machine.
        both = tuple(Resource(kind, LENGTH, places) for kind in sorted(kinds))
        first = ("older", ever, ever, "", "", kconfig, None, places)
        later, fronts = (PlatformFrontend(*first, ids["acpi"], ids["of"], both),), ()
    return Device(
        name="stand_in", title="", summary="", license="", module_license="", author="",
        description="", references=(), registers=tuple(made),
        events=tuple(
            Event(name, value.bit_length() - 1, Trigger.NONE, ever, "", None, places)
            for name, value in events.items()
        ),
        hooks=Hooks(None, None, places),
        frontends=fronts,
        sysfs=(), kconfig=kconfig, uapi=Uapi("none.h", "", "", places), documents=(),
        source=at.source, at=places, later=later,
    )  # fmt: skip


def _register(key: tuple[str, int, int], places: Places) -> Register:
    direction, offset, width = key
    reads = direction == "read"
    return Register(
        f"{direction}-{offset:#x}", offset, width, f"{direction}-only",
        "capability" if reads else None, None if reads else "event", "", places,
    )  # fmt: skip


def _frontends(
    facts: DriverFacts,
    bars: Mapping[str, int],
    kinds: frozenset[ResourceKind],
    kconfig: KconfigSymbol,
    ever: Arrival,
) -> list[Frontend]:
    found: list[Frontend] = []
    for driver in (*facts.objects(PCI_DRIVER), *facts.objects(PLATFORM_DRIVER)):
        value, places = driver_name(driver), Places(driver.span)
        name = (value.text if value else None) or driver.name
        first = (name, ever, ever, "", "", kconfig, None, places)
        if driver.type == PCI_DRIVER:
            vendor, device = _pci(facts, driver)
            ids = PciId(vendor, None, places), PciId(device, None, places)
            found.append(PciFrontend(*first, *ids, bars.get(name, 0), LENGTH))
        else:
            resources = tuple(Resource(kind, LENGTH, places) for kind in sorted(kinds))
            found.append(PlatformFrontend(*first, (), (), resources))
    return found


def _pci(facts: DriverFacts, driver: Object) -> tuple[int, int]:
    value = driver.fields.get("id_table")
    table = facts.object(value.name, driver.file) if value else None
    entry = next((one for one in table.entries if not one.empty), None) if table else None
    numbers = [entry.fields[key].number if entry and key in entry.fields else None
               for key in ("vendor", "device")]  # fmt: skip
    return numbers[0] or 0, numbers[1] or 0
