# SPDX-License-Identifier: GPL-2.0-or-later
"""Accesses to registers, as the spec allows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.execution.faults import DoubtError
from checks.execution.machine import IO, MEMORY
from gen.frontend import PciFrontend

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.machine import Machine
    from checks.execution.world import World
    from gen.api import Api
    from gen.model import Device, Register

    Finder = Callable[[str, int], tuple[Machine | None, int]]


class Registers:
    """The registers of all devices; `find` tells which device is at an address."""

    def __init__(self, world: World, spec: Device, find: Finder) -> None:
        self._world, self._spec, self._at = world, spec, find

    def accessor(self, api: Api) -> Callable[..., Any]:
        """The model of a register access, from what the facts say about it."""
        access = api.access
        if access is None:
            raise self._world.unknown(f"{api.name}() is not modelled")
        port = api.parameters[-1] == "port"
        only = MEMORY if "volatile" in (api.prototype or "") else IO if port else ""
        if access.direction == "read":
            return lambda where: self._read(self._target(where, only, api), api)
        mask = (1 << access.width) - 1
        return lambda value, where: self._write(self._target(where, only, api), api, value & mask)

    def _target(self, where: Any, only: str, api: Api) -> tuple[Machine, int]:
        world = self._world
        if api.parameters[-1] == "port":
            machine, offset = self._at(IO, where) if where.__class__ is int else (None, 0)
        else:
            if where.__class__ is not tuple or where[0].kind != "io" or "dead" in where[0].cells:
                if where.__class__ is tuple and where[0].kind != "io":
                    raise world.defect("RUN306", "accesses registers through a pointer to memory")
                raise world.defect("RUN306", f"accesses registers through {_bad(where)}")
            machine, space, shift, _ = where[0].data
            length = where[0].cells.get("length")
            offset = where[1] + shift
            last = where[1] + (api.access.width if api.access else 0) // 8
            if length is not None and last > length:
                message = f"accesses byte {last - 1} of a mapping of {length} bytes"
                raise world.defect("RUN302", message)
            if only and space != only:
                raise world.defect("RUN302", "accesses an I/O port as if it were memory")
        if machine is None:
            raise world.defect("RUN302", "accesses an address where no device is")
        if isinstance(machine.frontend, PciFrontend) and not world.kernel.get(("enabled", machine)):
            message = "accesses a PCI device that is not enabled"
            if (site := world.kernel.get(("handed", machine.obj))) is not None:
                raise DoubtError("RUN302", f"{message}, unless {site.what} enables it", site)
            raise world.defect("RUN302", message)
        if world.kernel.get(("asleep", machine)):
            raise world.defect("RUN302", "accesses a PCI device whose power is off, or nearly")
        return machine, offset

    def _register(self, target: tuple[Machine, int], api: Api) -> Register:
        """The register that an access means.

        Raises:
            DefectError: the spec has none of that place, width and direction.
        """
        offset, access = target[1], api.access
        for register in self._spec.registers:
            may = access and (access.direction in register.access)
            if may and register.offset == offset and access and access.width == register.width:
                self._touch(target[0], (access.direction, offset, access.width))
                return register
        wide = f"{access.width} bits at offset {offset}" if access else ""
        error = self._world.defect(
            "RUN302", f"{api.name}() of {wide}: the spec has no such register to {_verb(api)}"
        )
        error.spec = self._spec.capability_register.at.item
        raise error

    def _touch(self, machine: Machine, access: tuple[str, int, int]) -> None:
        if access not in machine.touched:
            calls = self._world.calls
            machine.touched[access] = calls[0]() if calls else self._world.span()

    def _read(self, target: tuple[Machine, int], api: Api) -> int:
        register = self._register(target, api)
        if register.read != "capability":
            return 0
        return _ordered(api, target[0].capability & ((1 << register.width) - 1))

    def _write(self, target: tuple[Machine, int], api: Api, value: int) -> None:
        world = self._world
        register = self._register(target, api)
        if register.write == "event":
            log = world.kernel.get("log", ())
            sent = _ordered(api, value)
            world.put(world.kernel, "log", (*log, (target[0], sent, world.at, tuple(world.calls))))


def _ordered(api: Api, value: int) -> int:
    """A value as the device has it, whose registers are little-endian; and the other way."""
    if api.access is None or api.access.order == "little":
        return value
    size = api.access.width // 8
    return int.from_bytes(value.to_bytes(size, "big"), "little")


def _verb(api: Api) -> str:
    return api.access.direction if api.access else "access"


def _bad(where: Any) -> str:
    if where.__class__ is tuple:
        return f"a mapping {where[0].cells.get('dead', '')}"
    return "a NULL pointer" if where == 0 else "what is no mapping"
