# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver does besides, seen by running it: what no spec of this class has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.execution.core import MODES
from checks.execution.hooks import STOP
from gen.model import Trigger

if TYPE_CHECKING:
    from checks.contract.masks import Masks
    from checks.execution.machine import Machine
    from gen.source import Span

STOPS = "stops the chain of panic notifiers"
SINGLE = "binds one device only"
FIRST = "tells one of several devices only"
TWICE = "tells a device twice"
CHOOSY = "refuses a device that takes {}"
NOISY = "tells a device {:#x} while it {} it"
KEEPS = "keeps its power-off handler while no device wants it"


class Besides:
    """Watches a driver that is run with the first of its devices.

    `words` is what it does, each with its place where one is known.
    """

    def __init__(self, masks: Masks) -> None:
        self.masks, self.core, self.full = masks, masks.core, masks.full
        self.words: dict[str, Span | None] = {}

    def _say(self, word: str, at: Span | None = None) -> None:
        """Note what is done; without a place, where the driver is now."""
        self.words.setdefault(word, at or self.core.world.span())

    def watch(self, machine: Machine, other: Machine) -> None:
        """Try out two devices of one kind, which have all that their driver asks for."""
        explorer = self.masks.explorer
        known, shown = explorer.unknown, dict(explorer.shown)
        explorer.unknown = {}
        for step in (self._noise, self._chain, self._several, self._narrow, self._unwanted):
            with explorer.trial():
                self.masks.load()
                if self.masks.bind(machine, self.full):
                    step(machine, other)
        # What keeps this from being seen says nothing of what was seen before.
        explorer.unknown, explorer.shown = known, shown

    def _noise(self, machine: Machine, _other: Machine) -> None:
        """Whether an event is sent although nothing happened but a bind or an unbind."""
        world = self.core.world
        for verb in ("binds", "unbinds"):
            if verb == "unbinds":
                world.put(world.kernel, "log", ())
                self.core.unbind(machine)
            for item in world.kernel.get("log", ()):
                self._say(NOISY.format(item[1], verb), item[2]())

    def _chain(self, _machine: Machine, _other: Machine) -> None:
        if any(result & STOP for result in self.masks.panic()):
            answer = self.core.world.returned
            self._say(STOPS, answer() if answer else None)

    def _several(self, machine: Machine, other: Machine) -> None:
        if not self.masks.bind(other, self.full):
            self._say(SINGLE)
            return
        self.masks.panic()
        log = self.core.world.kernel.get("log", ())
        told = [item[:2] for item in log]
        if told and not {machine, other} <= {one for one, _ in told}:
            self._say(FIRST, log[0][2]())
        again = next((item for n, item in enumerate(log) if item[:2] in told[:n]), None)
        if again is not None:
            self._say(TWICE, again[2]())

    def _narrow(self, machine: Machine, other: Machine) -> None:
        self.core.unbind(machine)
        bits = [1 << bit for bit in range(self.full.bit_length()) if self.full >> bit & 1]
        for raw in dict.fromkeys([*(self.full & ~bit for bit in bits), *bits, 0]):
            if not self.masks.bind(other, raw):
                self._say(CHOOSY.format(f"{raw:#x} and no more" if raw else "no event"))
                return
            self.core.unbind(other)

    def _unwanted(self, machine: Machine, _other: Machine) -> None:
        handlers = self.core.hooks.handlers
        number = self.core.types.constants.get(MODES[Trigger.POWER_OFF][-1])
        off = self.masks.switch(0)
        if number is None or off is None or not handlers(number):
            return
        if any(self.masks.seen.unmasked.values()):
            return  # then it is told of the mask
        if self.masks.takes(machine, off) and handlers(number):
            self._say(KEEPS, handlers(number)[0].data[4]())
            return
        whole = self.masks.switch(self.full)
        if self.masks.takes(machine, whole):
            self.core.unbind(machine)
            if handlers(number):
                self._say(KEEPS, handlers(number)[0].data[4]())
