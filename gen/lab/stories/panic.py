# SPDX-License-Identifier: GPL-2.0-or-later
"""Panics: which devices are told, what exactly is written, and what the host makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab.machine import Machine
from gen.lab.scenario import Scenario
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen.lab.bench import Bench
    from gen.lab.machine import Attached
    from gen.lab.present import Bound
    from gen.lab.stage import Stage

CRASH = "echo c >/proc/sysrq-trigger"
PANIC_END = "end Kernel panic"
# Up to 5.14 a panic in an NMI keeps its words in a buffer that is written out for the last time
# right after the notifiers, one of which, on x86, says this. The end never gets to the console.
NOTIFIED = "Kernel Offset:"
END_IN_NMI = (5, 15)
HOW_MANY = 3


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """Panics that no crash kernel takes over."""
    for bus in Bus:
        yield Scenario(
            f"panic-{bus}",
            f"a panic, told through the {bus} frontend; the host pauses the machine",
            Machine(tuple(bench.attach(f) for f in bench.frontends(bus)[:1]), on_panic="pause"),
            _paused,
            ends=True,
            obstacle=bench.obstacle(buses=[bus], triggers=[Trigger.PANIC]),
        )
    plain = bench.obstacle(triggers=[Trigger.PANIC])
    interrupted = bench.obstacle(triggers=[Trigger.PANIC], nmi=True)
    chosen = bench.obstacle(triggers=[Trigger.PANIC], writable=True)
    masked = bench.obstacle(triggers=[Trigger.PANIC], masks=True)
    several = Machine(_several(bench))
    masks = Machine(_masked(bench))
    stories = (
        ("panic-nmi", "a panic inside an NMI, several devices", several, _nmi, interrupted),
        ("panic-several", "a panic, several devices of every frontend", several, _all, plain),
        ("panic-masks", "a panic, devices with every mask", masks, _masks, masked),
        (
            "panic-disabled",
            "a panic, disabled on one of several devices",
            several,
            _disabled,
            chosen,
        ),
        ("panic-unbound", "a panic after one device was unbound", several, _unbound, plain),
        ("panic-unloaded", "a panic after the modules were unloaded", several, _unloaded, plain),
    )
    for name, title, machine, play, obstacle in stories:
        yield Scenario(name, title, machine, play, ends=True, obstacle=obstacle)


def _several(bench: Bench) -> tuple[Attached, ...]:
    """One device of each frontend, and more where the bus has room for more."""
    more = [bench.able(f) for f in bench.frontends(Bus.PCI) for _ in range(HOW_MANY - 1)]
    return (*bench.one_of_each(), *more)


def _masked(bench: Bench) -> tuple[Attached, ...]:
    """A device for each mask on PCI, and one elsewhere that cannot tell of panics."""
    event = bench.device.event_for(Trigger.PANIC)
    without = bench.known & ~(event.value if event else 0)
    others = [bench.attach(f, without) for f in bench.frontends(Bus.PLATFORM)]
    first = bench.frontends(Bus.PCI)[:1]
    return (*others, *(bench.attach(f, mask) for f in first for mask in bench.masks))


async def _expect(stage: Stage, writers: Sequence[Bound], end: str = PANIC_END) -> None:
    """Let the panic run to its end and compare."""
    signal = stage.bench.signal(Trigger.PANIC)
    await stage.settle(end)
    stage.expect_line("the panic ends", end)
    stage.expect_reports([f"{signal.qmp} run"] * len(writers))
    stage.expect_writes([(device, signal.value) for device in writers])


async def _paused(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    signal = stage.bench.signal(Trigger.PANIC)
    await stage.watch(bound)
    await stage.shell.send(CRASH)
    await stage.settle(PANIC_END)
    stage.expect_reports([f"{signal.qmp} pause"])
    await stage.expect_status("guest-panicked")
    stage.expect_writes([(device, signal.value) for device in bound])


async def _all(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await stage.watch(bound)
    await stage.shell.send(CRASH)
    await _expect(stage, bound)


async def _nmi(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await stage.shell.run("echo 1 >/proc/sys/kernel/unknown_nmi_panic")
    buffered = await stage.release() < END_IN_NMI
    await stage.watch(bound)
    await stage.host.execute("inject-nmi")
    await _expect(stage, bound, NOTIFIED if buffered else PANIC_END)


async def _masks(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    value = stage.bench.signal(Trigger.PANIC).value
    pairs = zip(bound, stage.machine.devices, strict=True)
    able = [device for device, attached in pairs if (attached.mask or 0) & value]
    await stage.watch(bound)
    await stage.shell.send(CRASH)
    await _expect(stage, able)


async def _disabled(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    value = stage.bench.signal(Trigger.PANIC).value
    await stage.choose(bound[-1], stage.bench.known & ~value)
    await stage.watch(bound)
    await stage.shell.send(CRASH)
    await _expect(stage, bound[:-1])


async def _unbound(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    gone = bound[-1]
    await stage.shell.run(f"echo {gone.name} >{gone.driver}/unbind")
    await stage.watch(bound)
    await stage.shell.send(CRASH)
    await _expect(stage, bound[:-1])


async def _unloaded(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await stage.unload()
    await stage.watch(bound)
    await stage.shell.send(CRASH)
    await _expect(stage, ())
