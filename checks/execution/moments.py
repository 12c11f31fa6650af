# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of unlucky moments: a panic at each step, another CPU beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.execution.comparing import Comparer
from checks.execution.contract import Happening
from checks.execution.faults import BlockedError
from checks.execution.machine import IO, MEMORY
from checks.execution.world import FUEL
from gen.frontend import PlatformFrontend, ResourceKind
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.execution.core import Core
    from checks.execution.machine import Machine
    from gen.source import Span

SPACES = {ResourceKind.IO: IO, ResourceKind.MEMORY: MEMORY}


class Moments(Comparer):
    """Interrupts the driver; `kinds` has three devices of each kind, `what` all that may happen.

    `single` says that the driver knows one device only, as releases before the frontends did.
    """

    def __init__(self, core: Core, fallback: Span, gates: Callable[[str], bool]) -> None:
        super().__init__(core, fallback)
        self.gates = gates
        self.kinds = list(self._kinds())
        self.single = bool(core.spec.later)
        self.full = self.contract.known
        self.what = [
            what
            for what in self.contract.happenings()
            if what.trigger is Trigger.PANIC or core.program.kernel.has("register_sys_off_handler")
        ]

    def _kinds(self) -> Iterator[tuple[Machine, ...]]:
        """Three devices of each kind: by frontend and, on the platform bus, resource."""
        for frontend in self.core.spec.frontends:
            if frontend.name not in self.core.drivers:
                continue
            spaces = [MEMORY]
            if isinstance(frontend, PlatformFrontend):
                spaces = [SPACES[kind] for kind in ResourceKind if kind in frontend.kinds]
            for space in spaces:
                yield tuple(self.core.devices.make(name, frontend, space) for name in "ABC")

    def _some_masks(self) -> list[int]:
        bits = [event.value for event in self.contract.spec.events]
        return list(dict.fromkeys([self.full, 0, *bits]))

    def interrupted(self) -> None:
        """A panic at each step of binding, storing and unbinding, with another device there."""
        first, last = self.kinds[0], self.kinds[-1]
        a, b = first[0], last[1]
        with self.trial():
            if not self.single:
                self.bound(b, self.full)
            with self.trial():
                self._panic_at_steps(a)
                self.bind(a, self.full)
            with self.trial():
                self.bound(a, self.full)
                for mask in self._some_masks()[1:]:
                    with self.trial():
                        self._panic_at_steps(a)
                        self.set_mask(a, mask)
            with self.trial():
                self.bound(a, self.full)
                self._panic_at_steps(a)
                self.unbind(a)

    def _panic_at_steps(self, machine: Machine) -> None:
        """From now on a panic is tried out at each step of the driver."""
        world = self.world
        event = Happening(Trigger.PANIC)
        what = event if self.contract.event(event) else Happening(Trigger.PANIC, crash=True)

        def step() -> None:
            mark, told, at, depth = len(world.journal), len(self.story), world.at, world.depth
            log = world.kernel.get("log", ())
            world.step, world.fuel = None, FUEL
            when = f" on the same CPU, at {at() if at else 'a step of the kernel'}"
            self.happens(what, (machine,), world.task, when)
            world.settle()
            world.rollback(mark)
            del self.story[told:]
            world.step, world.fuel, world.at, world.depth = step, 0, at, depth
            if world.kernel.get("log", ()) != log:
                raise AssertionError("a rollback that restores nothing")

        world.step, world.fuel = step, 0

    def beside(self) -> None:
        """Another CPU unbinds a device while a panic or a power-off goes through the devices."""
        a, b = self.kinds[0][0], self.kinds[-1][1]
        for what in self.what:
            if self.contract.event(what) is None:
                continue
            with self.trial():
                there = (a,) if self.single else (a, b)
                for machine in there:
                    self.bound(machine, self.full)
                for gone in there:
                    number = 0
                    while self._beside_at(what, gone, number):
                        number += 1

    def _beside_at(self, what: Happening, gone: Machine, number: int) -> bool:
        """The other CPU acts at one step; whether there was such a step."""
        world, core = self.world, self.core
        left = [number]

        def step() -> None:
            if left[0]:
                left[0] -= 1
                return
            left[0] = -1
            task, at, depth = world.task, world.at, world.depth
            world.step, world.fuel = None, FUEL
            core.over = task
            self.tell(f"meanwhile another CPU unbinds {gone}")
            try:
                core.unbind(gone)
            except BlockedError:
                self.story[-1] += ", and waits"
            core.over, world.task, world.at, world.depth = None, task, at, depth

        with self.trial():
            world.step, world.fuel = step, 0
            self.happens(what, loose=(gone,))
        world.fuel = FUEL
        return left[0] == -1 and number < 200  # noqa: PLR2004 (more steps than any driver has)
