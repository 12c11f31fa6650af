# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices made from the spec: their registers, and how the kernel hands them to a driver."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from checks.execution.machine import IO, MEMORY, PARENT, Machine, tag
from checks.execution.registers import Registers
from checks.execution.state import Obj
from checks.execution.texts import EINVAL
from gen.frontend import PciFrontend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checks.execution.layout import KernelTypes
    from checks.execution.memory import Memory
    from checks.execution.world import World
    from gen.frontend import Frontend
    from gen.model import Device

UNMAPPED = "after it was unmapped"
EIO, EBUSY, ENOMEM = 5, 16, 12
PCI_BAR = 16
# A resource's flags beside its kind: firmware sets the first for 16-bit ports and writable memory.
FURTHER, KIND_BITS = 1, 0x1F00


class Devices:
    """The functions that find, map and access devices."""

    def __init__(self, world: World, types: KernelTypes, memory: Memory, spec: Device) -> None:
        self._world, self._types, self._memory, self._spec = world, types, memory, spec
        self.machines: list[Machine] = []
        self.furnish: Callable[[Machine], None] = lambda _machine: None
        flags = {api.maps: api.value or 0 for api in types.table.values() if api.kind == "constant"}
        self.flags = {IO: flags.get(IO, 0), MEMORY: flags.get(MEMORY, 0)}

    def make(self, name: str, frontend: Frontend, space: str) -> Machine:
        """A new device, not bound yet."""
        pci = isinstance(frontend, PciFrontend)
        obj = Obj("kernel", f"device {name}", data="device")
        start = (0x500 if space == IO else 0x1000_0000) + 0x100 * len(self.machines)
        length = max(frontend.shortest, PCI_BAR) if pci else frontend.shortest
        made = Machine(name, frontend, space, start, length, 0, obj)
        for member, value in _members(frontend).items():
            obj.cells[self._types.struct(tag(frontend)).member(member)[0]] = value
        resource = Obj("kernel", f"the resource of device {name}", data=made)
        layout = self._types.struct("resource")
        flags = self.flags[space] | FURTHER
        values = {"start": start, "end": start + length - 1, "flags": flags}
        for member, value in values.items():
            resource.cells[layout.member(member)[0]] = value
        obj.data = (made, (resource, 0))
        obj.cells[self._driver_data(made)] = 0
        parent = Obj("kernel", f"the parent of device {name}", data=PARENT)
        layout = self._types.struct("device")
        obj.cells[self.device(made)[1] + layout.member("parent")[0]] = (parent, 0)
        self.furnish(made)
        self.machines.append(made)
        return made

    def device(self, machine: Machine) -> tuple[Obj, int]:
        """A pointer to its struct device."""
        return machine.obj, self._types.struct(tag(machine.frontend)).member("dev")[0]

    @property
    def kobject(self) -> int:
        """Where a struct device has its kobject."""
        return self._types.struct("device").member("kobj")[0]

    def _driver_data(self, machine: Machine) -> int:
        return self.device(machine)[1] + self._types.struct("device").member("driver_data")[0]

    def forget(self, machine: Machine) -> None:
        """What the driver core does to a device that has no driver any more."""
        self._world.put(machine.obj.cells, self._driver_data(machine), 0)

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        iomap = self._iomap
        return {
            "access": Registers(self._world, self._spec, self._at).accessor,
            "print": self._print,
            "dev_set_drvdata": lambda dev, data: self._world.store(self._data_of(dev), data),
            "dev_get_drvdata": lambda dev: self._world.load(self._data_of(dev)),
            "pci_set_drvdata": self._bus_set,
            "pci_get_drvdata": self._bus_get,
            "platform_set_drvdata": self._bus_set,
            "platform_get_drvdata": self._bus_get,
            "kobj_to_dev": lambda kobj: (kobj[0], kobj[1] - self.kobject),
            "dev_name": lambda _dev: (Obj("text", "a name", None, "device"), 0),
            "dev_err_probe": lambda _dev, error, *_rest: error,
            "resource_size": lambda res: self._field(res, "end") - self._field(res, "start") + 1,
            "resource_type": lambda res: self._field(res, "flags") & KIND_BITS,
            "platform_get_resource": self._get_resource,
            "platform_get_mem_or_io": self._mem_or_io,
            "devm_ioremap_resource": self._ioremap_resource,
            "devm_platform_ioremap_resource": self._platform_ioremap,
            "devm_platform_get_and_ioremap_resource": self._get_and_ioremap,
            **dict.fromkeys(("get_device", "pci_dev_get", "of_node_get"), lambda given: given),
            **dict.fromkeys(("put_device", "pci_dev_put"), lambda _given: None),
            "devm_ioremap": partial(iomap, "devm_ioremap", MEMORY),
            "devm_ioport_map": partial(iomap, "devm_ioport_map", IO),
            **self._regions(),
            "ioremap": partial(iomap, "ioremap", MEMORY, None),
            "ioport_map": partial(iomap, "ioport_map", IO, None),
            "iounmap": partial(self.unmap, MEMORY),
            "ioport_unmap": partial(self.unmap, IO),
            "pci_iounmap": lambda _dev, pointer: self.unmap("", pointer),
        }

    # What a driver is given

    def of(self, pointer: Any) -> Machine:
        """The device that a pointer into one of its structures means."""
        obj, _ = self._world.check(pointer, "uses")
        machine = next((item for item in self.machines if item.obj is obj), None)
        if machine is None:
            raise self._world.defect("RUN306", f"takes {obj.name} for a device")
        return machine

    def _print(self, device: Any, *_rest: Any) -> int:
        """A message for a device, which has to be one."""
        if not self._above(device):
            self.of(device)
        return 0

    @staticmethod
    def _above(device: Any) -> bool:
        """Whether it is the parent of a device, which another driver has."""
        return device.__class__ is tuple and device[0].data == PARENT

    def _data_of(self, device: Any) -> tuple[Obj, int]:
        if self._above(device):
            message = f"takes the driver data of {device[0].name}, which another driver has"
            raise self._world.defect("RUN306", message)
        machine = self.of(device)
        return machine.obj, self._driver_data(machine)

    def _bus_set(self, pointer: Any, data: Any) -> None:
        self._world.store(self._data_of(pointer), data)

    def _bus_get(self, pointer: Any) -> Any:
        return self._world.load(self._data_of(pointer))

    def _field(self, resource: Any, member: str) -> Any:
        obj, offset = self._world.check(resource, "reads")
        return self._world.load((obj, offset + self._types.struct("resource").member(member)[0]))

    def _mem_or_io(self, device: Any, number: int) -> Any:
        machine = self.of(device)
        return 0 if number or self._world.fails("platform_get_mem_or_io") else machine.obj.data[1]

    def _get_resource(self, device: Any, kind: int, number: int) -> Any:
        machine = self.of(device)
        if kind == self.flags[machine.space] and self._world.fails("platform_get_resource"):
            return 0
        return machine.obj.data[1] if kind == self.flags[machine.space] and not number else 0

    # Regions: each has one owner at a time

    def _regions(self) -> dict[str, Callable[..., Any]]:
        found: dict[str, Callable[..., Any]] = {}
        for space, name in ((MEMORY, "mem_region"), (IO, "region")):
            for managed in ("", "devm_"):
                asked = f"{managed}request_{name}"
                found[asked] = partial(self._request, asked, space, managed)
            found[f"release_{name}"] = partial(self._give_back, space)
        return found

    def _request(self, name: str, space: str, managed: str, *given: Any) -> Any:
        owner = self.of(given[0]).obj if managed else None
        start = given[1] if managed else given[0]
        if self._world.fails(name) or not self._claim(space, start, owner):
            return 0
        return (Obj("kernel", "a requested region"), 0)

    def _claim(self, space: str, start: int, owner: Obj | None) -> bool:
        """Whether nobody has the region yet, which is then owned until its device goes."""
        key = ("region", space, start)
        if key in self._world.kernel:
            return False
        self._world.put(self._world.kernel, key, value=True)
        if owner is None:
            self._memory.own(key, "a region")
        else:
            self._memory.manage(owner, partial(self._world.remove, self._world.kernel, key))
        return True

    def _give_back(self, space: str, start: int, _length: int) -> None:
        key = ("region", space, start)
        if not self._memory.disown(key):
            raise self._world.defect("RUN306", "releases a region that it did not request")
        self._world.remove(self._world.kernel, key)

    # Mapping

    def map(self, machine: Machine | None, space: str, shift: int, owner: Any, release: str) -> Any:
        """A new mapping, released with `owner` if it has one."""
        name = f"a mapping of device {machine.name}" if machine else "a mapping of nothing"
        obj = Obj("io", name, data=(machine, space, shift, release))
        if owner is None:
            self._memory.own(obj, "a mapping of registers")
        else:
            kill = partial(self._world.put, obj.cells, "dead", UNMAPPED)
            self._memory.manage(owner, kill, obj)
        return (obj, 0)

    def limit(self, mapping: Any, length: Any) -> None:
        """Only so many bytes are mapped."""
        if isinstance(length, int):
            self._world.put(mapping[0].cells, "length", length)

    def _at(self, space: str, address: int) -> tuple[Machine | None, int]:
        for machine in self.machines:
            if machine.space == space and 0 <= address - machine.start < machine.length:
                return machine, address - machine.start
        return None, 0

    def _iomap(self, name: str, space: str, device: Any, *where: int) -> Any:
        if self._world.fails(name):
            return 0
        machine, shift = self._at(space, where[0])
        owner = None if device is None else self.of(device).obj
        made = self.map(machine, space, shift, owner, space)
        if len(where) > 1:
            self.limit(made, where[1])
        return made

    def _ioremap_resource(self, device: Any, resource: Any) -> Any:
        if resource == 0:
            return -EINVAL
        if self._world.fails("devm_ioremap_resource"):
            return -EBUSY
        obj, _ = self._world.check(resource, "maps")
        machine = obj.data
        if machine.space != MEMORY:
            return -EINVAL
        if not self._claim(MEMORY, machine.start, self.of(device).obj):
            return -EBUSY
        return self.map(machine, MEMORY, 0, self.of(device).obj, MEMORY)

    def _platform_ioremap(self, device: Any, number: int) -> Any:
        machine = self.of(device)
        if machine.space != MEMORY or number:
            return -EINVAL
        return self._ioremap_resource(self.device(machine), machine.obj.data[1])

    def _get_and_ioremap(self, device: Any, number: int, where: Any) -> Any:
        """The same; the resource goes to `where`, unless that is NULL."""
        machine = self.of(device)
        found = machine.obj.data[1] if machine.space == MEMORY and not number else 0
        if where:
            self._world.store(where, found)
        return self._platform_ioremap(device, number)

    def unmap(self, space: str, pointer: Any) -> None:
        """Unmap what the driver has to."""
        if pointer == 0:
            return
        world = self._world
        if pointer.__class__ is not tuple or pointer[0].kind != "io" or "dead" in pointer[0].cells:
            raise world.defect("RUN306", "unmaps what is not mapped")
        if not self._memory.disown(pointer[0]):
            raise world.defect("RUN306", "unmaps a managed mapping, which is then unmapped twice")
        if pointer[0].data[3] != space:
            world.remark("RUN314", "unmaps registers in another way than they were mapped")
        world.put(pointer[0].cells, "dead", UNMAPPED)


def _members(frontend: Frontend) -> dict[str, Any]:
    if not isinstance(frontend, PciFrontend):
        return {"id": 0}
    return {"vendor": frontend.vendor.id, "device": frontend.device.id}


def outstanding(books: Iterable[Any]) -> list[Any]:
    """What the driver would have to release itself."""
    return [key for key in books if isinstance(key, tuple) and key[0] == "owned"]
