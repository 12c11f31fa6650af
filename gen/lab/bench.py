# SPDX-License-Identifier: GPL-2.0-or-later
"""What scenarios are made from: the spec, and what the installed QEMU can show of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.lab.machine import Attached
from gen.lab.problem import LabError
from gen.lab.process import run
from gen.lab.scenario import Obstacle, Verdict
from gen.model import Attribute, Device, Event, Mask, Trigger
from gen.release import Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen.frontend import Bus, Frontend
    from gen.lab.board import Board

# Above this number, devices with every possible mask would not fit into one machine.
FEW_EVENTS = 3


@dataclass(frozen=True)
class Signal:
    """An event as the scenarios compare it: the value written, the host's name for it."""

    value: int
    qmp: str


@dataclass(frozen=True)
class Bench:
    """The spec and the host.

    `mask_properties` has, by QEMU device name, the property that sets the mask which the device
    advertises; None where it has none. Devices that this QEMU does not have are absent.
    """

    device: Device
    board: Board
    version: Release
    mask_properties: Mapping[str, str | None]

    @property
    def known(self) -> int:
        """The mask of all events that the driver knows."""
        return sum(event.value for event in self.device.events)

    @property
    def masks(self) -> tuple[int, ...]:
        """The masks that a device can advertise, and one with bits that nobody knows.

        All of them where they are few; else none, all, each event alone and all but each.
        """
        every = (1 << self.device.capability_register.width) - 1
        if len(self.device.events) <= FEW_EVENTS:
            return tuple(sorted({*submasks(self.known), every}))
        alone = [event.value for event in self.device.events]
        but_one = [self.known & ~value for value in alone]
        return tuple(sorted({0, self.known, every, *alone[:FEW_EVENTS], *but_one[:FEW_EVENTS]}))

    def signal(self, trigger: Trigger) -> Signal:
        """What a trigger makes the driver send. Only for a trigger that was asked about before.

        Raises:
            ValueError: the spec has no event for it that QEMU reports.
        """
        event = self.device.event_for(trigger)
        if event is None or event.host is None:
            raise ValueError(f"no event for {trigger}")
        return Signal(event.value, event.host.qmp)

    def frontends(self, bus: Bus | None = None) -> tuple[Frontend, ...]:
        """The frontends for which the board has a QEMU device, on one bus or on all."""
        return tuple(
            frontend
            for frontend in self.device.frontends
            if frontend.host is not None
            and frontend.host.bus in self.board.buses
            and bus in (None, frontend.bus)
        )

    def writable(self) -> Attribute | None:
        """The attribute through which a user chooses the events that are sent."""
        wanted = (a for a in self.device.sysfs if a.store and a.shows is Mask.ENABLED)
        return next(wanted, None)

    def attach(self, frontend: Frontend, mask: int | None = None) -> Attached:
        """One device of a frontend for the command line of QEMU."""
        host = frontend.host
        if host is None:
            raise ValueError(f"no QEMU device for {frontend.name}")
        masked = self.mask_properties.get(host.device)
        return Attached(frontend.name, host.device, host.bus, masked, mask)

    def able(self, frontend: Frontend) -> Attached:
        """A device that advertises every event, whatever its QEMU would choose."""
        attached = self.attach(frontend)
        return replace(attached, mask=self.known) if attached.mask_property else attached

    def one_of_each(self, *buses: Bus) -> tuple[Attached, ...]:
        """An able device for each frontend on the given buses, on all of them if none is given."""
        return tuple(self.able(f) for f in self.frontends() if not buses or f.bus in buses)

    def obstacle(
        self,
        *,
        buses: Iterable[Bus] = (),
        triggers: Iterable[Trigger] = (),
        masks: bool = False,
        writable: bool = False,
        nmi: bool = False,
        crash_kernel: bool = False,
    ) -> Obstacle | None:
        """What stands against a scenario that needs these things, worst first.

        Args:
            buses: at least one frontend on each is attached.
            triggers: an event is sent on each of them, and seen by the host.
            masks: devices advertise masks of their own.
            writable: the user can choose events.
            nmi: the host can interrupt what cannot be masked.
            crash_kernel: the board's kernels can load one.
        """
        absent = self._absent(list(buses), list(triggers), writable=writable)
        absent = absent or self._beyond(nmi=nmi, crash_kernel=crash_kernel)
        if absent:
            return Obstacle(Verdict.INAPPLICABLE, absent)
        missing = self._missing(list(buses), list(triggers), masks=masks)
        return Obstacle(Verdict.UNAVAILABLE, missing) if missing else None

    @property
    def _here(self) -> str:
        """Where frontends and devices do not meet, if that is not everywhere."""
        hosts = {frontend.host.bus for frontend in self.device.frontends if frontend.host}
        return "" if hosts <= self.board.buses else f" for the {self.board.architecture} board"

    def _absent(self, buses: list[Bus], triggers: list[Trigger], *, writable: bool) -> str | None:
        """What the spec lacks."""
        if not self.frontends():
            return f"the spec names no QEMU device{self._here}"
        for bus in buses:
            if not self.frontends(bus):
                return f"the spec has no {bus} frontend with a QEMU device{self._here}"
        for trigger in triggers:
            event = self.device.event_for(trigger)
            if event is None or event.host is None:
                return f"the spec has no event for {trigger} that QEMU reports"
        if writable and self.writable() is None:
            return "the spec has no attribute that chooses events"
        return None

    def _beyond(self, *, nmi: bool, crash_kernel: bool) -> str | None:
        """What the board lacks."""
        board = self.board.architecture
        if nmi and not self.board.nmi:
            return f"the {board} board has no interrupt that cannot be masked"
        if crash_kernel and not self.board.crash_kernel:
            return f"the {board} board's kernels lack kexec_file_load()"
        return None

    def _missing(self, buses: list[Bus], triggers: list[Trigger], *, masks: bool) -> str | None:
        """What the installed QEMU lacks."""
        events = [event for t in triggers if (event := self.device.event_for(t)) is not None]
        frontends = [f for f in self.frontends() if not buses or f.bus in buses]
        for release, name in [*map(_event_since, events), *map(_frontend_since, frontends)]:
            if release > self.version:
                return f"{name} needs QEMU {release}, this is {self.version}"
        for frontend in frontends:
            host = frontend.host
            if host and host.device not in self.mask_properties:
                return f"this QEMU {self.version} was built without {host.device}"
            if masks and host and self.mask_properties[host.device] is None:
                return f"this QEMU {self.version} cannot set the mask of {host.device}"
        return None


def _event_since(event: Event) -> tuple[Release, str]:
    return (event.host.since, event.host.qmp) if event.host else (Release(0, 0), event.name)


def _frontend_since(frontend: Frontend) -> tuple[Release, str]:
    host = frontend.host
    return (host.since, host.device) if host else (Release(0, 0), frontend.name)


def submasks(mask: int) -> list[int]:
    """All masks of bits within a mask, in rising order."""
    found = [0]
    for bit in range(mask.bit_length()):
        if mask >> bit & 1:
            found += [one | 1 << bit for one in found]
    return sorted(found)


def inspect(device: Device, board: Board) -> Bench:
    """Ask the installed QEMU for its version and for the devices of the spec.

    Raises:
        LabError: there is no QEMU, or it does not tell its version.
    """
    text = run([board.program, "--version"])
    found = re.search(r"version (\d+\.\d+)", text)
    if found is None:
        raise LabError(f"{board.program} does not tell its version: {text.strip()}")
    known = run([board.program, "-device", "help"])
    names = {f.host.device for f in device.frontends if f.host and f.host.bus in board.buses}
    width = device.capability_register.width
    properties = {
        name: _mask_property(run([board.program, "-device", f"{name},help"]), width)
        for name in sorted(names)
        if f'name "{name}"' in known
    }
    return Bench(device, board, Release.parse(found[1]), properties)


def _mask_property(text: str, width: int) -> str | None:
    """The property for the advertised mask: the only one that is as wide as the register.

    QEMU has no other name for it than the one the device chose, and its help tells types.
    """
    found = re.findall(rf"^\s+(\S+)=<uint{width}>", text, flags=re.MULTILINE)
    return found[0] if len(found) == 1 else None
