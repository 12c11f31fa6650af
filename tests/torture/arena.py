# SPDX-License-Identifier: GPL-2.0-or-later
"""Booted guests whose states are saved, and a guest in one of them for each act.

A state costs a second to take up instead of a boot. What happens from there on differs each time,
since emulated processors run freely; what it starts from does not.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab import qemu
from gen.lab.board import PC
from gen.lab.kernel import module_names
from gen.lab.machine import Machine
from gen.lab.problem import GuestError
from gen.lab.shell import Ran, Shell
from gen.lab.stage import Stage
from gen.lab.stories.panic import PANIC_END
from gen.model import Trigger
from tests.torture.journal import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gen.lab.bench import Bench
    from gen.lab.guest import GuestFiles
    from gen.lab.present import Bound
    from tests.torture.drivers import Driver

PROCESSORS = 4
DEVICES = 8
PORTS = 2
MEMORY = 640
# Seconds: the watching kernel is slow, and so is a host that does much else.
BOOT = 900.0
PATIENCE = 150.0
# How long fire burns in a state that is saved with it; for as long as anybody looks.
FOREVER = 1000000
PARAMETERS = (
    *("kmemleak=on", "oops=panic"),
    # A host that does much else starves the guest for longer than these allow.
    *("rcupdate.rcu_cpu_stall_timeout=300", "sysctl.kernel.hung_task_timeout_secs=600"),
    # Each store that registers a handler waits for a grace period: 100,000 would take a day.
    "rcupdate.rcu_expedited=1",
    # Ports tell the kernel themselves what is plugged, so that a surprise is one.
    "pcie_ports=native",
)
# The states: the driver loaded; attributes used by all processors while a device of each frontend
# comes and goes, each file written by all or by one; the same without firmware that powers off.
CALM = "calm"
FIRE = "fire"
FIRE_APART = "fire-apart"
BARE = "bare"


@dataclass(frozen=True)
class Saved:
    """A guest with the driver loaded, whose state was saved.

    Args:
        machine, files, state: what it is made from, and its state.
        bound: its bound devices, in the machine's order.
        moving: those of them that come and go.
    """

    machine: Machine
    files: GuestFiles
    state: Path
    bound: tuple[Bound, ...]
    moving: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Guests:
    """The states in which acts begin, and the driver that is loaded in them."""

    driver: Driver
    saved: dict[str, Saved]


@dataclass(frozen=True)
class Arena:
    """A guest in a saved state, in which one act is played."""

    bench: Bench
    driver: Driver
    stage: Stage
    bound: tuple[Bound, ...]
    moving: frozenset[str]

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the driver's modules, with which it and its drivers speak."""
        return module_names(self.bench.device)

    def verdict(self, allowed: tuple[str, ...] = ()) -> Verdict:
        """What the detectors, the kernel and the driver reported in the act."""
        return judge(self.stage.log(), self.modules, allowed)

    async def attempt(self, script: str, limit: float = PATIENCE) -> Ran:
        """Run a script in the guest and say how it went.

        Raises:
            GuestError: it did not end within `limit` seconds, or the guest panicked.
        """
        task = asyncio.ensure_future(self.stage.shell.attempt(script, limit))
        try:
            while not task.done():
                await asyncio.wait([task], timeout=0.5)
                if not task.done() and PANIC_END in self.stage.log():
                    raise GuestError("the guest panicked")
            return task.result()
        finally:
            task.cancel()

    async def run(self, script: str, limit: float = PATIENCE) -> str:
        """Run a script that has to succeed and return its output.

        Raises:
            GuestError: as above, or it failed.
        """
        ran = await self.attempt(script, limit)
        if ran.status != 0:
            first = script.strip().splitlines()[0]
            raise GuestError(f"in the guest, status {ran.status} of: {first}: {ran.output}")
        return ran.output


def machine(bench: Bench, *, firmware: bool) -> Machine:
    """Eight devices, of every frontend that there is; four processors; two empty ports.

    Without firmware only the devices that a bus finds are there.
    """
    rest = [bench.able(f) for f in bench.frontends() if f.bus is not Bus.PCI] if firmware else []
    pci = [bench.able(f) for f in bench.frontends(Bus.PCI)[:1]] * (DEVICES - len(rest))
    return Machine(
        (*pci, *rest),
        memory=MEMORY,
        processors=PROCESSORS,
        append=PARAMETERS,
        ports=PORTS,
        firmware_plugs=False,
        firmware=firmware,
    )


def kept(bench: Bench) -> int:
    """The events that stay enabled whatever is written: those that the acts wait for."""
    return bench.signal(Trigger.PANIC).value | bench.signal(Trigger.POWER_OFF).value


def files_of(bench: Bench, bound: tuple[Bound, ...]) -> list[str]:
    """The attributes of these devices."""
    names = [attribute.name for attribute in bench.device.sysfs]
    return [f"{device.path}/{name}" for device in bound for name in names]


def burn(
    bench: Bench, bound: tuple[Bound, ...], seconds: float, seed: int, *, apart: bool
) -> tuple[str, frozenset[str]]:
    """Lines for the guest that start the fire, and the names of the devices that come and go."""
    files = " ".join(files_of(bench, bound))
    several = len(bench.device.sysfs) if apart else 0
    moving = {device.frontend.name: device for device in reversed(bound)}.values()
    lines = [f"fire attributes {seconds:g} {seed} {kept(bench)} {several} {files} &"]
    lines += [f"fire rebind {seconds:g} {device.driver} {device.name} &" for device in moving]
    return "\n".join(lines), frozenset(device.name for device in moving)


async def save(
    bench: Bench, files: GuestFiles, states: Path, place: Path, *, firmware: bool
) -> tuple[dict[str, Saved], Verdict]:
    """Boot, load the driver, and save states; console and trace are kept in `place`.

    Returns:
        the states by name, and what was complained about till then.

    Raises:
        LabError: the guest did not come up or is not as it should be.
    """
    own = machine(bench, firmware=firmware)
    async with qemu.start(PC, own, files, place) as host:
        await host.execute("cont")
        shell = await Shell.connect(host)
        await shell.ready(BOOT)
        stage = Stage(bench, own, host, shell)
        await shell.run(
            "mount -t debugfs debugfs /sys/kernel/debug\n"
            "echo 1 >/proc/sys/kernel/unknown_nmi_panic\n"
            f"insmod /bomb.ko driver={bench.device.name}\n"
            f"insmod /refuse.ko driver={bench.device.name}",
            PATIENCE,
        )
        bound = stage.picked(await stage.load())
        spoken = judge(stage.log(), module_names(bench.device))
        found: dict[str, Saved] = {}
        if firmware:
            found[CALM] = await _keep(stage, files, states / CALM, bound)
            found[FIRE] = await _keep(stage, files, states / FIRE, bound, apart=False)
            await shell.run("killall -9 fire; sleep 1", PATIENCE)
            found[FIRE_APART] = await _keep(stage, files, states / FIRE_APART, bound, apart=True)
        else:
            found[BARE] = await _keep(stage, files, states / BARE, bound, apart=True)
    return found, spoken


async def _keep(
    stage: Stage,
    files: GuestFiles,
    state: Path,
    bound: tuple[Bound, ...],
    *,
    apart: bool | None = None,
) -> Saved:
    """Save the state of a guest, in which fire burns unless `apart` is None; it goes on then."""
    moving: frozenset[str] = frozenset()
    if apart is not None:
        lines, moving = burn(stage.bench, bound, FOREVER, 1, apart=apart)
        await stage.shell.run(f"exec >/dev/null 2>&1\n{lines}\nsleep 1", PATIENCE)
    await stage.host.save(state)
    await stage.host.execute("cont")
    return Saved(stage.machine, files, state, bound, moving)


@contextlib.asynccontextmanager
async def open_arena(
    saved: Saved, bench: Bench, driver: Driver, place: Path
) -> AsyncIterator[Arena]:
    """A guest in the saved state, with console and trace of its own in `place`.

    Raises:
        LabError: QEMU could not take up the state.
    """
    async with qemu.start(PC, saved.machine, saved.files, place, saved.state) as host:
        await host.execute("cont")
        shell = await Shell.connect(host)
        stage = Stage(bench, saved.machine, host, shell, first_event=len(host.events))
        yield Arena(bench, driver, stage, saved.bound, saved.moving)
