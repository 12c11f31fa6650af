# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver does, where reading its text is not enough: it is run, and watched.

The driver is given a device whose registers are those that its own text accesses. Which event a
trigger sends is what is then written to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.contract.observed import Observed
from checks.execution.contract import Happening, written
from checks.execution.core import Core
from checks.execution.explorer import Explorer
from checks.execution.faults import SURPRISES, UnknownError
from checks.execution.machine import IO, MEMORY
from checks.execution.older import variants
from checks.execution.state import Task
from checks.execution.texts import EINVAL
from checks.rule import Context
from gen.diff.directions import ANYTHING
from gen.frontend import PlatformFrontend, ResourceKind
from gen.model import Mask, Trigger

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
        seen.why = "a construct of a kind that the interpreter does not know"
    return seen


class _Watcher:
    def __init__(self, explorer: Explorer, seen: Observed, bases: Mapping[str, int]) -> None:
        self.explorer, self.core, self.seen, self.bases = explorer, explorer.core, seen, bases
        self.full = explorer.contract.known

    def watch(self) -> None:
        """Watch one device after the other, until one has shown its attributes."""
        for machine in self._machines():
            sent = self._every(machine, self.full)
            if sent:
                self._triggers(sent)
                self._negotiates(machine)
            with self.explorer.trial():
                self._load()
                if self._bind(machine, self.full):
                    self._masks(machine)
            if self.seen.initial:
                # What is off at first is sent once it is on.
                self._triggers(self._every(machine, self.full, self._switch(self._known())))
            self._heeds(machine)
            if self.seen.shows:
                break  # a device of another bus may have no attributes to watch
        self._accepts()
        self._blame()

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
                self._load()
                if self._bind(machine, raw) and self._written(machine, switch):
                    sent[happening] = self._send(happening)
        return sent

    def _written(self, machine: Machine, switch: tuple[str, str] | None) -> bool:
        if switch is None:
            return True
        attribute = self.core.attributes(machine).get(switch[0])
        return attribute is not None and (
            self.core.store(machine, attribute, switch[1]) == len(switch[1])
        )

    def _switch(self, mask: int) -> tuple[str, str] | None:
        """The attribute that holds the mask of what is sent, and a mask as it is written there."""
        shows = self.seen.shows
        names = [name for name in self.bases if shows.get(name) is Mask.ENABLED]
        return (names[0], written(self.bases[names[0]], mask)) if names else None

    def _heeds(self, machine: Machine) -> None:
        """What is sent to a device that takes nothing, and what though the mask is 0."""
        for values in self._every(machine, 0).values():
            self.seen.unasked |= values
        off = self._switch(0)
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
                    self._load()
                    if not self._bind(machine, self.full):
                        self.seen.refused.add(asked)
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

    def _load(self) -> None:
        for unit in self.core.modules:
            self.core.load(unit)

    def _bind(self, machine: Machine, raw: int) -> bool:
        machine.capability = raw
        return self.core.bind(machine) == 0

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

    def _negotiates(self, machine: Machine) -> None:
        """Whether the attributes show a difference when a device has an event that is not sent."""
        bits = [1 << bit for bit in range(self.full.bit_length()) if self.full >> bit & 1]
        for value in (one for one in bits if one not in self.seen.triggers):
            texts = [self._first_shown(machine, raw) for raw in (0, value)]
            if texts[0]:
                self.seen.negotiated[value] = texts[0] != texts[1]

    def _known(self) -> int:
        """The bits of the events that the driver negotiates, as far as that has been seen."""
        strange = sum(bit for bit, known in self.seen.negotiated.items() if not known)
        return self.full & ~strange

    def _first_shown(self, machine: Machine, raw: int) -> dict[str, str]:
        """What the attributes of a device with this capability show at first."""
        with self.explorer.trial():
            self._load()
            if self._bind(machine, raw):
                return self._shown(machine)
        return {}

    def _masks(self, machine: Machine) -> None:
        """Which mask an attribute shows: the one that can be changed, or the other."""
        present = self.core.attributes(machine)
        low = self._known() & -self._known()
        for name, attribute in present.items():
            if not attribute[2] or name not in self.bases:
                continue
            states = [self._shown(machine)]
            for mask in (low, 0, self._known()):
                text = written(self.bases[name], mask)
                if self.core.store(machine, attribute, text) != len(text):
                    if mask in {low, 0}:
                        return
                    break
                states.append(self._shown(machine))
            first, one, none = states[:3]
            for other in one.keys() & none.keys():
                same = one[other] == none[other]
                self.seen.shows[other] = Mask.CAPABILITY if same else Mask.ENABLED
                if not same and first.get(other) != states[-1].get(other) and len(states) > 3:  # noqa: PLR2004 (all masks were taken)
                    self.seen.initial[other] = first.get(other, "").strip()
            self._within(machine, name)

    def _within(self, machine: Machine, name: str) -> None:
        """What becomes of a mask outside the capability, if everything inside is taken."""
        attribute, base = self.core.attributes(machine)[name], self.bases[name]
        spare = next((1 << bit for bit in range(31) if not self.full >> bit & 1), None)
        if spare is None:
            return
        self.core.store(machine, attribute, written(base, 0))
        before, text = self._shown(machine), written(base, spare)
        result = self.core.store(machine, attribute, text)
        bound = Mask.CAPABILITY.value if self._shown(machine) == before else ANYTHING
        if result == len(text) and bound != ANYTHING:
            bound += ", without an error"
        elif result < 0 and (result != -EINVAL or bound == ANYTHING):
            bound += f", with error {-result}"
        whole = written(base, self._known())
        if self.core.store(machine, attribute, whole) == len(whole):
            self.seen.within[name] = bound

    def _shown(self, machine: Machine) -> dict[str, str]:
        present = self.core.attributes(machine)
        return {name: self.core.show(machine, item)[1] for name, item in present.items() if item[1]}

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
        self.seen.why = "running the driver does not tell"
