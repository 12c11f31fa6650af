# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading and unloading a driver's modules, and the drivers that they register."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.execution.opaque import number
from checks.execution.state import Obj, Task

if TYPE_CHECKING:
    from checks.execution.program import Program, UnitCode

REGISTRATION = {
    "platform_driver_register": "platform_driver_unregister",
    "pci_register_driver": "pci_unregister_driver",
    "acpi_bus_register_driver": "acpi_bus_unregister_driver",
}


class Loader:
    """The modules of a program, in the order in which they are loaded.

    `over` is the task that is held still, if there is one.
    """

    def __init__(self, program: Program) -> None:
        self.program, self.world = program, program.world
        for start, end in REGISTRATION.items():
            program.models[start] = partial(self._register, start)
            program.models[end] = self._unregister
        self.modules = tuple(self._ordered())
        self.over: Task | None = None

    def task(self, name: str, atomic: str = "") -> Task:
        """Begin a task, beside the one that is held still if there is one."""
        made = self.world.task = Task(name, atomic, self.over)
        return made

    def settled(self, task: Task) -> None:
        """A task that ends holds nothing.

        Raises:
            DefectError: it does.
        """
        if task.held:
            self.world.at = self.world.kernel["lock", task.held[0][0]][2]
            raise self.world.defect("RUN309", f"the {task.name} ends with a {task.held[0][1]} held")
        if task.rcu or task.irqs:
            what = "in an RCU read section" if task.rcu else "with interrupts off"
            raise self.world.defect("RUN309", f"the {task.name} ends {what}")

    def _ordered(self) -> list[UnitCode]:
        """The files in an order in which what one uses is loaded before it."""
        ordered: list[UnitCode] = []

        def visit(unit: UnitCode, above: tuple[UnitCode, ...]) -> None:
            if unit in ordered or unit in above:
                return
            for other in self.program.units:
                if other is not unit and unit.declared & other.shared:
                    visit(other, (*above, unit))
            ordered.append(unit)

        for unit in self.program.units:
            visit(unit, ())
        return ordered

    def _mark(self, unit: UnitCode, kind: str) -> Any:
        """The function that a file names as its start or end."""
        nodes = unit.marks.get(kind, [])
        name = nodes[0].name if nodes and isinstance(nodes[0], c_ast.ID) else None
        return self.program.function(unit, name) if name else None

    def load(self, unit: UnitCode) -> int:
        """Load the module of a file: its init function's result."""
        self.task("loading of the module")
        start = self._mark(unit, "init")
        result = number(start() if start is not None else 0)
        self.settled(self.world.task)
        if result:
            return int(result)
        for node in unit.marks.get("driver", []):
            inner = node.expr if isinstance(node, c_ast.UnaryOp) else node
            name = getattr(inner, "name", "")
            if name in unit.objects:
                self._enlist(unit.objects[name][0])
        return 0

    def unload(self, unit: UnitCode) -> None:
        """Unload the module of a file."""
        self.task("unloading of the module")
        end = self._mark(unit, "exit")
        if end is not None:
            end()
        self.settled(self.world.task)
        for node in unit.marks.get("driver", []):
            inner = node.expr if isinstance(node, c_ast.UnaryOp) else node
            name = getattr(inner, "name", "")
            if name in unit.objects:
                self._unregister((unit.objects[name][0], 0))

    def _register(self, name: str, driver: Any) -> int:
        world = self.world
        if world.fails(name):
            return -16
        self._enlist(driver[0])
        return 0

    def _enlist(self, driver: Obj) -> None:
        there = self.world.kernel.get("drivers", ())
        self.world.put(self.world.kernel, "drivers", (*there, driver))
        self.world.put(self.world.kernel, ("registered", driver), self.world.at)

    def _unregister(self, driver: Any) -> None:
        world = self.world
        there = world.kernel.get("drivers", ())
        if driver[0] not in there:
            raise world.defect("RUN308", "unregisters a driver that is not registered")
        world.put(world.kernel, "drivers", tuple(item for item in there if item is not driver[0]))
