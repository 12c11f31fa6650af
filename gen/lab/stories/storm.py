# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything at once: masks change, devices go and come, and then the guest panics.

Two processors, so that the panic really meets writers in the middle of what they do. What it may
say about the devices that are being changed is open; one that nobody touches must report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab.machine import Machine
from gen.lab.scenario import Scenario
from gen.lab.stage import listed
from gen.lab.stores import spelling
from gen.lab.stories.panic import CRASH, PANIC_END
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.lab.bench import Bench
    from gen.lab.present import Bound
    from gen.lab.stage import Stage

# Devices: one left alone, one whose mask changes, one that is bound and unbound.
DEVICES = 3
SECONDS = 3


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """The storm needs several devices of one frontend, which only PCI has room for."""
    devices = tuple(bench.able(f) for f in bench.frontends(Bus.PCI)[:1]) * DEVICES
    triggers = [Trigger.PANIC]
    yield Scenario(
        "panic-storm",
        "a panic while masks change and a device comes and goes",
        Machine(devices, processors=2),
        _panic,
        ends=True,
        obstacle=bench.obstacle(buses=[Bus.PCI], triggers=triggers, writable=True),
    )
    yield Scenario(
        "storm",
        "masks change, devices and modules come and go, all at the same time",
        Machine(devices, processors=2),
        _calm,
        obstacle=bench.obstacle(buses=[Bus.PCI], writable=True),
    )


def _forever(lines: str) -> str:
    """A background loop that takes no offence at a device that is just away."""
    return f"(while :; do\n{lines}\ndone) >/dev/null 2>&1 &\necho $! >>/run/storm\n"


def _changes(stage: Stage, device: Bound) -> str:
    attribute = stage.bench.writable()
    if attribute is None or attribute.store is None:
        raise ValueError("no attribute chooses events")
    file = f"{device.path}/{attribute.name}"
    every = spelling(stage.bench.known, attribute.store.base)
    none = spelling(0, attribute.store.base)
    return _forever(f"echo {every} >{file}; cat {file}; echo {none} >{file}")


def _comes_and_goes(device: Bound) -> str:
    return _forever(
        f"echo {device.name} >{device.driver}/unbind; echo {device.name} >{device.driver}/bind"
    )


async def _start(stage: Stage, changing: Bound, moving: Bound) -> None:
    loops = [_changes(stage, changing), _changes(stage, changing), _comes_and_goes(moving)]
    await stage.shell.run(f"rm -f /run/storm\n{''.join(loops)}sleep {SECONDS}")


async def _panic(stage: Stage) -> None:
    alone, changing, moving = stage.picked(await stage.load())
    signal = stage.bench.signal(Trigger.PANIC)
    await _start(stage, changing, moving)
    await stage.watch((alone, changing, moving))
    await stage.shell.send(CRASH)
    await stage.settle(PANIC_END)
    stage.expect_line("the panic ends", PANIC_END)
    writes = stage.writes()
    calm = [f"{write.value:#x}" for device, write in writes if device == alone]
    stage.note(f"writes to {alone.name}", f"{signal.value:#x}", listed(calm), main=True)
    for device in (changing, moving):
        values = [f"{write.value:#x}" for owner, write in writes if owner == device]
        good = values in ([], [f"{signal.value:#x}"])
        expected = f"{signal.value:#x} or nothing"
        stage.note(f"writes to {device.name}", expected, expected if good else listed(values))


async def _calm(stage: Stage) -> None:
    alone, changing, moving = stage.picked(await stage.load())
    await _start(stage, changing, moving)
    await stage.shell.run("kill $(cat /run/storm); sleep 1")
    await stage.unload()
    stage.note("modules left", [], await stage.loaded())
    names = sorted(device.name for device in (alone, changing, moving))
    again = sorted(device.name for device in await stage.load())
    stage.note("devices bound again", listed(names), listed(again))
