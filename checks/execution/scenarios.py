# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenarios are run: all that matter of a small scope, the shortest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.execution.devices import ENOMEM
from checks.execution.machine import IO, MEMORY, AcpiFrontend
from checks.execution.races import Races
from checks.execution.state import ERRORS
from gen.frontend import ResourceKind
from gen.model import Trigger

if TYPE_CHECKING:
    from checks.execution.machine import Machine

SPACES = {ResourceKind.IO: IO, ResourceKind.MEMORY: MEMORY}
# Bits of an ACPI device's status that are missing, the last time all of them.
BROKEN = (("enabled",), ("functional",), ("enabled", "functional"))


class Scenarios(Races):
    """Runs them, stage by stage; a stage that shows a defect is the last one."""

    def run(self) -> None:
        """Run all stages."""
        several = (self.several,) if not self.single else ()
        together = (self.together,) if not self.single else ()
        stages = (
            self.alone, self.one, self.broken, self.reading, self.masks, self.failing,
            *several, self.interrupted, self.beside, *together,
        )  # fmt: skip
        with self.trial():
            self.loading()
        for stage in stages:
            if any(self.gates(item.rule) for item in self.shown.values()):
                return
            with self.trial():
                self.load()
                stage()

    # Stages

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
                    if result == 0:
                        message = f"init returns success though {name}() has failed"
                        raise self.found("RUN310", message, at)
                    for other in reversed(self.core.modules[:count]):
                        self.core.unload(other)
                    self.nothing_left(f"init has failed since {name}() did")

    def alone(self) -> None:
        """No device at all."""
        for what in self.what:
            with self.trial():
                self.happens(what)
        self.hooked()
        self.unload()

    def one(self) -> None:
        """One device of each kind, from binding to unloading."""
        for machine, *_ in self.kinds:
            with self.trial():
                self.bound(machine, self.full)
                self.shows(machine)
                for what in self.what:
                    with self.trial():
                        self.happens(what)
                self.unbind(machine)
                for what in self.what:
                    with self.trial():
                        self.happens(what)
                self.nothing_owned("the device is unbound")
                with self.trial():
                    self.bound(machine, self.full)
                self.unload()

    def broken(self) -> None:
        """A driver that looks at two bits of an ACPI device's status refuses one without either."""
        for machine, *_ in self.kinds:
            if not isinstance(machine.frontend, AcpiFrontend):
                continue
            taken = {bits: self._takes(machine, bits) for bits in BROKEN}
            if taken == dict.fromkeys(BROKEN, True) | {BROKEN[-1]: False}:
                message = (
                    "probe takes a device that ACPI has switched off, and one that does not work: "
                    "it refuses one that is both"
                )
                raise self.found("RUN307", message, self.core.probe(machine))

    def _takes(self, machine: Machine, missing: tuple[str, ...]) -> bool:
        """Whether a device is bound without these bits of its status."""
        with self.trial():
            self.core.acpi.status(machine, missing)
            return self.bind(machine, self.full) == 0
        return False

    def nothing_owned(self, when: str) -> None:
        """Nothing unmanaged is left of devices.

        Raises:
            DefectError: something is.
        """
        for key, value in self.world.kernel.items():
            if isinstance(key, tuple) and key[0] == "owned":
                raise self.found("RUN304", f"{value[0]} is not released when {when}", value[1])

    def reading(self) -> None:
        """Whatever the register may read as."""
        for machine, *_ in self.kinds[:1]:
            for raw in self.contract.capabilities():
                with self.trial():
                    self.bound(machine, raw)
                    self.shows(machine)
                    for what in self.what:
                        with self.trial():
                            self.happens(what)
                    self.unbind(machine)
                    self.hooked()

    def masks(self) -> None:
        """Every mask of every capability is stored; what is no mask is refused."""
        stored = [item for item in self.contract.spec.sysfs if item.store is not None]
        for machine, *_ in self.kinds[:1]:
            for raw in self.contract.capabilities()[: 1 << len(self.contract.spec.events)]:
                with self.trial():
                    self.bound(machine, raw)
                    for mask in self.contract.masks(self.contract.capability(raw)):
                        with self.trial():
                            if self.set_mask(machine, mask):
                                self._all_happen()
                                self.set_mask(machine, self.contract.capability(raw))
                                self._all_happen()
                    for attribute in stored:
                        store = attribute.store
                        for text in self.contract.texts(store, raw) if store else ():
                            with self.trial():
                                self.stores(machine, attribute, text)

    def _all_happen(self, *loose: Machine) -> None:
        for what in self.what:
            with self.trial():
                self.happens(what, loose)

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
        if result > 0 or (result == 0 and acquires != "sys-off"):
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
        self._all_happen()
        self.bound(machine, self.full)
        self._all_happen()
        self.unbind(machine)
        self.unload()

    def _again(self, machine: Machine) -> None:
        """What has failed for one device is tried again at the next occasion."""
        with self.trial():
            if self.set_mask(machine, self.full):
                self._all_happen()
        other = next(item for item in self.kinds[0] if item.name != machine.name)
        with self.trial():
            self.bound(other, self.full)
            self._all_happen(machine)

    def several(self) -> None:
        """Two and three devices with different masks; each one goes first."""
        first, last = self.kinds[0], self.kinds[-1]
        a, b, c = first[0], last[1], first[2]
        with self.trial():
            self.bound(a, self.full)
            self.bound(b, self.full)
            for mask, other in self.contract.pairs():
                with self.trial():
                    if mask != self.full:
                        self.set_mask(a, mask)
                    if other != self.full:
                        self.set_mask(b, other)
                    self._all_happen()
        for one, other in ((self.full, 0), (0, self.full)):
            with self.trial():
                # What the one reads as says nothing of the other.
                self.bound(a, one)
                self.bound(b, other)
                for machine in (a, b):
                    self.shows(machine)
                self._all_happen()
                for machine in (a, b):
                    self.unbind(machine)
        for order in ((a, b, c), (b, c, a), (c, a, b)):
            with self.trial():
                for machine in (a, b, c):
                    self.bound(machine, self.full)
                for machine in order:
                    self._all_happen()
                    self.unbind(machine)
                self._all_happen()
                self.unload()
