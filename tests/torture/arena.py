# SPDX-License-Identifier: GPL-2.0-or-later
"""One booted guest that is put back to the same state before each act, also after a panic.

QEMU keeps the state, memory and devices, in a file (snapshot-save, snapshot-load). That costs a
few seconds instead of a boot. What happens after the restoration differs each time, since emulated
processors run freely; the state from which it starts does not.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab import journal, qemu
from gen.lab.board import PC
from gen.lab.kernel import module_names
from gen.lab.machine import Machine
from gen.lab.problem import GuestError, LabError
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
NODE = "snapshots"
# A host that does much else starves the guest for longer than a stalled grace period may last.
PARAMETERS = ("kmemleak=on", "rcupdate.rcu_cpu_stall_timeout=300")


@dataclass
class Arena:
    """The guest, the devices bound in the saved state, and where the present act began."""

    bench: Bench
    stage: Stage
    bound: tuple[Bound, ...] = ()
    token: int = 0
    writes_before: int = 0
    reported: list[str] = field(default_factory=list)

    async def save(self) -> None:
        """Keep the present state under the only name there is."""
        await self._job("snapshot-save", tag="ready", vmstate=NODE, devices=[NODE])

    async def restore(self) -> None:
        """Go back to the saved state, and forget what an interrupted act still had to say."""
        host = self.stage.host
        await host.execute("stop")
        await self._job("snapshot-load", tag="ready", vmstate=NODE, devices=[NODE])
        await host.execute("cont")
        await self._drain()
        self.begin()

    def begin(self) -> None:
        """The act begins here: what was written and said before is not its own."""
        self.stage.first_event = len(self.stage.host.events)
        self.stage.first_character = len(self.stage.host.console)
        self.writes_before = len(self.stage.host.writes())

    def values(self, device: Bound) -> list[int]:
        """What the act wrote to a device."""
        writes = self.stage.host.writes()[self.writes_before :]
        return [write.value for write in writes if device.holds(write)]

    def complaints(self, allowed: tuple[str, ...] = ()) -> list[str]:
        """What the detectors, the kernel and the driver reported in the act."""
        return journal.complaints(self.stage.log(), module_names(self.bench.device), allowed)

    async def run(self, script: str, limit: float = PATIENCE) -> str:
        """Run a script in the guest."""
        return await self.stage.shell.run(script, limit)

    async def _drain(self) -> None:
        self.token += 1
        word = f"again-{self.token}"
        await self.stage.shell.send(f"echo {word}")
        wanted = base64.b64encode(f"{word}\n".encode()).decode()
        while not (await self.stage.shell._line(PATIENCE, "the restored guest")).endswith(wanted):
            pass

    async def _job(self, command: str, **arguments: object) -> None:
        """Run a QEMU command that works in the background to its end.

        Raises:
            LabError: it failed, or was not done in time.
        """
        host = self.stage.host
        await host.execute(command, **{"job-id": "state"}, **arguments)
        for _ in range(1200):
            (job,) = [j for j in await host.execute("query-jobs") if j["id"] == "state"]
            if job["status"] == "concluded":
                await host.execute("job-dismiss", id="state")
                if "error" in job:
                    raise LabError(f"QEMU could not do {command}: {job['error']}")
                return
            await asyncio.sleep(0.1)
        raise LabError(f"QEMU did not finish {command}")


def machine(bench: Bench) -> Machine:
    """Eight devices of every frontend there is, four processors, a port to plug into."""
    pci = [bench.able(f) for f in bench.frontends(Bus.PCI)[:1]] * PCI_DEVICES
    rest = [bench.able(f) for f in bench.frontends() if f.bus is not Bus.PCI]
    return Machine((*pci, *rest), memory=MEMORY, processors=PROCESSORS, append=PARAMETERS, ports=1)


@contextlib.asynccontextmanager
async def open_arena(bench: Bench, files: GuestFiles, work: Path) -> AsyncIterator[Arena]:
    """Boot, load the driver, and save the state.

    Raises:
        LabError: the guest did not come up or is not as it should be.
    """
    own = machine(bench)
    async with qemu.start(PC, own, files, work) as host:
        await _add_store(host, work / "snapshots.qcow2")
        await host.execute("cont")
        shell = await Shell.connect(host)
        await shell.ready(BOOT)
        arena = Arena(bench, Stage(bench, own, host, shell))
        await arena.run("mount -t debugfs debugfs /sys/kernel/debug")
        await arena.stage.load()
        arena.bound = arena.stage.picked(await arena.stage.bound())
        if len(arena.bound) != len(own.devices):
            raise GuestError("not every device was bound")
        await arena.stage.watch(arena.bound)
        await arena.save()
        arena.begin()
        yield arena


async def _add_store(host: qemu.Host, path: Path) -> None:
    """Make the file that keeps states, which no device of the guest sees."""
    path.write_bytes(b"")  # noqa: ASYNC240 (done at once)
    await host.execute("blockdev-add", driver="file", filename=str(path), **{"node-name": "file"})
    await host.execute(
        "blockdev-create",
        **{"job-id": "create"},
        options={"driver": "qcow2", "file": "file", "size": 1 << 20},
    )
    for _ in range(100):
        (job,) = await host.execute("query-jobs")
        if job["status"] == "concluded":
            break
        await asyncio.sleep(0.05)
    await host.execute("job-dismiss", id="create")
    await host.execute("blockdev-add", driver="qcow2", file="file", **{"node-name": NODE})
