# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's core does with a driver and its devices: bind, sysfs, triggers, unbind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from checks.execution.acpi import Acpi
from checks.execution.attributes import Attributes
from checks.execution.calls import invoke
from checks.execution.devices import Devices
from checks.execution.entries import Entries
from checks.execution.faults import UnknownError
from checks.execution.hooks import ACTIONS, COLD, REBOOT, RESTART, Hooks
from checks.execution.layout import Struct
from checks.execution.machine import AcpiFrontend
from checks.execution.memory import Memory
from checks.execution.opaque import number
from checks.execution.pci import Pci
from checks.execution.program import Program
from checks.execution.state import Obj
from checks.execution.sysfs import TOP, Sysfs
from checks.execution.texts import Texts
from checks.match import pairs
from gen.frontend import PciFrontend
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from checks.execution.machine import Machine
    from checks.execution.older import Variant
    from checks.facts import Object
    from checks.parse import Unit
    from checks.rule import Context
    from gen.frontend import Frontend

# The kernel's variable that says that it is going down.
OOPS = "oops_in_progress"
# How far the machine has come: it boots, runs or is being switched off.
STATE = "system_state"
# Whether the machine has no ACPI: another one describes its devices in a tree.
NO_ACPI = "acpi_disabled"
MODES = {
    Trigger.POWER_OFF: ("SYS_OFF_MODE_POWER_OFF_PREPARE", "SYS_OFF_MODE_POWER_OFF"),
    Trigger.RESTART: ("SYS_OFF_MODE_RESTART_PREPARE", "SYS_OFF_MODE_RESTART"),
}


class Core(Attributes):
    """A driver in its modelled kernel."""

    def __init__(
        self, context: Context, units: Iterable[Unit], variant: Variant | None = None
    ) -> None:
        """`variant` is for a driver that is older than the spec's frontends."""
        self.spec = context.device
        if variant is not None:
            self.spec = replace(self.spec, frontends=tuple(item for item, _ in variant.pairs))
        program = Program(units, context.facts)
        super().__init__(program)
        self.types = program.facts
        self.memory = Memory(self.world, self.types.constants)
        self.devices = Devices(self.world, self.types, self.memory, self.spec)
        self.hooks = Hooks(self.world, self.types, self.memory, program.locks.synchronize)
        self.acpi = Acpi(self.world, self.types, self.devices)
        self.entries = Entries(self.world, self.types)
        self.sysfs = Sysfs(self.world, self.types, self.memory, self.devices)
        pci = Pci(self.world, self.types, self.memory, self.devices)
        parts = (
            self.memory,
            self.devices,
            self.hooks,
            self.acpi,
            self.entries,
            self.sysfs,
            pci,
            Texts(self.world),
        )
        for part in (*parts, program.lists, program.locks):
            program.models.update(part.models())
        program.preset(NO_ACPI, variant.acpi_disabled if variant is not None else 0)
        found = list(variant.pairs if variant else pairs(context))
        program.preset(TOP, (Obj("kernel", "the kernel's directory in sysfs"), 0))
        program.preset(OOPS, 0)
        program.preset(STATE, self.state("SYSTEM_RUNNING"))
        self.drivers = dict(self._drivers(found))
        self.places = {frontend.name: item.span for frontend, item in found if item}
        self.machine = variant.machine if variant else ""
        self.calls = tuple(context.facts.calls())

    def state(self, name: str) -> int:
        """What the kernel's own state is called by a number; the numbers differ among kernels."""
        return self.types.constants.get(name, 0)

    def site(self, acquires: str) -> Any:
        """Where the driver calls a function that acquires something; None if it does not."""
        for call in self.calls:
            api = self.types.table.get(call.name)
            if api is not None and api.acquires == acquires:
                return lambda: call.callee
        return None

    def _drivers(
        self, found: Iterable[tuple[Frontend, Object | None]]
    ) -> Iterator[tuple[str, tuple[Obj, Struct]]]:
        """The driver structure of each frontend that has one."""
        for frontend, item in found:
            unit = next((u for u in self.modules if item and u.unit.file is item.file), None)
            driver = unit.objects.get(item.name) if unit and item else None
            if driver is not None and isinstance(driver[1], Struct):
                yield frontend.name, (driver[0], driver[1])

    # Devices

    def _callback(self, frontend: Frontend, name: str) -> Any:
        """A function of a driver's structure, 0 where it has none."""
        obj, struct = self.drivers[frontend.name]
        at = 0
        if isinstance(frontend, AcpiFrontend):
            at, inner = struct.member("ops")
            struct = inner if isinstance(inner, Struct) else struct
            name = {"probe": "add"}.get(name, name)
        return self.world.load((obj, at + struct.member(name)[0]))

    def probe(self, machine: Machine) -> Any:
        """The function that is called for a device."""
        return self._callback(machine.frontend, "probe")

    def registered(self, frontend: Frontend) -> bool:
        """Whether the structure of a frontend's driver is registered."""
        return self.drivers[frontend.name][0] in self.world.kernel.get("drivers", ())

    def bind(self, machine: Machine, settle: Callable[[], None] | None = None) -> int:
        """Bind a device; what probe returned. `settle` is called once it has."""
        world = self.world
        if not self.registered(machine.frontend):
            raise UnknownError("this driver's structure is not seen to be registered")
        task = self.task(f"binding of device {machine.name}")
        self._present(1)
        probe = self._callback(machine.frontend, "probe")
        given: list[Any] = [(machine.obj, 0)]
        if isinstance(machine.frontend, PciFrontend):
            given.append(self._callback(machine.frontend, "id_table"))
        result = number(invoke(world, probe, *given))
        if settle is not None:
            settle()
        self.settled(task)
        if result == 0:
            world.put(world.kernel, ("bound", machine), value=True)
        elif result < 0:
            self._release(machine)
        return int(result)

    def unbind(self, machine: Machine) -> None:
        """Take the driver away from a device."""
        world = self.world
        task = self.task(f"unbinding of device {machine.name}")
        world.remove(world.kernel, ("bound", machine))
        for remove in self.leaving(machine):
            invoke(world, remove, (machine.obj, 0))
        self.settled(task)
        self._release(machine)

    def leaving(self, machine: Machine) -> list[Any]:
        """The functions of a device's driver that are called when it is unbound."""
        _, struct = self.drivers[machine.frontend.name]
        acpi = isinstance(machine.frontend, AcpiFrontend)
        names = [name for name in ("remove", "remove_new")
                 if name in struct.fields or (acpi and name == "remove")]  # fmt: skip
        return [found for name in names if (found := self._callback(machine.frontend, name))]

    def _present(self, more: int) -> None:
        self.world.put(self.world.kernel, "present", self.world.kernel.get("present", 0) + more)

    def _release(self, machine: Machine) -> None:
        task = self.world.task
        self.memory.release(machine.obj)
        self.devices.forget(machine)
        self._present(-1)
        self.settled(task)

    # Triggers

    def panic(self) -> list[Any]:
        """Call the panic notifiers, in a task that must not sleep."""
        task = self.world.task
        results = self.hooks.notify((self.chain(), 0))
        self.settled(task)
        return results

    def chain(self) -> Obj:
        """The panic notifier list."""
        return self.program.outside.setdefault(
            "panic_notifier_list", (Obj("kernel", "the panic notifier list"), Struct("chain"))
        )[0]

    def leave(self, trigger: Trigger) -> list[Any]:
        """Power the machine off or restart it: shutdown callbacks, then the handlers."""
        results, task = [], self.world.task
        self.hooks.notify(REBOOT, ACTIONS[trigger])
        for machine in self.devices.machines:
            if ("bound", machine) in self.world.kernel:
                _, struct = self.drivers[machine.frontend.name]
                if "shutdown" in struct.fields:
                    shutdown = self._callback(machine.frontend, "shutdown")
                    if shutdown:
                        invoke(self.world, shutdown, (machine.obj, 0))
        for name in MODES[trigger]:
            if "PREPARE" not in name:
                task.atomic = f"a {trigger.value} handler must not sleep"
            if name in self.types.constants:
                results += self.hooks.sys_off(self.types.constants[name])
        if trigger is Trigger.RESTART:
            results += self.hooks.notify(RESTART, COLD)
        self.settled(task)
        return results
