# SPDX-License-Identifier: GPL-2.0-or-later
"""A booted guest with the driver in reach, and the notes of the scenario that is played on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.lab import journal
from gen.lab.kernel import module_names
from gen.lab.machine import slot
from gen.lab.present import Bound, bound_to, meant
from gen.lab.problem import GuestError
from gen.lab.scenario import Check
from gen.lab.stores import spelling

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.lab.bench import Bench
    from gen.lab.machine import Machine
    from gen.lab.qemu import Host, HostEvent, Write
    from gen.lab.shell import Shell
    from gen.model import Attribute

# Seconds that a guest may need for what it does after a trigger.
PATIENCE = 30.0
NOTHING = "nothing"


def listed(items: Iterable[str], between: str = ", ") -> str:
    """Things in a row, the same ones counted; a word where there are none."""
    rows: list[tuple[str, int]] = []
    for item in items:
        if rows and rows[-1][0] == item:
            rows[-1] = (item, rows[-1][1] + 1)
        else:
            rows.append((item, 1))
    return between.join(f"{item} x{n}" if n > 1 else item for item, n in rows) or NOTHING


@dataclass
class Stage:
    """What a scenario's `play` gets.

    A scenario may set `allowed`, patterns for what it makes the kernel say on purpose, and
    `judged_until`, a pattern at which the log stops to be the driver's affair.
    """

    bench: Bench
    machine: Machine
    host: Host
    shell: Shell
    checks: list[Check] = field(default_factory=list)
    allowed: tuple[str, ...] = ()
    judged_until: str = r"\Z"
    watched: tuple[Bound, ...] = ()
    first_event: int = 0
    first_character: int = 0

    def note(self, what: str, expected: object, seen: object, *, main: bool = False) -> None:
        """Note what was looked at; `main` is what the scenario is about."""
        self.checks.append(Check(what, str(expected), str(seen), main))

    async def begin(self) -> None:
        """Put the guest into the state in which every scenario starts: no module of ours in."""
        await self.unload()
        self.first_character = len(self.host.console)
        self.first_event = len(self.host.events)

    async def load(self) -> tuple[Bound, ...]:
        """Load every frontend by its name and return the devices that are bound then."""
        names = " ".join(frontend.name for frontend in self.bench.device.frontends)
        await self.shell.run(f"modprobe -a {names}")
        return await self.bound()

    async def unload(self) -> None:
        """Take all our modules out, frontends first."""
        loaded = await self.loaded()
        if loaded:
            await self.shell.run(f"rmmod {' '.join(loaded)}")

    async def loaded(self) -> list[str]:
        """Our modules that are loaded, in the order in which they can be unloaded."""
        listing = await self.shell.run("cut -d ' ' -f 1 /proc/modules")
        names = (name.replace("-", "_") for name in reversed(module_names(self.bench.device)))
        return [name for name in names if name in listing.split()]

    async def bound(self) -> tuple[Bound, ...]:
        """The devices that our drivers have bound, in the order of frontends and names."""
        found = [await bound_to(self.shell, f) for f in self.bench.device.frontends]
        return tuple(device for devices in found for device in devices)

    def pick(self, bound: Sequence[Bound], index: int) -> Bound:
        """The bound device that stands for the machine's device with this index.

        Raises:
            GuestError: the driver did not bind it.
        """
        attached = self.machine.devices[index]
        wanted = (
            f":{slot(self.bench.board, self.machine, index):02x}." if attached.bus == "pci" else ""
        )
        for device in bound:
            if device.frontend.name == attached.frontend and wanted in device.name:
                return device
        raise GuestError(f"{attached.frontend} did not bind device {index} ({attached.driver})")

    def picked(self, bound: Sequence[Bound]) -> tuple[Bound, ...]:
        """The bound devices in the order of the machine's."""
        return tuple(self.pick(bound, index) for index in range(len(self.machine.devices)))

    async def content(self, bound: Bound, attribute: Attribute) -> str:
        """What an attribute shows, as a literal, so that a missing newline is seen."""
        text = await self.shell.run(f"cat {bound.path}/{attribute.name} && echo .")
        return repr(text.removesuffix("."))

    async def store(self, bound: Bound, attribute: Attribute, texts: Sequence[bytes]) -> list[str]:
        """Write texts to an attribute, each with one system call; what came of each."""
        words = " ".join(text.hex() for text in texts)
        told = await self.shell.run(f"helper write {bound.path}/{attribute.name} {words}")
        return told.splitlines()

    async def choose(self, bound: Bound, mask: int) -> None:
        """Let a device send the events of `mask` only."""
        attribute = self.bench.writable()
        if attribute is None or attribute.store is None:
            raise GuestError("the spec has no attribute that chooses events")
        text = spelling(mask, attribute.store.base).encode()
        told = await self.store(bound, attribute, [text])
        self.note(f"{attribute.name} of {bound.name} := {mask:#x}", f"ok {len(text)}", listed(told))

    async def watch(self, bound: tuple[Bound, ...]) -> None:
        """Trace the writes to these devices from now on."""
        self.watched = bound
        await self.host.trace(enable=True)

    def writes(self) -> list[tuple[Bound, Write]]:
        """What was traced and meant for the watched devices, in order."""
        pairs = ((meant(write, self.watched), write) for write in self.host.writes())
        return [(device, write) for device, write in pairs if device is not None]

    def expect_writes(self, expected: Sequence[tuple[Bound, int]]) -> None:
        """Note what reached the watched devices; in which order is the driver's affair."""
        register = self.bench.device.event_register
        seen = [device.wrote(write, register) for device, write in self.writes()]
        wanted = [f"{device.name}={value:#x}" for device, value in expected]
        self.note("register writes", listed(sorted(wanted)), listed(sorted(seen)), main=True)

    async def settle(self, *marks: str, limit: float = PATIENCE) -> None:
        """Wait for the guest's end: a stopped machine, or last words of the kernel's.

        Afterwards no event is under way any more.
        """
        events = self.host.events

        def ended() -> bool:
            stopped = any(event.name == "STOP" for event in events[self.first_event :])
            return stopped or any(mark in self.log() for mark in marks)

        await self.host.wait("the guest to end", ended, limit)
        await self.host.settle()

    def expect_reports(self, expected: Sequence[str]) -> None:
        """Note what the guest's end made the host report, in order."""
        self.note("host sees", listed(expected), listed(self.reports()), main=True)

    def reports(self) -> list[str]:
        """What the host was told since the scenario began, in order."""
        return [str(event) for event in self.host.events[self.first_event :] if self._tells(event)]

    def _tells(self, event: HostEvent) -> bool:
        """Whether an event comes from the guest; the rest is QEMU's own affair."""
        known = {e.host.qmp for e in self.bench.device.events if e.host}
        return event.name in known or event.name.startswith("GUEST_") or event.name == "SHUTDOWN"

    async def release(self) -> tuple[int, int]:
        """The series of the guest's kernel, as version and patch level."""
        version, level, *_ = (await self.shell.run("uname -r")).split(".")
        return int(version), int(level)

    def log(self) -> str:
        """What the kernel has written to its console since the scenario began."""
        return self.host.console[self.first_character :]

    def expect_line(self, what: str, mark: str) -> None:
        """Note whether the kernel wrote these words."""
        self.note(what, mark, mark if mark in self.log() else "no such line", main=True)

    async def expect_status(self, status: str) -> None:
        """Note the state of the machine."""
        self.note("state of the machine", status, await self.host.status(), main=True)

    def quiet(self) -> None:
        """Note that the kernel had nothing to complain about since the scenario began."""
        names = module_names(self.bench.device)
        judged = re.split(self.judged_until, self.log(), maxsplit=1, flags=re.MULTILINE)[0]
        found = journal.complaints(judged, names, self.allowed)
        self.note("complaints in the kernel log", NOTHING, listed(found, " | "))

    async def unharmed(self) -> None:
        """Note the same from a live guest's taint flags, which no log level hides."""
        flags = int(await self.shell.run("cat /proc/sys/kernel/tainted"))
        self.note("taint of the kernel", NOTHING, journal.taint(flags) or NOTHING)
