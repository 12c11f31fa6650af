# SPDX-License-Identifier: GPL-2.0-or-later
"""One booted guest whose state is saved, and a guest in it for each act, even after a panic.

A state costs a second to take up instead of a boot. What happens from there on differs each time,
since emulated processors run freely; what it starts from does not.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab import journal, qemu
from gen.lab.board import PC
from gen.lab.kernel import module_names
from gen.lab.machine import Machine
from gen.lab.shell import Shell
from gen.lab.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gen.lab.bench import Bench
    from gen.lab.guest import GuestFiles
    from gen.lab.present import Bound

PROCESSORS = 4
PCI_DEVICES = 7
MEMORY = 1024
# Seconds: the watching kernel is slow, and so is a host that does much else.
BOOT = 400.0
PATIENCE = 240.0
# A host that does much else starves the guest for longer than a stalled grace period may last.
PARAMETERS = ("kmemleak=on", "rcupdate.rcu_cpu_stall_timeout=300")


@dataclass(frozen=True)
class Saved:
    """A guest with the driver loaded.

    Args:
        machine, files, state: what it is made from, and its state.
        bound: its bound devices, in the machine's order.
        spoken: what the kernel and the driver complained about till then.
    """

    bench: Bench
    machine: Machine
    files: GuestFiles
    state: Path
    bound: tuple[Bound, ...]
    spoken: tuple[str, ...]


@dataclass(frozen=True)
class Arena:
    """A guest in the saved state, in which one act is played."""

    bench: Bench
    stage: Stage
    bound: tuple[Bound, ...]

    def complaints(self, allowed: tuple[str, ...] = ()) -> list[str]:
        """What the detectors, the kernel and the driver reported in the act."""
        return journal.complaints(self.stage.log(), module_names(self.bench.device), allowed)

    async def run(self, script: str, limit: float = PATIENCE) -> str:
        """Run a script in the guest."""
        return await self.stage.shell.run(script, limit)


def machine(bench: Bench) -> Machine:
    """Eight devices of every frontend there is, four processors."""
    pci = [bench.able(f) for f in bench.frontends(Bus.PCI)[:1]] * PCI_DEVICES
    rest = [bench.able(f) for f in bench.frontends() if f.bus is not Bus.PCI]
    return Machine((*pci, *rest), memory=MEMORY, processors=PROCESSORS, append=PARAMETERS)


async def save(bench: Bench, files: GuestFiles, state: Path, place: Path) -> Saved:
    """Boot, load the driver, and save the state; console and trace are kept in `place`.

    Raises:
        LabError: the guest did not come up or is not as it should be.
    """
    own = machine(bench)
    async with qemu.start(PC, own, files, place) as host:
        await host.execute("cont")
        shell = await Shell.connect(host)
        await shell.ready(BOOT)
        stage = Stage(bench, own, host, shell)
        await shell.run("mount -t debugfs debugfs /sys/kernel/debug", PATIENCE)
        bound = stage.picked(await stage.load())
        spoken = tuple(journal.complaints(stage.log(), module_names(bench.device)))
        await host.save(state)
    return Saved(bench, own, files, state, bound, spoken)


@contextlib.asynccontextmanager
async def open_arena(saved: Saved, place: Path) -> AsyncIterator[Arena]:
    """A guest in the saved state, with console and trace of its own in `place`.

    Raises:
        LabError: QEMU could not take up the state.
    """
    async with qemu.start(PC, saved.machine, saved.files, place, saved.state) as host:
        await host.execute("cont")
        shell = await Shell.connect(host)
        stage = Stage(saved.bench, saved.machine, host, shell, first_event=len(host.events))
        yield Arena(saved.bench, stage, saved.bound)
