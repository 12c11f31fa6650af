# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver does, where reading its text is not enough: it is run, and watched.

The driver is given a device whose registers are those that its own text accesses. Which event a
trigger sends is what is then written to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.contract.besides import Besides
from checks.contract.masks import Masks
from checks.contract.observed import Observed
from checks.execution.contract import Happening
from checks.execution.core import Core
from checks.execution.explorer import Explorer
from checks.execution.faults import SURPRISES, UnknownError
from checks.execution.machine import IO, MEMORY
from checks.execution.older import variants
from checks.execution.state import Task
from checks.rule import Context
from gen.frontend import PlatformFrontend, ResourceKind
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checks.execution.machine import Machine
    from checks.facts import DriverFacts
    from checks.parse import Unit
    from gen.model import Device
    from gen.source import Span

HAPPENINGS = (
    Happening(Trigger.PANIC),
    Happening(Trigger.PANIC, crash=True),
    Happening(Trigger.POWER_OFF),
    Happening(Trigger.RESTART),
)


def observe(
    device: Device, facts: DriverFacts, units: tuple[Unit, ...], bases: Mapping[str, int], at: Span
) -> Observed:
    """Run a driver and watch it.

    Args:
        device: a device made from the driver's own text.
        facts: the driver.
        units: the same, parsed.
        bases: the number base in which each attribute is written.
        at: the place to name where there is no better one.
    """
    seen, context = Observed(), Context(device, facts, units)
    try:
        for variant in variants(context) if device.later else [None]:
            explorer = Explorer(Core(context, units, variant), at)
            # What is read off a driver rests on nothing that may be otherwise.
            explorer.world.questions.strict = True
            _Watcher(explorer, seen, bases).watch()
    except UnknownError as error:
        seen.why, seen.at = error.why, error.span
    except (*SURPRISES, RecursionError):
        seen.why = "it has a construct with which it cannot be tried out"
    return seen


class _Watcher(Masks):
    def watch(self) -> None:
        """Watch one device after the other, until one has shown its attributes."""
        if not self._loads():
            return
        for machine in self._machines():
            sent = self._every(machine, self.full)
            if sent:
                self._triggers(sent)
                self.negotiates(machine)
            self.masks(machine)
            if self.seen.initial:
                # What is off at first is sent once it is on.
                self._triggers(self._every(machine, self.full, self.switch(self.known())))
            self._heeds(machine)
            if self.seen.shows:
                break  # a device of another bus may have no attributes to watch
        self._accepts()
        if not self.core.spec.later:
            self._besides()
        self._blame()

    def _besides(self) -> None:
        """What the driver does besides, with devices of the first kind that is told anything."""
        for frontend in self.core.spec.frontends:
            if frontend.name not in self.core.drivers or not self.seen.triggers:
                continue
            io = (
                isinstance(frontend, PlatformFrontend) and ResourceKind.MEMORY not in frontend.kinds
            )
            pair = [self.core.devices.make(name, frontend, IO if io else MEMORY) for name in "CD"]
            watcher = Besides(self)
            watcher.watch(pair[0], pair[1])
            self.seen.besides = watcher.words
            return

    def _loads(self) -> bool:
        """Whether every module can be loaded."""
        with self.explorer.trial():
            for unit in self.core.modules:
                if self.core.load(unit) < 0:
                    file = unit.unit.file
                    self.seen.refusing, self.seen.at = file, file.start
                    self.seen.why = f"the module of {file.path.name} refuses to be loaded"
                    return False
        return True

    def _every(
        self, machine: Machine, raw: int, switch: tuple[str, str] | None = None
    ) -> dict[Happening, set[int]]:
        """What is sent on each happening by a driver that is bound to a device.

        Args:
            machine: the device.
            raw: its capability.
            switch: an attribute and the text to write to it first.
        """
        sent: dict[Happening, set[int]] = {}
        for happening in HAPPENINGS:
            with self.explorer.trial():
                self.load()
                if self.bind(machine, raw) and self.takes(machine, switch):
                    sent[happening] = self._send(happening)
        return sent

    def _heeds(self, machine: Machine) -> None:
        """What is sent to a device that takes nothing, and what though the mask is 0."""
        for values in self._every(machine, 0).values():
            self.seen.unasked |= values
        off = self.switch(0)
        if off is not None:
            for values in self._every(machine, self.full, off).values():
                self.seen.unmasked.setdefault(off[0], set()).update(values)

    def _accepts(self) -> None:
        """Which drivers refuse a device that has all that they ask for."""
        for frontend in self.core.spec.frontends:
            if frontend.name not in self.core.drivers:
                continue
            platform = isinstance(frontend, PlatformFrontend)
            for kind in frontend.kinds if isinstance(frontend, PlatformFrontend) else (None,):
                place = IO if kind is ResourceKind.IO else MEMORY
                machine = self.core.devices.make("B", frontend, place)
                asked, told = (frontend.name, kind if platform else None), self.explorer.unknown
                self.explorer.unknown = {}
                with self.explorer.trial():
                    self.load()
                    if self.bind(machine, self.full):
                        self._send(HAPPENINGS[0])
                    else:
                        self.seen.refused.add(asked)
                self.seen.touched.setdefault(frontend.name, {}).update(machine.touched)
                for why in self.explorer.unknown.items():
                    self.seen.open[asked] = why
                self.explorer.unknown = told | self.explorer.unknown

    def _machines(self) -> Iterable[Machine]:
        for frontend in self.core.spec.frontends:
            if frontend.name in self.core.drivers:
                memory = not isinstance(frontend, PlatformFrontend) or (
                    ResourceKind.MEMORY in frontend.kinds
                )
                yield self.core.devices.make("A", frontend, MEMORY if memory else IO)

    def _send(self, what: Happening) -> set[int]:
        """The values that are written to devices when something happens."""
        world = self.core.world
        world.put(world.kernel, "log", ())
        world.put(world.kernel, "crash", int(what.crash))
        panic = what.trigger is Trigger.PANIC
        world.task = Task(what.trigger.value, "a panic must not sleep" if panic else "", None)
        if panic:
            self.core.panic()
        elif self.core.program.kernel.has("register_sys_off_handler"):
            self.core.leave(what.trigger)
        return {item[1] for item in world.kernel.get("log", ())}

    def _triggers(self, sent: Mapping[Happening, set[int]]) -> None:
        """Which trigger each value tells of; a crash kernel counts if it makes a difference.

        The same value is sent then as without one, or another one, or nothing.
        """
        plain, crash = (sent.get(HAPPENINGS[index]) for index in (0, 1))
        for happening in HAPPENINGS:
            trigger = happening.trigger
            if happening.crash:
                if plain is None or crash is None:
                    continue
                trigger = Trigger.CRASH_KERNEL
            for value in sent.get(happening, ()):
                known = self.seen.triggers.get(value, ())
                if trigger not in known and not (happening.crash and crash == plain):
                    self.seen.triggers[value] = (*known, trigger)
        if plain and crash is not None and not crash:
            self.seen.silent |= plain
        self.seen.complete = len(sent) == len(HAPPENINGS)

    def _blame(self) -> None:
        """What kept the interpreter from seeing more."""
        for why, at in self.explorer.unknown.items():
            self.seen.why, self.seen.at = why, at
            return
        for shown in self.explorer.shown.values():
            self.seen.why, self.seen.at = (
                f"the driver misbehaves when run: {shown.message}",
                shown.span,
            )
            return
        self.seen.why = "what it does when it is tried out does not show it"
        if self.seen.refused and not self.seen.shows:
            names = ", ".join(sorted({name for name, _ in self.seen.refused}))
            self.seen.why = f"{names}: every device is refused"
