# SPDX-License-Identifier: GPL-2.0-or-later
"""The functions of the PCI bus: enabling a device, its regions and its mappings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from checks.execution.devices import EBUSY, EIO, ENOMEM, UNMAPPED
from checks.execution.machine import IO, MEMORY
from checks.execution.state import Obj
from checks.execution.texts import EINVAL
from gen.frontend import PciFrontend

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.devices import Devices
    from checks.execution.layout import KernelTypes
    from checks.execution.memory import Memory
    from checks.execution.world import World

# Bars that a device has at most, and the bytes of a pointer in the table of their mappings.
BARS, POINTER = 6, 8


class Pci:
    """Books: ("enabled", device), ("by", device), ("table", device) and ("asleep", device).

    The second has the function that enabled it, the third the object that has its mappings.
    """

    def __init__(self, world: World, types: KernelTypes, memory: Memory, devices: Devices) -> None:
        self._world, self._types, self._memory, self._devices = world, types, memory, devices
        self._of = devices.of

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        return {
            "pcim_enable_device": partial(self._enable, "pcim_enable_device", managed=True),
            "pci_enable_device": partial(self._enable, "pci_enable_device", managed=False),
            "pci_enable_device_mem": partial(
                self._enable, "pci_enable_device_mem", managed=False, space=MEMORY
            ),
            "pci_enable_device_io": partial(
                self._enable, "pci_enable_device_io", managed=False, space=IO
            ),
            "pcim_pin_device": self._pin,
            "pci_disable_device": self._disable,
            "pci_set_power_state": self._power,
            "pci_request_regions": partial(self._request, "pci_request_regions"),
            "pci_request_region": partial(self._request, "pci_request_region"),
            "pci_release_regions": self._release,
            "pci_release_region": self._release,
            "pcim_iomap": partial(self._map, "pcim_iomap", managed=True),
            "pci_iomap": partial(self._map, "pci_iomap", managed=False),
            "pcim_iomap_region": self._region,
            "pcim_iomap_regions": self._regions,
            "pcim_iomap_table": self._table,
            "pcim_iounmap": self._unmap,
            "pci_resource_len": lambda dev, bar: self._bar(dev, bar, "length"),
            "pci_resource_end": self._end,
            "pci_resource_flags": self._flags,
            "pci_resource_start": lambda dev, bar: self._bar(dev, bar, "start"),
        }

    def _enable(self, name: str, device: Any, *, managed: bool, space: str = "") -> int:
        """Enable a device, or only what decodes its ports or its memory."""
        world, machine = self._world, self._of(device)
        if world.fails(name):
            return -EIO
        world.put(world.kernel, ("enabled", machine), space in {"", machine.space})
        world.put(world.kernel, ("asleep", machine), value=False)
        if managed:
            disable = partial(world.remove, world.kernel, ("enabled", machine))
            self._memory.manage(machine.obj, disable)
        else:
            self._memory.own(("enable", machine), "an enabled PCI device")
        world.put(world.kernel, ("by", machine), name)
        return 0

    def _pin(self, device: Any) -> None:
        """Leave it to the driver to disable a managed device."""
        self._memory.own(
            ("enable", self._of(device)), "a PCI device that is pinned: it stays enabled,"
        )

    def _disable(self, device: Any) -> None:
        machine = self._of(device)
        self._memory.disown(("enable", machine))
        self._world.remove(self._world.kernel, ("enabled", machine))

    def _power(self, device: Any, state: Any) -> int:
        """Put a device to sleep, in which its memory and its ports do not answer, or wake it."""
        if self._world.fails("pci_set_power_state"):
            return -EIO
        names = ("PCI_D3hot", "PCI_D3cold")
        asleep = state in {self._types.constants.get(name) for name in names}
        self._world.put(self._world.kernel, ("asleep", self._of(device)), asleep)
        return 0

    def _request(self, name: str, device: Any, *_rest: Any) -> int:
        world, machine = self._world, self._of(device)
        if world.fails(name):
            return -EBUSY
        how = world.kernel.get(("by", machine))
        if how is not None and self._types.managed(name, how):
            return 0
        self._memory.own(("regions", machine), "a PCI region")
        return 0

    def _release(self, device: Any, *_bar: Any) -> None:
        self._memory.disown(("regions", self._of(device)))

    def _bar(self, device: Any, bar: int, what: str) -> int:
        machine = self._of(device)
        frontend = machine.frontend
        if not isinstance(frontend, PciFrontend) or frontend.bar != bar:
            return 0
        return int(getattr(machine, what))

    def _end(self, device: Any, bar: int) -> int:
        length = self._bar(device, bar, "length")
        return self._bar(device, bar, "start") + length - 1 if length else 0

    def _flags(self, device: Any, bar: int) -> int:
        """The kind of a region; whether it is prefetchable or 64 bits wide is not known."""
        machine = self._of(device)
        return self._devices.flags[machine.space] if self._bar(device, bar, "length") else 0

    # Mappings

    def _map(self, name: str, device: Any, bar: int, most: int, *, managed: bool) -> Any:
        if self._world.fails(name) or not self._bar(device, bar, "length"):
            return 0
        machine = self._of(device)
        made = self._devices.map(machine, MEMORY, 0, machine.obj if managed else None, "")
        if isinstance(most, int) and most:
            self._devices.limit(made, most)
        if managed:
            table, _ = self._table(device)
            self._world.put(table.cells, POINTER * bar, made)
        return made

    def _region(self, device: Any, bar: int, _name: Any) -> Any:
        if self._world.fails("pcim_iomap_region"):
            return -ENOMEM
        return self._map("", device, bar, 0, managed=True) or -EINVAL

    def _regions(self, device: Any, mask: int, _name: Any) -> int:
        if self._world.fails("pcim_iomap_regions"):
            return -ENOMEM
        for bar in range(BARS):
            if mask >> bar & 1 and not self._map("", device, bar, 0, managed=True):
                return -EINVAL
        return 0

    def _table(self, device: Any) -> tuple[Obj, int]:
        """The addresses of all managed mappings by BAR."""
        world, machine = self._world, self._of(device)
        key = ("table", machine)
        if key not in world.kernel:
            made = Obj("static", f"the table of mappings of device {machine.name}", BARS * POINTER)
            world.put(world.kernel, key, made)
            self._memory.manage(machine.obj, partial(world.remove, world.kernel, key))
        return world.kernel[key], 0

    def _unmap(self, device: Any, pointer: Any) -> None:
        world, (table, _) = self._world, self._table(device)
        place = next((at for at, item in table.cells.items() if item == pointer and pointer), None)
        if place is None:
            raise world.defect("RUN306", "unmaps what the device has no managed mapping of")
        world.put(table.cells, place, 0)
        world.put(pointer[0].cells, "dead", UNMAPPED)
