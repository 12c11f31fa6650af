# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that the host adds to and takes from a running guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab.machine import Machine
from gen.lab.scenario import Scenario
from gen.lab.stage import listed
from gen.lab.stories.panic import CRASH, PANIC_END
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen.lab.bench import Bench
    from gen.lab.present import Bound
    from gen.lab.stage import Stage

# How the monitor calls the device that is plugged.
PLUGGED = "plugged"


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """One device stays, a second one is plugged into a port of its own and taken out again."""
    devices = tuple(bench.able(f) for f in bench.frontends(Bus.PCI)[:1])
    machine = Machine(devices, ports=1)
    obstacle = bench.obstacle(buses=[Bus.PCI], triggers=[Trigger.PANIC])
    stories = (
        ("panic-plugged", "a panic after the host added a device", _plugged),
        ("panic-unplugged", "a panic after the host took a device away", _unplugged),
    )
    for name, title, play in stories:
        yield Scenario(name, title, machine, play, ends=True, obstacle=obstacle)


async def _plug(stage: Stage) -> tuple[Bound, ...]:
    """Add a device like the first one; the devices that are bound then."""
    first = stage.machine.devices[0]
    extra = {} if first.mask is None else {str(first.mask_property): first.mask}
    await stage.host.execute(
        "device_add", driver=first.driver, id=PLUGGED, bus=stage.bench.board.port.format(0), **extra
    )
    return await _until(stage, 2)


async def _until(stage: Stage, count: int) -> tuple[Bound, ...]:
    """Wait until so many devices are bound, and note how many are."""
    script = (
        f"for i in $(seq 100); do [ $(ls -d {{}} | wc -l) = {count} ] && break; sleep 0.2; done"
    )
    drivers = {device.driver for device in await stage.bound()}
    links = " ".join(f"{driver}/*:*" for driver in sorted(drivers))
    await stage.shell.run(script.format(links))
    bound = await stage.bound()
    stage.note("devices bound", count, len(bound))
    return bound


async def _panic(stage: Stage, writers: Sequence[Bound]) -> None:
    signal = stage.bench.signal(Trigger.PANIC)
    await stage.shell.send(CRASH)
    await stage.settle(PANIC_END)
    stage.expect_line("the panic ends", PANIC_END)
    stage.expect_reports([f"{signal.qmp} run"] * len(writers))
    stage.expect_writes([(device, signal.value) for device in writers])


async def _plugged(stage: Stage) -> None:
    await stage.load()
    bound = await _plug(stage)
    await stage.watch(bound)
    await _panic(stage, bound)


async def _unplugged(stage: Stage) -> None:
    (first,) = await stage.load()
    both = await _plug(stage)
    await stage.host.execute("device_del", id=PLUGGED)
    left = await _until(stage, 1)
    stage.note("what is left", first.name, listed(device.name for device in left))
    await stage.watch(both)
    await _panic(stage, left)
