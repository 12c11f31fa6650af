# SPDX-License-Identifier: GPL-2.0-or-later
"""Comparing what a driver does with the contract: what devices are told, what attributes show."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from checks.errnos import returned
from checks.execution.contract import Happening, written
from checks.execution.core import MODES, OOPS, STATE
from checks.execution.devices import outstanding
from checks.execution.faults import DefectError, DoubtError, UnknownError
from checks.execution.hooks import RESTART, STOP
from checks.execution.state import Task
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.execution.machine import Machine
    from gen.model import Attribute


from checks.execution.explorer import Explorer

# What the kernel says of itself meanwhile.
_STATES = {Trigger.PANIC: "SYSTEM_RUNNING", Trigger.CRASH_KERNEL: "SYSTEM_RUNNING",
           Trigger.POWER_OFF: "SYSTEM_POWER_OFF", Trigger.RESTART: "SYSTEM_RESTART"}  # fmt: skip


class Comparer(Explorer):
    """An explorer that knows what has to happen."""

    def happens(
        self,
        what: Happening,
        loose: tuple[Machine, ...] = (),
        over: Task | None = None,
        when: str = "",
        state: str = "",
    ) -> None:
        """Let something happen and compare what devices are told; `loose` ones are in between.

        `state` names how far the machine has come, if it does not just run or go off.

        Raises:
            DefectError: it is not what the contract says.
        """
        core, world = self.core, self.world
        self.tell(f"{what}{when}")
        panic = what.trigger is Trigger.PANIC
        world.put(world.kernel, "log", ())
        world.put(world.kernel, "stranger", None)
        world.put(world.kernel, "crash", int(what.crash))
        world.put(core.program.outside[OOPS][0].cells, 0, int(panic))
        number = core.state(state or _STATES[what.trigger])
        world.put(core.program.outside[STATE][0].cells, 0, number)
        task = Task(what.trigger.value, "a panic must not sleep" if panic else "", over)
        task.same_cpu = over is not None
        before = world.task
        world.task = task
        try:
            results = core.panic() if panic else core.leave(what.trigger)
        finally:
            world.task = before
        self._compare(what, loose, task)
        if any(result & STOP for result in results):
            message = f"its result stops the chain: nobody else is told of the {what}"
            raise self.found("RUN308", message, self._handler(what))

    def _compare(self, what: Happening, loose: tuple[Machine, ...], task: Task) -> None:
        event = self.contract.event(what)
        log: dict[Machine, list[tuple[int, Any, tuple[Any, ...]]]] = {}
        for machine, *access in self.world.kernel.get("log", ()):
            log.setdefault(machine, []).append((access[0], access[1], access[2]))
        for machine in self.core.devices.machines:
            if machine not in log and machine not in self.enabled:
                continue
            told = log.get(machine, [])
            wanted = event is not None and bool(self.enabled.get(machine, 0) & event.value)
            self._unwanted(what, machine, told, may=wanted or machine in loose)
            if wanted and not told and machine not in loose:
                raise self._missing(what, machine, task)

    def _unwanted(
        self,
        what: Happening,
        machine: Machine,
        told: list[tuple[int, Any, tuple[Any, ...]]],
        *,
        may: bool,
    ) -> None:
        """Nothing else has been written to a device.

        Raises:
            DefectError: something has.
        """
        event = self.contract.event(what)
        spec = event.at["bit"] if event else self.contract.spec.event_register.at["write"]
        allowed = event is not None and bool(
            event.value & self.contract.capability(machine.capability)
        )
        for number, (value, at, calls) in enumerate(told):
            wrong = f"on {what}, {value:#x} is written to {machine}"
            if event is None:
                raise self.found(
                    "RUN301", f"{wrong}, but no event of the spec reports it", at, spec
                )
            if value != event.value:
                raise self.found("RUN301", f"{wrong} instead of {event.value:#x}", at, spec)
            if not may or not allowed:
                why = "whose mask does not have this event" if allowed else "which cannot take it"
                raise self.found("RUN301", f"{wrong}, {why}", at, spec)
            if number:
                # Where the two ways to the same write part, if they do.
                ways = zip(calls, told[0][2], strict=False)
                parting = next((one for one, other in ways if one is not other), at)
                raise self.found("RUN301", f"{wrong} more than once", parting, spec)

    def _missing(self, what: Happening, machine: Machine, task: Task) -> DefectError:
        """A device has not been told what it wants to be told."""
        event = self.contract.event(what)
        spec = event.at["trigger"] if event else None
        if task.lost is not None:
            message = f"the {what} is lost: its path gives up because somebody holds the lock"
            return self.found("RUN311", message, task.lost, spec)
        handler = self._handler(what)
        refused = self.world.kernel.get("refused")
        if handler is None and refused is not None:
            message = f"{machine} is not told of {what}: its handler was refused as the second one"
            return self.found("RUN312", message, refused, spec)
        if handler is None:
            self.called_back("RUN308")
            message = f"{machine} wants to be told of {what}, but nothing is registered for it"
            kind = "notifier" if what.trigger is Trigger.PANIC else "sys-off"
            return self.found("RUN308", message, self.core.site(kind), spec)
        message = f"on {what}, nothing is written to {machine}, whose mask has the event"
        stranger = self.world.kernel.get("stranger")
        if stranger is not None:
            raise DoubtError("RUN301", f"{message}, unless {stranger.what} does it", stranger)
        return self.found("RUN301", message, handler, spec)

    def called_back(self, rule: str) -> None:
        """What a function without a model was given may be called in a way that is not known.

        Raises:
            DoubtError: there is such a thing.
        """
        site = self.world.kernel.get("called back")
        if site is not None:
            raise DoubtError(rule, f"what {site.what} calls, and when, is open", site)

    def _handler(self, what: Happening) -> Any:
        """The driver's function that is called when something happens."""
        core, world = self.core, self.world
        if what.trigger is not Trigger.PANIC:
            mode = core.types.constants.get(MODES[what.trigger][-1])
            handlers = core.hooks.handlers(mode) if mode is not None else []
            if handlers or what.trigger is not Trigger.RESTART:
                return handlers[0].data[2] if handlers else None
        layout = core.types.struct("notifier_block")
        chain = RESTART if what.trigger is Trigger.RESTART else (core.chain(), 0)
        for obj, at in world.kernel.get(("chain", chain), ()):
            return obj.cells.get(at + layout.member("notifier_call")[0])
        return None

    def unbind(self, machine: Machine) -> None:
        """Unbind a device."""
        self.tell(f"{machine} is unbound")
        self.world.remove(self.enabled, machine)
        self.core.unbind(machine)
        self.quiet("unbinding a device")
        if not self.enabled and not self.core.leaving(machine):
            self.nothing_owned("the device is unbound: its driver has no remove callback")
        self.hooked()

    def nothing_owned(self, when: str) -> None:
        """Nothing unmanaged is left of devices.

        Raises:
            DefectError: something is.
        """
        for key in outstanding(self.world.kernel):
            what, at = self.world.kernel[key]
            self.kept(key[1])
            raise self.found("RUN304", f"{what} is not released when {when}", at)

    # Attributes

    def shows(self, machine: Machine) -> None:
        """Each attribute shows what it has to.

        Raises:
            DefectError: one does not.
        """
        if machine.frontend.attributes is None:
            return  # a release whose devices on this bus had none
        present = self.core.attributes(machine)
        for attribute in self.contract.spec.sysfs:
            found = present.get(attribute.name)
            if found is None:
                self.called_back("RUN303")
                message = f"'{attribute.name}' is not among the attributes of a bound device"
                if attribute.name in self.core.hidden:
                    message += ": is_visible() of its group hides it"
                place = self.core.places[machine.frontend.name]
                raise DefectError("RUN303", message, place, attribute.at.item)
            if not found[1]:
                continue
            capability = self.contract.capability(machine.capability)
            wanted = self.contract.shown(attribute, capability, self.enabled[machine])
            if wanted is None:
                raise UnknownError("this format is not modelled", attribute.at["format"])
            with self.keeping():
                result, text = self.core.show(machine, found)
            if text != wanted or result != len(wanted):
                what = f"'{attribute.name}' shows {text!r}"
                more = f" and returns {result}" if result != len(text) else ""
                message = f"{what}{more}, the spec says {wanted!r}"
                raise self.found("RUN303", message, found[1], attribute.at["shows"])
            self.quiet("reading an attribute")

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """A step that does not become part of the tale."""
        told = len(self.story)
        yield
        del self.story[told:]

    def stores(self, machine: Machine, attribute: Attribute, text: str) -> None:
        """Write to an attribute and compare the result.

        Raises:
            DefectError: it is not what the contract says.
        """
        found = self.core.attributes(machine).get(attribute.name)
        if found is None or not found[2] or attribute.store is None:
            return
        self.tell(f"user space writes {text!r} to '{attribute.name}' of {machine}")
        capability = self.contract.capability(machine.capability)
        wanted = self.contract.stored(attribute.store, text, capability)
        result = self.core.store(machine, found, text)
        spec = attribute.store.at.item
        if isinstance(wanted, int):
            self.world.put(self.enabled, machine, wanted)
            if result != len(text):
                what = f"writing {text!r} to '{attribute.name}' returns {returned(result)}"
                message = f"{what}, not {len(text)}"
                raise self.found("RUN303", message, found[2], spec)
        elif result not in wanted:
            codes = " or ".join(returned(code) for code in sorted(wanted))
            what = f"writing {text!r} to '{attribute.name}' returns {returned(result)}"
            message = f"{what}, not {codes}"
            raise self.found("RUN303", message, found[2], spec)
        self.quiet("writing to an attribute")
        self.hooked()
        self.shows(machine)

    def set_mask(self, machine: Machine, mask: int) -> bool:
        """Have a device's mask set through the attribute that does, if there is one."""
        for attribute in self.contract.spec.sysfs:
            if attribute.store is not None:
                self.stores(machine, attribute, written(attribute.store.base, mask))
                return self.enabled[machine] == mask
        return False
