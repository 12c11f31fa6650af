# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenarios are run: all that matter of a small scope, the shortest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.execution.contract import spellings
from checks.execution.core import NO_ACPI
from checks.execution.failures import Failures
from checks.execution.machine import IO, MEMORY, AcpiFrontend
from gen.frontend import PlatformFrontend, ResourceKind
from gen.model import Trigger

if TYPE_CHECKING:
    from checks.execution.machine import Machine

SPACES = {ResourceKind.IO: IO, ResourceKind.MEMORY: MEMORY}
# Bits of an ACPI device's status that are missing, the last time all of them.
BROKEN = (("enabled",), ("functional",), ("enabled", "functional"))


class Scenarios(Failures):
    """Runs them, stage by stage; a stage that shows a defect is the last one."""

    def run(self) -> None:
        """Run all stages."""
        several = (self.several,) if not self.single else ()
        together = (self.together,) if not self.single else ()
        stages = (
            self.alone, self.one, self.loading, self.broken, self.reading, self.masks,
            self.failing, self.refused, self.files, *several, self.interrupted, self.beside,
            *together,
        )  # fmt: skip
        for stage in stages:
            if any(self.gates(item.rule) for item in self.shown.values()):
                return
            with self.trial():
                if stage != self.loading:
                    self.load()
                stage()
        self.parameters()

    # Stages

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
            self._without_acpi(machine)
            with self.trial():
                self.bound(machine, self.full)
                self.shows(machine)
                for what in self.what:
                    with self.trial():
                        self.happens(what)
                self._at_other_times()
                self.interrupting()
                self.unbind(machine)
                for what in self.what:
                    with self.trial():
                        self.happens(what)
                self.nothing_owned("the device is unbound")
                with self.trial():
                    self.bound(machine, self.full)
                self.unload()

    def _without_acpi(self, machine: Machine) -> None:
        """A device that a device tree describes is bound where there is no ACPI, too."""
        outside, front = self.core.program.outside.get(NO_ACPI), machine.frontend
        if outside is not None and isinstance(front, PlatformFrontend) and front.of:
            with self.trial():
                self.tell("the machine has no ACPI")
                self.world.put(outside[0].cells, 0, 1)
                self.bound(machine, self.full)

    def _at_other_times(self) -> None:
        """A panic while the machine boots or goes off is told like any other."""
        leaving = [
            w for w in self.what if w.trigger is Trigger.POWER_OFF and self.contract.event(w)
        ]
        for first in leaving:
            for second in self.what:
                if second.trigger is Trigger.PANIC:
                    with self.trial():
                        self.happens(first)
                        when = " before the machine is off"
                        self.happens(second, when=when, state="SYSTEM_POWER_OFF")
        for what in self.what:
            if what.trigger is Trigger.PANIC:
                with self.trial():
                    self.happens(what, when=" while the machine boots", state="SYSTEM_BOOTING")

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
                                self.all_happen()
                                self.set_mask(machine, self.contract.capability(raw))
                                self.all_happen()
                    for attribute in stored:
                        store = attribute.store
                        texts = self.contract.texts(store, raw) if store else []
                        if store and raw == self.full:
                            texts += spellings(store.base, raw)
                        for text in texts:
                            with self.trial():
                                self.stores(machine, attribute, text)

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
                    self.all_happen()
        self._unlike(a, b)
        for order in ((a, b, c), (b, c, a), (c, a, b)):
            with self.trial():
                for machine in (a, b, c):
                    self.bound(machine, self.full)
                for machine in order:
                    self.all_happen()
                    self.unbind(machine)
                self.all_happen()
                self.unload()

    def _unlike(self, a: Machine, b: Machine) -> None:
        """Two devices of which one knows no event."""
        for one, other in ((self.full, 0), (0, self.full)):
            with self.trial():
                # What the one reads as says nothing of the other.
                self.bound(a, one)
                self.bound(b, other)
                for machine in (a, b):
                    self.shows(machine)
                self.all_happen()
                for machine in (a, b):
                    # Nor does it of what the other may be told to send.
                    with self.trial():
                        self.set_mask(machine, self.full)
                        self.shows(machine)
                for machine in (a, b):
                    self.unbind(machine)
