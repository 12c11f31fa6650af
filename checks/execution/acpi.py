# SPDX-License-Identifier: GPL-2.0-or-later
"""ACPI's own devices: their status and resources, for drivers without a platform device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.execution.calls import invoke
from checks.execution.devices import EIO
from checks.execution.machine import IO, MEMORY, AcpiFrontend
from checks.execution.state import Obj

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.devices import Devices
    from checks.execution.layout import KernelTypes
    from checks.execution.machine import Machine
    from checks.execution.world import World

# Every device is there and works, unless a scenario says otherwise.
STATUS = ("present", "enabled", "functional")
RESOURCES = "_CRS"


class Acpi:
    """The functions that ask ACPI about a device."""

    def __init__(self, world: World, types: KernelTypes, devices: Devices) -> None:
        self._world, self._types, self._devices = world, types, devices
        devices.furnish = self._furnish

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        return {
            "acpi_bus_get_status": self._status,
            "acpi_walk_resources": self._walk,
            "acpi_dev_resource_io": lambda res, out: self._resource(IO, res, out),
            "acpi_dev_resource_memory": lambda res, out: self._resource(MEMORY, res, out),
        }

    def _furnish(self, machine: Machine) -> None:
        """Fill in what ACPI has of a new device."""
        if not isinstance(machine.frontend, AcpiFrontend):
            return
        cells, layout = machine.obj.cells, self._types.struct("acpi_device")
        handle = Obj("handle", f"the ACPI handle of device {machine.name}", data=machine)
        cells[layout.member("handle")[0]] = (handle, 0)
        for bit in STATUS:
            cells[self._bit(bit)] = 1

    def _bit(self, name: str) -> int:
        """Where a bit of a device's status is."""
        status = self._types.struct("acpi_device_status")
        return self._types.struct("acpi_device").member("status")[0] + status.member(name)[0]

    def status(self, machine: Machine, missing: tuple[str, ...]) -> None:
        """Take bits out of a device's status."""
        for bit in missing:
            self._world.put(machine.obj.cells, self._bit(bit), 0)

    def _status(self, device: Any) -> int:
        self._devices.of(device)
        return -EIO if self._world.fails("acpi_bus_get_status") else 0

    def _walk(self, handle: Any, name: Any, function: Any, context: Any) -> int:
        """Call a function with each resource, also with the tag that ends a list of them."""
        world, codes = self._world, self._types.constants
        if handle.__class__ is not tuple or handle[0].kind != "handle":
            raise world.defect("RUN306", "asks ACPI about what is no handle")
        if world.text(name) != RESOURCES:
            raise world.unknown("only a device's current resources are modelled")
        if world.fails("acpi_walk_resources"):
            return codes["AE_ERROR"]
        for data in (handle[0].data, None):
            resource = Obj("kernel", "an ACPI resource", data=data)
            result = invoke(world, function, (resource, 0), context)
            if result:
                return int(result)
        return codes["AE_OK"]

    def _resource(self, space: str, pointer: Any, out: Any) -> int:
        """Whether a resource is of a kind; then it is put into `out`."""
        world = self._world
        machine = world.check(pointer, "reads")[0].data
        if machine is None or machine.space != space:
            return 0
        source, layout = machine.obj.data[1], self._types.struct("resource")
        for member in ("start", "end", "flags"):
            at = layout.member(member)[0]
            world.store((out[0], out[1] + at), world.load((source[0], source[1] + at)))
        return 1
