# SPDX-License-Identifier: GPL-2.0-or-later
"""Which driver structure in the source implements which frontend of the spec, and its core file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.tree import Role
from gen.frontend import PciFrontend, PlatformFrontend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import DriverFacts, Object, UnitFacts, Value
    from checks.rule import Context
    from gen.frontend import Frontend
    from gen.kernel import InTree
    from gen.source import Span

PCI_DRIVER = "struct pci_driver"
PLATFORM_DRIVER = "struct platform_driver"
ACPI_DRIVER = "struct acpi_driver"
OLDER_BUSES = {ACPI_DRIVER: "acpi", PLATFORM_DRIVER: "platform"}
# Of a release older than all frontends of the spec, see gen.model_restrict.
OTHER_LAYOUT = "this release's driver had another layout, of which the spec says nothing"


def driver_type(frontend: Frontend) -> str:
    """The kernel's structure for a driver of the frontend's bus."""
    return PCI_DRIVER if isinstance(frontend, PciFrontend) else PLATFORM_DRIVER


def older(context: Context) -> InTree | None:
    """What mainline had in this series, where its driver is older than the spec's frontends."""
    tree = context.facts.kernel.in_tree.get(context.device.name)
    old = not context.device.frontends and tree is not None and tree.layout == "file"
    return tree if old else None


def older_drivers(context: Context) -> Iterator[tuple[str, Object]]:
    """The driver structures of such a release, each with its bus."""
    for kind, bus in OLDER_BUSES.items() if not context.device.frontends else ():
        for driver in context.facts.objects(kind):
            yield bus, driver


def name_field(driver: Object) -> str:
    """The member that holds a driver's name."""
    return "driver.name" if driver.type == PLATFORM_DRIVER else "name"


def driver_name(driver: Object) -> Value | None:
    """A driver's name, as its structure has it."""
    return driver.fields.get(name_field(driver))


def pairs(context: Context) -> Iterator[tuple[Frontend, Object | None]]:
    """Each frontend with its driver: the one of its name, else one of its bus that is left."""
    left = {kind: context.facts.objects(kind) for kind in (PCI_DRIVER, PLATFORM_DRIVER)}
    found: dict[str, Object] = {}
    for exact in (True, False):
        for frontend in context.device.frontends:
            drivers = left[driver_type(frontend)]
            for driver in drivers:
                name = driver_name(driver)
                if frontend.name not in found and (
                    not exact or (name is not None and name.text == frontend.name)
                ):
                    found[frontend.name] = driver
                    drivers.remove(driver)
                    break
    for frontend in context.device.frontends:
        yield frontend, found.get(frontend.name)


def pci_pairs(context: Context) -> Iterator[tuple[PciFrontend, Object]]:
    """The PCI frontends that have a driver."""
    for frontend, driver in pairs(context):
        if isinstance(frontend, PciFrontend) and driver is not None:
            yield frontend, driver


def platform_pairs(context: Context) -> Iterator[tuple[PlatformFrontend, Object]]:
    """The platform frontends that have a driver."""
    for frontend, driver in pairs(context):
        if isinstance(frontend, PlatformFrontend) and driver is not None:
            yield frontend, driver


def unit_of(facts: DriverFacts, driver: Object) -> UnitFacts | None:
    """The .c file that a driver structure stands in."""
    return next((unit for unit in facts.units if unit.file is driver.file), None)


def core(context: Context) -> UnitFacts | None:
    """The file that all frontends share: the one of the device's name, or a directory's first."""
    name = f"{context.device.name}.c"
    units = [unit for unit in context.facts.units if unit.file.role is Role.UNIT]
    named = [unit for unit in units if unit.file.path.name == name]
    return next(iter(named if named or not expects_all(context) else units), None)


def anchor(context: Context) -> Span:
    """The best place for what the whole driver lacks."""
    unit = core(context)
    files = [unit.file] if unit else list(context.facts.tree.files)
    return files[0].start


def expects_all(context: Context) -> bool:
    """Whether what is not there is missing, rather than just not given."""
    return context.facts.tree.whole
