# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that are plugged into a port, taken out in order, and torn out, while fire burns."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab.machine import slot
from gen.lab.present import Bound, bound_to
from gen.lab.problem import LabError
from tests.torture.acts import Result, leaked
from tests.torture.arena import PATIENCE

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator

    from tests.torture.arena import Arena

PLUGGED = "plugged"
# An orderly removal takes five seconds of the guest's, in which its user could change their mind.
ORDERLY_EVERY = 5


@dataclass
class Plugs:
    """One device that goes in and out of the first port.

    Args:
        port: the port's name in the guest.
        device: what was bound when it was plugged for the first time.
        rounds, torn: how often it went in, and how often it was torn out.
    """

    arena: Arena
    port: str
    device: Bound
    rounds: int = 0
    torn: int = 0

    @classmethod
    async def first(cls, arena: Arena) -> Plugs:
        """Plug the device for the first time, to learn how the guest calls it.

        Raises:
            LabError: it was not bound.
        """
        machine = arena.stage.machine
        number = slot(arena.bench.board, machine, len(machine.devices))
        port = f"0000:00:{number:02x}.0"
        (frontend,) = arena.bench.frontends(Bus.PCI)[:1]
        known = {d.name for d in arena.bound}
        await _add(arena)
        end = arena.stage.host.clock() + PATIENCE
        while arena.stage.host.clock() < end:
            new = [d for d in await bound_to(arena.stage.shell, frontend) if d.name not in known]
            if new:
                return cls(arena, port, new[0], 1)
            await asyncio.sleep(0.1)
        raise LabError("what was plugged was not bound")

    async def pull(self, *, orderly: bool) -> None:
        """Take the device out, and wait until the guest has noticed."""
        if orderly:
            with contextlib.suppress(LabError):
                await self.arena.stage.host.execute("device_del", id=PLUGGED)
        else:
            await self.arena.attempt(f"fire surprise {self.port}", PATIENCE)
            self.torn += 1
        await self._until(there=False)
        await self._settled()

    async def plug(self) -> None:
        """Plug a device again, and wait until it is bound."""
        await _add(self.arena)
        self.rounds += 1
        await self._until(there=True)

    async def _settled(self) -> None:
        """Wait until the slot is off, and for the second that the kernel leaves it alone then.

        A device that was plugged before that would be switched off with the slot.
        """
        power = "$(cat /sys/bus/pci/slots/1/power)"
        await self.arena.run(f"for i in $(seq 600); do [ {power} = 0 ] && break; sleep 0.1; done")
        await self.arena.run("sleep 1.5")

    async def _until(self, *, there: bool) -> None:
        test = f"[ {'' if there else '!'} -e {self.device.driver}/{self.device.name} ]"
        script = f"for i in $(seq 600); do {test} && exit; sleep 0.1; done; exit 1"
        ran = await self.arena.attempt(script, PATIENCE)
        if ran.status:
            word = "bound" if there else "gone"
            raise LabError(f"round {self.rounds}: what was plugged is not {word} after 60 s")

    @contextlib.asynccontextmanager
    async def going_on(self, chance: random.Random) -> AsyncIterator[None]:
        """Meanwhile the host asks for the device to leave or to come, at no particular moment.

        The guest's line stays free: nobody waits for what comes of it.
        """
        task = asyncio.create_task(self._disturb(chance))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, LabError):
                await task

    async def _disturb(self, chance: random.Random) -> None:
        await self.arena.attempt(f"fire surprise {self.port}", PATIENCE)
        while True:
            with contextlib.suppress(LabError):
                await _add(self.arena)
            await asyncio.sleep(chance.uniform(0.05, 0.5))
            with contextlib.suppress(LabError):
                await self.arena.stage.host.execute("device_del", id=PLUGGED)
            await asyncio.sleep(chance.uniform(0.05, 0.5))


async def _add(arena: Arena) -> None:
    first = arena.stage.machine.devices[0]
    extra = {} if first.mask is None else {str(first.mask_property): first.mask}
    port = arena.bench.board.port.format(0)
    await arena.stage.host.execute("device_add", driver=first.driver, id=PLUGGED, bus=port, **extra)


async def hotplug(arena: Arena, name: str, rounds: int) -> Result:
    """A device goes in and out of a port under fire, mostly torn out."""
    started = time.monotonic()
    plugs = await Plugs.first(arena)
    for number in range(1, rounds + 1):
        await plugs.pull(orderly=number % ORDERLY_EVERY == 0)
        await plugs.plug()
    await plugs.pull(orderly=False)
    await arena.run("killall fire; sleep 1")
    leaks = await leaked(arena)
    verdict = arena.verdict()
    took = time.monotonic() - started
    detail = f"plugged {plugs.rounds} times, torn out {plugs.torn} times"
    reports = (*verdict.reports, *leaks)
    return Result(name, plugs.rounds * 2, took, reports, verdict.foreign, detail=detail)
