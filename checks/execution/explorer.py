# SPDX-License-Identifier: GPL-2.0-or-later
"""Acting on a driver and comparing it with the contract, with the tale of how it came to that."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from checks.errnos import returned
from checks.execution.contract import Contract, Happening
from checks.execution.core import MODES
from checks.execution.devices import outstanding
from checks.execution.faults import (
    SURPRISES,
    BlockedError,
    CutError,
    DefectError,
    DoubtError,
    UnknownError,
)
from checks.execution.functions import Function
from checks.execution.hooks import REBOOT, RESTART
from checks.execution.world import FUEL, TOTAL

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from checks.execution.core import Core
    from checks.execution.machine import Machine
    from gen.source import Span
# What is wrong whoever else is there: misuse of locks.
OF_LOCKS = frozenset({"RUN305", "RUN309"})


@dataclass(frozen=True)
class Shown:
    """A defect that a scenario has shown, and the scenario."""

    rule: str
    message: str
    span: Span
    spec: Span | None
    story: tuple[str, ...]
    depends: frozenset[Hashable] = frozenset()


class Explorer:
    """A driver in its kernel beside the contract; `enabled` has the mask of each bound device."""

    def __init__(self, core: Core, fallback: Span) -> None:
        self.core, self.world = core, core.world
        self.contract = Contract(core.spec)
        self.fallback = fallback
        self.enabled: dict[Machine, int] = {}
        self.story: list[str] = []
        self.about: frozenset[str] | None = None  # the rules that a scenario may tell of, or all
        self.world.remarked = self._show
        self.begin()

    def begin(self, left: int = TOTAL) -> None:
        """Start anew: nothing has been shown; `cut` says that an answer has ended a scenario.

        `left` is what all scenarios may cost.
        """
        self.shown: dict[tuple[str, Span], Shown] = {}
        self.unknown: dict[str, Span | None] = {}
        self.open: list[tuple[str, str, Span | None]] = []
        self.cut = False
        self.world.left, self.world.fuel = left, FUEL
        self.core.program.lists.forget()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Something that is undone afterwards, whatever comes of it."""
        world = self.world
        mark, told = len(world.journal), len(self.story)
        try:
            yield
        except DefectError as error:
            self._show(error)
        except CutError:
            self.cut = True
        except DoubtError as error:
            self._doubt(error)
        except UnknownError as error:
            self.unknown.setdefault(error.why, error.span)
        except RecursionError:
            self.unknown.setdefault("nested too deeply", world.span())
        except SURPRISES as error:
            self.unknown.setdefault(f"a value of an unexpected kind ({error})", world.span())
        except BlockedError:
            self.unknown.setdefault("waits for somebody whom the checker does not know", None)
        finally:
            world.left -= max(FUEL - world.fuel, 0) if world.step is None else 0
            world.rollback(mark)
            del self.story[told:]
            world.step, world.fail_at, world.failed, world.depth = None, None, None, 0
            world.calls.clear()
            world.at, self.core.over, world.fuel = None, None, FUEL if world.left > 0 else 0

    def _show(self, error: DefectError) -> None:
        span = error.span or self.world.span() or self.fallback
        key = (error.rule, span)
        books = self.world.kernel
        if error.rule in {*OF_LOCKS, "RUN313"} and (site := books.get("strange lock")) is not None:
            message = f"{error.message}, unless {site.what} has to do with that"
            self._doubt(DoubtError(error.rule, message, site))
            return
        asked = books.get("asked", frozenset())
        shown = Shown(error.rule, error.message, span, error.spec, tuple(self.story), asked)
        if key not in self.shown and (self.about is None or error.rule in self.about):
            self.shown[key] = shown

    def _doubt(self, error: DoubtError) -> None:
        if (word := (error.rule, error.why, error.span)) not in self.open:
            self.open.append(word)

    def found(self, rule: str, message: str, at: Any, spec: Span | None = None) -> DefectError:
        """A defect at what works out a span, at a function of the driver, or nowhere special."""
        if isinstance(at, Function):
            span = at.unit.unit.name_span(at.node.decl)
        else:
            span = at() if at is not None else self.fallback
        return DefectError(rule, message, span, spec)

    def tell(self, step: str) -> None:
        """Add a step to the tale."""
        self.story.append(step)

    # Acting

    def load(self) -> None:
        """Load all modules.

        Raises:
            DefectError: one does not load.
        """
        for unit in self.core.modules:
            result = self.core.load(unit)
            self.quiet("loading the driver")
            if result:
                self.guessed()
                message = f"the driver does not load, its init function returns {result}"
                raise self.found("RUN307", message, self.world.at)
        self._registered()

    def _registered(self) -> None:
        """The structure of each driver is registered once all modules are loaded.

        Raises:
            DefectError: one is not.
        """
        core, books = self.core, self.world.kernel
        for frontend in core.spec.frontends:
            if frontend.name not in core.drivers or core.registered(frontend):
                continue
            driver, place = core.drivers[frontend.name][0], core.places[frontend.name]
            if (site := books.get(("handed", driver))) is not None:
                why = f"whether {site.what} registers {driver.name} is open: {site.why}"
                raise UnknownError(why, site.span())
            self.guessed()
            message = f"{driver.name} is not registered when the driver is loaded{core.machine}"
            raise DefectError("RUN308", message, place)

    def guessed(self) -> None:
        """The driver gives up, which is right if what it was told of a stranger made it do so.

        Raises:
            CutError: it may have.
        """
        if self.world.kernel.get("asked"):
            raise CutError

    def unload(self) -> None:
        """Unload all modules and see that nothing stays.

        Raises:
            DefectError: something does.
        """
        self.tell("the driver is unloaded")
        for unit in reversed(self.core.modules):
            self.core.unload(unit)
        self.quiet("unloading the driver")
        self.nothing_left("the driver is unloaded")

    def nothing_left(self, when: str) -> None:
        """No hook of the driver's and nothing unmanaged is left.

        Raises:
            DefectError: something is.
        """
        books = self.world.kernel
        keys = ((self.core.chain(), 0), REBOOT, RESTART)
        chains = (books.get(("chain", key), ()) for key in keys)
        for block in chain.from_iterable(chains):
            self.kept(block[0])
            message = f"a notifier is still registered when {when}: {block[0].name}"
            raise self.found("RUN304", message, books.get(("registered", block)))
        for handler in books.get("sys-off", ()):
            message = f"a sys-off handler is still registered when {when}"
            raise self.found("RUN304", message, handler.data[4])
        for driver in books.get("drivers", ()):
            message = f"a driver is still registered when {when}: {driver.name}"
            raise self.found("RUN304", message, books.get(("registered", driver)))
        for item in self.core.entries.there():
            raise self.found("RUN304", f"{item.name} is still there when {when}", item.data[3])
        for item in self.core.sysfs.there():
            message = f"{item.name} is still there when {when}"
            self.kept(item)
            raise self.found("RUN304", message, books.get(("registered", item)))
        for key in outstanding(books):
            what, at = books[key]
            self.kept(key[1])
            raise self.found("RUN304", f"{what} is not released when {when}", at)

    def kept(self, what: Any) -> None:
        """What a function without a model was given may have been released by it.

        Raises:
            DoubtError: it was given to one.
        """
        parts = what if isinstance(what, tuple) else (None, what)
        objects = (part[0] if isinstance(part, tuple) else getattr(part, "obj", part)
                   for part in parts[1:])  # fmt: skip
        books = self.world.kernel
        site = next((books["handed", item] for item in objects if ("handed", item) in books), None)
        if site is not None:
            raise DoubtError("RUN304", f"whether {site.what} releases what it gets is open", site)

    def bind(self, machine: Machine, raw: int) -> int:
        """Bind a device whose register reads as `raw`."""
        machine.capability = raw
        self.tell(f"{machine.described} binds, its register reads {raw:#x}")
        result = self.core.bind(machine)
        self.quiet("binding a device")
        if result == 0:
            self.world.put(self.enabled, machine, self.contract.capability(raw))
        return result

    def bound(self, machine: Machine, raw: int) -> None:
        """Bind a device, which has to succeed.

        Raises:
            DefectError: it does not.
        """
        mark = len(self.world.journal)
        result = self.bind(machine, raw)
        if result:
            self.guessed()
            self.world.rollback(mark)
            message = f"probe fails with {returned(result)} though nothing has failed"
            raise self.found("RUN307", message, self._last_step(machine))
        self.hooked()

    def _last_step(self, machine: Machine) -> Any:
        """The place of the last step of a probe."""
        world = self.world
        last = [world.at]

        def step() -> None:
            last[0], world.fuel = world.at, 0
            world.step = step

        world.step, world.fuel = step, 0
        self.core.bind(machine, settle=lambda: setattr(world, "step", None))
        return last[0]

    def quiet(self, doing: str) -> None:
        """Nothing has been written to a device.

        Raises:
            DefectError: something has.
        """
        for machine, value, at, _ in self.world.kernel.get("log", ()):
            message = f"{doing} writes {value:#x} to {machine}, though nothing has happened"
            raise self.found("RUN301", message, at, self.contract.spec.event_register.at["write"])

    # Comparing

    def wanting(self, value: int) -> list[Machine]:
        """The bound devices on which an event is enabled."""
        return [machine for machine, mask in self.enabled.items() if mask & value]

    def hooked(self) -> None:
        """A sys-off handler is registered only while a device wants its event.

        Raises:
            DefectError: one is registered for nobody.
        """
        for trigger, modes in MODES.items():
            event = self.contract.event(Happening(trigger))
            for mode in modes:
                number = self.core.types.constants.get(mode)
                if number is None or (event and self.wanting(event.value)):
                    continue
                for handler in self.core.hooks.handlers(number):
                    message = f"a {trigger.value} handler is registered though no device wants it"
                    spec = self.contract.spec.hooks.at["sys-off"]
                    raise self.found("RUN308", message, handler.data[4], spec)
