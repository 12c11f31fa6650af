# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios in which a call fails: of loading, of binding, of a store; and other parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.execution.calls import invoke
from checks.execution.contract import written
from checks.execution.devices import ENOMEM
from checks.execution.entries import SPARE
from checks.execution.hooks import CONTEXT
from checks.execution.layout import Int
from checks.execution.races import Races
from checks.execution.state import ERRORS
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.execution.machine import Machine
    from checks.execution.state import Obj

# What is wrong whatever a parameter is; what it means for events is the driver's affair.
OF_MEMORY = frozenset({"RUN304", "RUN305", "RUN306", "RUN309"})


class Failures(Races):
    """Each call that can fail does so in turn."""

    def loading(self) -> None:
        """Every call of the modules' init functions that can fail does so in turn."""
        world = self.world
        for count, unit in enumerate(self.core.modules):
            calls: list[tuple[str, Any]] = []
            with self.trial():
                for other in self.core.modules[:count]:
                    self.core.load(other)
                world.tried.clear()
                self.core.load(unit)
                calls = list(world.tried)
            for number, (name, at) in enumerate(calls):
                with self.trial():
                    for other in self.core.modules[:count]:
                        self.core.load(other)
                    self.tell(f"the module is loaded and {name}() fails")
                    world.tried.clear()
                    world.fail_at = number
                    result = self.core.load(unit)
                    if result > 0:
                        raise self.found("RUN307", f"init returns {result} when {name}() fails", at)
                    if result == 0 and self._spare(name):
                        for other in self.core.modules[count + 1 :]:
                            self.core.load(other)
                        self.unload()
                        continue
                    if result == 0:
                        message = f"init returns success though {name}() has failed"
                        raise self.found("RUN310", message, at)
                    for other in reversed(self.core.modules[:count]):
                        self.core.unload(other)
                    self.nothing_left(f"init has failed since {name}() did")

    def _spare(self, name: str) -> bool:
        """Whether a driver may go on without what a call did not give it."""
        api = self.core.types.table.get(name)
        return api is not None and api.acquires in SPARE

    def failing(self) -> None:
        """Every call on the way of a probe that can fail does so in turn."""
        for machine, *_ in self.kinds:
            world = self.world
            world.tried.clear()
            with self.trial():
                self.bind(machine, self.full)
            for number, (name, at) in enumerate(list(world.tried)):
                with self.trial():
                    world.tried.clear()
                    world.fail_at = number
                    self.tell(f"{name}() will fail")
                    self._failed(machine, name, at)

    def _failed(self, machine: Machine, name: str, at: object) -> None:
        """One of these cases.

        Raises:
            DefectError: the driver does not cope with it.
        """
        world, api = self.world, self.core.types.table.get(name)
        acquires = api.acquires if api else None
        result = self.bind(machine, self.full)
        world.fail_at = None
        if result > 0 or (result == 0 and acquires != "sys-off" and not self._spare(name)):
            message = f"probe returns {result} when {name}() fails"
            raise self.found("RUN307", message, at)
        if result < -ERRORS:
            raise self.found("RUN307", f"probe returns {result}, which is no error number", at)
        if result == 0:
            for what in self.what:
                if what.trigger is Trigger.PANIC:
                    with self.trial():
                        self.happens(what)
            self._again(machine)
            self.unbind(machine)
        if result and acquires == "memory" and result != -ENOMEM:
            message = f"probe returns {result} when {name}() fails: no memory is -{ENOMEM} (ENOMEM)"
            raise self.found("RUN310", message, at)
        self.nothing_owned(f"probe has failed since {name}() did")
        self.hooked()
        self.all_happen()
        self.bound(machine, self.full)
        self.all_happen()
        self.unbind(machine)
        self.unload()

    def _again(self, machine: Machine) -> None:
        """What has failed for one device is tried again at the next occasion."""
        with self.trial():
            # A driver may take the mask that it has for no change.
            self.set_mask(machine, 0)
            if self.set_mask(machine, self.full):
                self.all_happen()
        other = next(item for item in self.kinds[0] if item.name != machine.name)
        with self.trial():
            self.bound(other, self.full)
            self.all_happen(machine)

    def refused(self) -> None:
        """A store that a failing call makes fail leaves the mask as it was."""
        for machine, *_ in self.kinds[:1]:
            for old, new in ((0, self.full), (self.full, 0)):
                with self.trial():
                    self.bound(machine, self.full)
                    if old == self.full or self.set_mask(machine, old):
                        self._refused(machine, new)

    def _refused(self, machine: Machine, mask: int) -> None:
        world = self.world
        calls: list[tuple[str, Any]] = []
        with self.trial():
            world.tried.clear()
            self.set_mask(machine, mask)
            calls = list(world.tried)
        for attribute in self.contract.spec.sysfs:
            found = self.core.attributes(machine).get(attribute.name)
            if attribute.store is None or found is None or not found[2]:
                continue
            text = written(attribute.store.base, mask)
            for number, (name, _) in enumerate(calls):
                with self.trial():
                    world.tried.clear()
                    world.fail_at = number
                    result = self.core.store(machine, found, text)
                    world.fail_at = None
                    step = f"user space writes {text!r} to '{attribute.name}' of {machine}"
                    self.tell(f"{step}, {name}() fails, and the write returns {result}")
                    if result >= 0:
                        world.put(self.enabled, machine, mask)
                    self.shows(machine)
                    if result < 0:
                        self.all_happen()

    def interrupting(self) -> None:
        """A panic that is found in an NMI, for a driver that asks for that."""
        if not CONTEXT & {call.name for call in self.core.calls}:
            return
        for what in self.what:
            if what.trigger is Trigger.PANIC:
                with self.trial():
                    self.world.put(self.world.kernel, "nmi", 1)
                    self.happens(what, when=" in an NMI")

    def files(self) -> None:
        """A number is written to each file of the driver's: no device is told what it cannot take.

        Raises:
            DefectError: one is.
        """
        machine = self.kinds[0][0]
        self.bound(machine, 0)
        for name, setter, data in self.core.entries.setters():
            for event in self.contract.spec.events:
                with self.trial():
                    self.tell(f"user space writes {event.value:#x} to {name}")
                    task = self.core.task("writing to a file")
                    invoke(self.world, setter, data, event.value)
                    self.core.settled(task)
                    self.quiet(f"writing to {name}")

    def parameters(self) -> None:
        """The modules with each parameter that is a number or a truth value set otherwise."""
        for name, obj in self._parameters():
            value = int(not obj.cells.get(0, 0))
            self.about = OF_MEMORY
            with self.trial():
                self.world.put(obj.cells, 0, value)
                self.tell(f"the module is loaded with {name}={value}")
                self.load()
                with self.trial():
                    self.unload()
                if self.bind(self.kinds[0][0], self.full) == 0:
                    self.all_happen()
                    self.unbind(self.kinds[0][0])
                self.unload()
            self.about = None

    def _parameters(self) -> Iterator[tuple[str, Obj]]:
        for unit in self.core.modules:
            for node in unit.marks.get("param", []):
                inner = node.expr if isinstance(node, c_ast.UnaryOp) else node
                name = getattr(inner, "name", "")
                obj, type_ = unit.objects.get(name, (None, None))
                if obj is not None and isinstance(type_, Int):
                    yield name, obj

    def all_happen(self, *loose: Machine) -> None:
        """Let each thing happen, apart from the others."""
        for what in self.what:
            with self.trial():
                self.happens(what, loose)
