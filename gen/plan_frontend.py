# SPDX-License-Identifier: GPL-2.0-or-later
"""Decisions about the frontends' modules."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen import names
from gen.frontend import Bus, PciFrontend, PlatformFrontend, ResourceKind
from gen.plan_core import headers, tabs_after

if TYPE_CHECKING:
    from gen.frontend import Frontend
    from gen.kernel import Kernel
    from gen.model import Device


_BUS_WORDS = {Bus.PCI: "PCI", Bus.PLATFORM: "platform"}


@dataclass(frozen=True)
class Macro:
    """A macro that the module defines: an id that the kernel has no name for, or a number."""

    name: str
    value: str
    tabs: str


@dataclass(frozen=True)
class FrontendPlan:
    """A frontend's module; of the ids, those of its bus are filled in."""

    bus: Bus
    file: str
    name: str
    stem: str
    description: str
    subject: str
    author: str
    module_license: str
    includes: tuple[str, ...]
    local_include: str
    register: str
    groups: str | None
    shortest: int
    bar_macro: str
    length_macro: str
    macros: tuple[Macro, ...] = ()
    ids: tuple[tuple[str, str], ...] = ()
    bar: int = 0
    acpi: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    io: bool = False
    memory: bool = False
    mem_or_io: bool = False
    bus_has_groups: bool = True


def plan_frontend(device: Device, frontend: Frontend, kernel: Kernel) -> FrontendPlan:
    """Decide on one frontend's module.

    Raises:
        KernelFactsError: the kernel lacks an interface that the module needs.
    """
    if isinstance(frontend, PciFrontend):
        return _plan_pci(device, frontend, kernel)
    if isinstance(frontend, PlatformFrontend):
        return _plan_platform(device, frontend, kernel)
    raise TypeError(f"no bus has a frontend such as {type(frontend).__name__}")


def _plan_module(
    device: Device, frontend: Frontend, kernel: Kernel, used: list[str]
) -> FrontendPlan:
    """What the modules of all buses have; `used` names the kernel interfaces in the C."""
    # How long the region has to be for every register that the driver accesses.
    shortest = max(device.capability_register.end, device.event_register.end)
    return FrontendPlan(
        bus=frontend.bus,
        file=f"{frontend.name}.c",
        name=frontend.name,
        stem=names.frontend_stem(frontend),
        description=frontend.description,
        subject=_subject(frontend),
        author=frontend.author,
        module_license=device.module_license,
        includes=headers(kernel, used),
        local_include=f"{device.name}.h",
        register=f"devm_{device.name}_register",
        groups=f"{device.name}_groups" if device.sysfs and frontend.attributes else None,
        shortest=shortest,
        bar_macro=names.bar_macro(frontend),
        length_macro=names.length_macro(frontend),
        macros=_columns({names.length_macro(frontend): f"{shortest}"} if shortest > 1 else {}),
    )


def _subject(frontend: Frontend) -> str:
    """What a banner calls the module: its description, and its bus where that does not say it."""
    bus = _BUS_WORDS[frontend.bus]
    named = re.search(rf"\b{bus}\b", frontend.description, re.IGNORECASE)
    return frontend.description if named else f"{frontend.description}: {bus} frontend"


def _columns(values: dict[str, str]) -> tuple[Macro, ...]:
    """Macros whose values stand below one another."""
    return tuple(Macro(name, value, tabs_after(name, values)) for name, value in values.items())


def _plan_pci(device: Device, frontend: PciFrontend, kernel: Kernel) -> FrontendPlan:
    used = ["pcim_enable_device", "pcim_iomap", "struct pci_device_id", "ENOMEM", "MODULE_LICENSE"]
    macros = names.pci_macros(frontend)
    # The kernel may have macros of vendors; those of devices are the driver's own.
    vendors = {names.pci_macro(frontend, "vendor", pair.vendor) for pair in frontend.ids}
    shared = [name for name in macros if name in vendors and kernel.has(name)]
    used += shared
    own = {name: f"0x{i.id:04x}" for name, i in macros.items() if name not in shared}
    module = _plan_module(device, frontend, kernel, used)
    if module.shortest > 1:
        own |= {module.bar_macro: f"{frontend.bar}", module.length_macro: f"{module.shortest}"}
    return replace(
        module,
        macros=_columns(own),
        ids=tuple(
            (
                names.pci_macro(frontend, "vendor", pair.vendor),
                names.pci_macro(frontend, "device", pair.device),
            )
            for pair in frontend.ids
        ),
        bar=frontend.bar,
        # Where struct pci_driver lacks groups, those of the driver in it are used; later kernels
        # overwrite them.
        bus_has_groups="dev_groups" in kernel.members("struct pci_driver"),
    )


def _plan_platform(device: Device, frontend: PlatformFrontend, kernel: Kernel) -> FrontendPlan:
    used = ["struct platform_driver", "struct resource", "EINVAL", "MODULE_LICENSE"]
    io, memory = (kind in frontend.kinds for kind in (ResourceKind.IO, ResourceKind.MEMORY))
    used += ["devm_ioport_map", "ENOMEM"] if io else []
    used += ["devm_ioremap_resource", "IS_ERR"] if memory else []
    # Before it came, a driver that takes both kinds had to ask for one after the other.
    mem_or_io = io and memory and kernel.has("platform_get_mem_or_io")
    used += ["struct acpi_device_id"] if frontend.acpi else []
    used += ["struct of_device_id"] if frontend.of else []
    return replace(
        _plan_module(device, frontend, kernel, used),
        acpi=frontend.acpi,
        of=frontend.of,
        io=io,
        memory=memory,
        mem_or_io=mem_or_io,
    )
