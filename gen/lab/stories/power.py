# SPDX-License-Identifier: GPL-2.0-or-later
"""Powering off: the driver's handler is the last resort, there exactly while a device wants it.

Whether it is there shows in what the kernel does when asked to power off without firmware: it
powers down if some handler might do it, and only halts if there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab.machine import Machine
from gen.lab.scenario import Scenario
from gen.lab.stage import NOTHING, listed
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen.lab.bench import Bench
    from gen.lab.present import Bound
    from gen.lab.stage import Stage

POWER_OFF = "helper power-off"
DOWN = "reboot: Power down"
# Series differ in what they write around these words.
HALTED = "System halted"
SHUT_DOWN = "SHUTDOWN guest-shutdown"
# QEMU stops a machine soon after it was asked to, not at once. The kernel may get as far as to find
# itself still running, which it complains about, if only with half a line.
STILL_RUNNING = r"^.*WARNING:.*\bdo_exit\b|^.*\[ cut here \].*\n?[^\n]*\Z"


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """Power-offs with and without firmware, and with every way of disabling the event."""
    buses, triggers = [Bus.PCI], [Trigger.POWER_OFF]
    plain = bench.obstacle(buses=buses, triggers=triggers)
    chosen = bench.obstacle(buses=buses, triggers=triggers, writable=True)
    masked = bench.obstacle(buses=buses, triggers=triggers, masks=True)
    devices = tuple(bench.able(f) for f in bench.frontends(Bus.PCI)[:1])
    one, two = Machine(devices, firmware=False), Machine(devices * 2, firmware=False)
    event = bench.device.event_for(Trigger.POWER_OFF)
    without = bench.known & ~(event.value if event else 0)
    unable = tuple(bench.attach(f, without) for f in bench.frontends(Bus.PCI)[:1])
    stories = (
        ("power-off", "no firmware: the device powers off", one, _sent, plain),
        (
            "power-off-firmware",
            "firmware powers off: the device stays silent",
            Machine(bench.one_of_each()),
            _firmware,
            plain,
        ),
        ("power-off-several", "two devices", two, _both, plain),
        (
            "power-off-unable",
            "the device does not advertise the event",
            Machine(unable, firmware=False),
            _unable,
            masked,
        ),
        ("power-off-disabled", "disabled by the user", one, _disabled, chosen),
        ("power-off-enabled-again", "disabled, then enabled again", one, _enabled_again, chosen),
        ("power-off-first-only", "disabled on the second of two devices", two, _first, chosen),
        ("power-off-second-only", "disabled on the first of two devices", two, _second, chosen),
        ("power-off-unbound", "the device was unbound", one, _unbound, plain),
        ("power-off-rest-bound", "one of two devices was unbound", two, _rest_bound, plain),
        (
            "power-off-rest-disabled",
            "the only device with the event enabled was unbound",
            two,
            _rest_disabled,
            chosen,
        ),
        ("power-off-bound-again", "disabled, unbound, bound again", one, _bound_again, chosen),
        ("power-off-unloaded", "the modules were unloaded", one, _unloaded, plain),
    )
    for name, title, machine, play, obstacle in stories:
        yield Scenario(name, f"power-off, {title}", machine, play, ends=True, obstacle=obstacle)


async def _expect(stage: Stage, bound: Sequence[Bound], sender: Bound | None) -> None:
    """Power off; `sender` is the only device that may tell, None if the handler must be gone."""
    signal = stage.bench.signal(Trigger.POWER_OFF)
    stage.judged_until = STILL_RUNNING
    await stage.watch(tuple(bound))
    await stage.shell.send(POWER_OFF)
    await stage.settle(HALTED)
    if sender is None:
        stage.expect_line("no handler is left", HALTED)
        stage.expect_reports([])
        stage.expect_writes([])
        return
    stage.expect_line("a handler is there", DOWN)
    stage.expect_reports([signal.qmp, SHUT_DOWN])
    stage.expect_writes([(sender, signal.value)])


async def _disable(stage: Stage, device: Bound) -> None:
    await stage.choose(device, stage.bench.known & ~stage.bench.signal(Trigger.POWER_OFF).value)


async def _unbind(stage: Stage, device: Bound) -> None:
    await stage.shell.run(f"echo {device.name} >{device.driver}/unbind")


async def _sent(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _expect(stage, bound, bound[0])


async def _firmware(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    stage.judged_until = STILL_RUNNING
    await stage.watch(bound)
    await stage.shell.send(POWER_OFF)
    await stage.settle(HALTED)
    stage.expect_line("a handler is there", DOWN)
    stage.expect_reports([SHUT_DOWN])
    stage.expect_writes([])


async def _both(stage: Stage) -> None:
    """QEMU stops the machine soon after the first write, so that the second may come too late."""
    bound = stage.picked(await stage.load())
    signal = stage.bench.signal(Trigger.POWER_OFF)
    stage.judged_until = STILL_RUNNING
    await stage.watch(bound)
    await stage.shell.send(POWER_OFF)
    await stage.settle(HALTED)
    writes = [write for _, write in stage.writes()]
    addresses = {write.address for write in writes}
    once = 1 <= len(writes) == len(addresses)
    good = once and {write.value for write in writes} == {signal.value}
    seen = listed(f"{w.address:#x}={w.value:#x}" for w in writes)
    expected = f"{signal.value:#x}, to each device at most once"
    stage.note("register writes", expected, expected if good else seen)
    reports = stage.reports()
    stage.note("host sees first", signal.qmp, reports[0] if reports else NOTHING)
    stage.note("host sees", f"{signal.qmp}, {SHUT_DOWN}", ", ".join(dict.fromkeys(reports)))


async def _unable(stage: Stage) -> None:
    await _expect(stage, stage.picked(await stage.load()), None)


async def _disabled(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _disable(stage, bound[0])
    await _expect(stage, bound, None)


async def _enabled_again(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _disable(stage, bound[0])
    await stage.choose(bound[0], stage.bench.known)
    await _expect(stage, bound, bound[0])


async def _first(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _disable(stage, bound[1])
    await _expect(stage, bound, bound[0])


async def _second(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _disable(stage, bound[0])
    await _expect(stage, bound, bound[1])


async def _unbound(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _unbind(stage, bound[0])
    await _expect(stage, bound, None)


async def _rest_bound(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _unbind(stage, bound[0])
    await _expect(stage, bound, bound[1])


async def _rest_disabled(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _disable(stage, bound[0])
    await _unbind(stage, bound[1])
    await _expect(stage, bound, None)


async def _bound_again(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _disable(stage, bound[0])
    await _unbind(stage, bound[0])
    await stage.shell.run(f"echo {bound[0].name} >{bound[0].driver}/bind")
    await _expect(stage, bound, bound[0])


async def _unloaded(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await stage.unload()
    await _expect(stage, bound, None)
