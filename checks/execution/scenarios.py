# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenarios are run: all that matter of a small scope, the shortest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.execution.contract import Happening
from checks.execution.devices import ENOMEM, IO, MEMORY
from checks.execution.explorer import Explorer
from checks.execution.faults import BlockedError
from checks.execution.world import ERRORS, FUEL
from gen.model import PlatformFrontend, ResourceKind, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.execution.core import Core
    from checks.execution.devices import Machine
    from gen.source import Span

SPACES = {ResourceKind.IO: IO, ResourceKind.MEMORY: MEMORY}


class Scenarios(Explorer):
    """Runs them, stage by stage; a stage that shows a defect is the last one."""

    def __init__(self, core: Core, fallback: Span, gates: Callable[[str], bool]) -> None:
        super().__init__(core, fallback)
        self.gates = gates
        self.kinds = list(self._kinds())
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

    def run(self) -> None:
        """Run all stages."""
        stages = (
            self.alone, self.one, self.reading, self.masks, self.failing,
            self.several, self.interrupted, self.beside,
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
                    for attribute in stored:
                        store = attribute.store
                        for text in self.contract.texts(store, raw) if store else ():
                            with self.trial():
                                self.stores(machine, attribute, text)

    def _all_happen(self) -> None:
        for what in self.what:
            with self.trial():
                self.happens(what)

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
        """What has failed for one device is tried again when the next one binds."""
        other = next(item for item in self.kinds[0] if item.name != machine.name)
        with self.trial():
            self.bound(other, self.full)
            self._all_happen()

    def several(self) -> None:
        """Two and three devices with different masks; each one goes first."""
        first, last = self.kinds[0], self.kinds[-1]
        a, b, c = first[0], last[1], first[2]
        with self.trial():
            self.bound(a, self.full)
            self.bound(b, self.full)
            for mask in self._some_masks():
                for other in self._some_masks():
                    with self.trial():
                        if mask != self.full:
                            self.set_mask(a, mask)
                        if other != self.full:
                            self.set_mask(b, other)
                        self._all_happen()
        for order in ((a, b, c), (b, c, a), (c, a, b)):
            with self.trial():
                for machine in (a, b, c):
                    self.bound(machine, self.full)
                for machine in order:
                    self._all_happen()
                    self.unbind(machine)
                self._all_happen()
                self.unload()

    def _some_masks(self) -> list[int]:
        bits = [event.value for event in self.contract.spec.events]
        return list(dict.fromkeys([self.full, 0, *bits]))

    def interrupted(self) -> None:
        """A panic at each step of binding, storing and unbinding, with another device there."""
        first, last = self.kinds[0], self.kinds[-1]
        a, b = first[0], last[1]
        with self.trial():
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
                self.bound(a, self.full)
                self.bound(b, self.full)
                for gone in (a, b):
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
