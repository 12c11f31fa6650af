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

STOPS = "stops the chain of panic notifiers"
SINGLE = "binds one device only"
FIRST = "tells one of several devices only"
TWICE = "tells a device twice"
CHOOSY = "refuses a device that lacks an event"
KEEPS = "keeps its power-off handler while no device wants it"


class Besides:
    """Watches a driver that is run with the first of its devices; `words` is what it does."""

    def __init__(self, masks: Masks) -> None:
        self.masks, self.core, self.full = masks, masks.core, masks.full
        self.words: list[str] = []

    def watch(self, machine: Machine, other: Machine) -> None:
        """Try out two devices of one kind, which have all that their driver asks for."""
        explorer = self.masks.explorer
        known, shown = explorer.unknown, dict(explorer.shown)
        explorer.unknown = {}
        for step in (self._chain, self._several, self._narrow, self._unwanted):
            with explorer.trial():
                self.masks.load()
                if self.masks.bind(machine, self.full):
                    step(machine, other)
        # What keeps this from being seen says nothing of what was seen before.
        explorer.unknown, explorer.shown = known, shown

    def _chain(self, _machine: Machine, _other: Machine) -> None:
        if any(result & STOP for result in self._panic()):
            self.words.append(STOPS)

    def _panic(self) -> list[int]:
        world = self.core.world
        world.put(world.kernel, "log", ())
        self.core.task("panic", "a panic must not sleep")
        return [int(result) for result in self.core.panic()]

    def _several(self, machine: Machine, other: Machine) -> None:
        if not self.masks.bind(other, self.full):
            self.words.append(SINGLE)
            return
        self._panic()
        told = [item[:2] for item in self.core.world.kernel.get("log", ())]
        if told and not {machine, other} <= {one for one, _ in told}:
            self.words.append(FIRST)
        if len(told) > len(set(told)):
            self.words.append(TWICE)

    def _narrow(self, machine: Machine, other: Machine) -> None:
        self.core.unbind(machine)
        lowest = self.full & -self.full
        for raw in (self.full & ~lowest, lowest, 0):
            if not self.masks.bind(other, raw):
                self.words.append(CHOOSY)
                return
            self.core.unbind(other)

    def _unwanted(self, machine: Machine, _other: Machine) -> None:
        number = self.core.types.constants.get(MODES[Trigger.POWER_OFF][-1])
        off = self.masks.switch(0)
        if number is None or off is None or not self.core.hooks.handlers(number):
            return
        if any(self.masks.seen.unmasked.values()):
            return  # then it is told of the mask
        if self.masks.takes(machine, off) and self.core.hooks.handlers(number):
            self.words.append(KEEPS)
            return
        whole = self.masks.switch(self.full)
        if self.masks.takes(machine, whole):
            self.core.unbind(machine)
            if self.core.hooks.handlers(number):
                self.words.append(KEEPS)
