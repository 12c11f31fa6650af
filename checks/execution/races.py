# SPDX-License-Identifier: GPL-2.0-or-later
"""Two users of the driver at once: stores, bindings and unbindings, interleaved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checks.errnos import returned
from checks.execution.contract import written
from checks.execution.explorer import OF_LOCKS
from checks.execution.faults import BlockedError, DefectError
from checks.execution.moments import Moments
from checks.execution.turns import Recorder, Turns
from gen.model import Mask, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.execution.machine import Machine
    from gen.model import Attribute

# More accesses to what both tasks access than any driver makes.
_MANY = 200


@dataclass(frozen=True)
class Act:
    """What one of the two does: stores `mask`, binds the device (None), or unbinds it (-1)."""

    machine: Machine
    mask: int | None

    @property
    def unbinds(self) -> bool:
        """Whether it takes the device away."""
        return self.mask == -1


@dataclass(frozen=True)
class Pair:
    """Two acts, and the masks of the devices that are bound before."""

    before: tuple[tuple[Machine, int], ...]
    first: Act
    second: Act


class Races(Moments):
    """Runs pairs of acts; what both orders of them do right, every mixture has to do right."""

    def together(self) -> None:
        """All pairs, until one shows a defect."""
        attribute = next((item for item in self.contract.spec.sysfs if item.store), None)
        for pair in self._pairs(attribute):
            with self.trial():
                for machine, mask in pair.before:
                    self.bound(machine, self.full)
                    if mask != self.full:
                        self.set_mask(machine, mask)
                if (hot := self._contended(pair)) and not self._mixed(pair, hot):
                    return

    def _pairs(self, attribute: Attribute | None) -> Iterator[Pair]:
        """The pairs that are tried."""
        a, b, full = self.kinds[0][0], self.kinds[-1][1], self.full
        if attribute is not None:
            bits = [event.value for event in self.contract.spec.events]
            for before, one, other in (
                (full, 0, 0), (0, full, 0), (0, full, full), (full, 0, full),
                (0, bits[0], bits[-1]),
            ):  # fmt: skip
                yield Pair(((a, before),), Act(a, one), Act(a, other))
            for mask in (0, full):
                for other in (0, full):
                    both = ((a, mask), (b, other))
                    yield Pair(both, Act(a, full - mask), Act(b, full - other))
                yield Pair(((a, mask),), Act(a, full - mask), Act(b, None))
                yield Pair(((a, mask), (b, full)), Act(a, full - mask), Act(b, -1))
        yield Pair((), Act(a, None), Act(b, None))
        yield Pair(((a, full),), Act(a, -1), Act(b, None))
        yield Pair(((a, full), (b, full)), Act(a, -1), Act(b, -1))

    def _contended(self, pair: Pair) -> set[Any]:
        """What both acts access and one changes; nothing if one after the other goes wrong."""
        found: set[Any] = set()
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            mark, told = len(self.world.journal), len(self.story)
            try:
                with Recorder(self.world) as recorder:
                    recorder.next()
                    self._act(one)
                    recorder.next()
                    self._act(other)
                self._agreed(one, other)
            except (DefectError, BlockedError):
                return set()
            finally:
                self.world.rollback(mark)
                del self.story[told:]
            found |= recorder.contended()
        return found

    def _mixed(self, pair: Pair, hot: set[Any]) -> bool:
        """Try each mixture; whether all were right."""
        number = 0
        while number < _MANY:
            turns = Turns(self.world, hot, number, None)
            if not self._mixture(pair, turns):
                return False
            if turns.reached[0] <= number:
                return True
            # The second one gives way, too, unless it had to wait: then that was tried.
            for second in range(1, 0 if turns.waited else turns.reached[1]):
                again = Turns(self.world, hot, number, second)
                if not self._mixture(pair, again):
                    return False
                if again.waited:
                    break
            number = turns.alike + 1
        return True

    def _mixture(self, pair: Pair, turns: Turns) -> bool:
        """Run one of them; whether it was right."""
        before = list(self.shown)
        with self.trial():
            try:
                turns.run(lambda: self._act(pair.first), lambda: self._act(pair.second))
                with self.keeping():
                    self._agreed(pair.first, pair.second)
            except DefectError as error:
                self._tell(pair, turns)
                if error.rule in OF_LOCKS:
                    raise
                message = f"two users at once: {error.message}"
                raise DefectError("RUN313", message, error.span, error.spec) from error
        return list(self.shown) == before

    def _tell(self, pair: Pair, turns: Turns) -> None:
        here, there = turns.stops
        self.tell(f"{self._told(pair.first)}, as far as {here}")
        until = f", as far as {there}" if there else ""
        self.tell(f"meanwhile {self._told(pair.second)}{until}; then both go on to their ends")

    def _told(self, act: Act) -> str:
        if act.mask is None or act.unbinds:
            return f"{act.machine} {'is unbound' if act.unbinds else 'binds'}"
        attribute, text = self._writing(act)
        return f"user space writes {text!r} to '{attribute.name}' of {act.machine}"

    def _writing(self, act: Act) -> tuple[Attribute, str]:
        """The attribute that is written, and the text."""
        attribute = next(item for item in self.contract.spec.sysfs if item.store)
        store = attribute.store
        return attribute, written(store.base if store else 0, act.mask or 0)

    def _act(self, act: Act) -> None:
        """Do what one of the two does.

        Raises:
            DefectError: that fails.
        """
        core, machine = self.core, act.machine
        if act.unbinds:
            core.unbind(machine)
            return
        if act.mask is None:
            machine.capability = self.full
            if result := core.bind(machine):
                self.guessed()
                raise self.found("RUN307", f"probe fails with {returned(result)}", self.world.at)
            return
        attribute, text = self._writing(act)
        found = core.attributes(machine).get(attribute.name)
        if found is None or not found[2]:
            return
        result = core.store(machine, found, text)
        if result != len(text):
            message = f"writing {text!r} to '{attribute.name}' returns {result}, not {len(text)}"
            raise self.found("RUN303", message, found[2])

    def _agreed(self, first: Act, second: Act) -> None:
        """The end is one that the two acts may have.

        Raises:
            DefectError: it is not.
        """
        world = self.world
        for act in (first, second):
            if act.unbinds:
                world.remove(self.enabled, act.machine)
            else:
                mask = self.full if act.mask is None else act.mask
                world.put(self.enabled, act.machine, mask)
        if first.machine is second.machine:
            self._one_of(first, second)
        for machine in {first.machine, second.machine} & set(self.enabled):
            self.shows(machine)
        self.quiet("two users at once")
        self.hooked()
        for what in self.what:
            # Panics walk the list, which their own scenarios try; these need a handler.
            if what.trigger is not Trigger.PANIC and self.contract.event(what):
                self.happens(what)

    def _one_of(self, first: Act, second: Act) -> None:
        """Take the mask that the device shows for its mask, if one of the two stored it."""
        machine = first.machine
        for attribute in self.contract.spec.sysfs:
            found = self.core.attributes(machine).get(attribute.name)
            if attribute.shows is Mask.CAPABILITY or found is None or not found[1]:
                continue
            _, text = self.core.show(machine, found)
            capability = self.contract.capability(machine.capability)
            for mask in (first.mask, second.mask):
                if mask is not None and text == self.contract.shown(attribute, capability, mask):
                    self.world.put(self.enabled, machine, mask)
