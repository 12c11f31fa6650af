# SPDX-License-Identifier: GPL-2.0-or-later
"""Panics, each at another moment, under fire; and what each device was told by then."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gen.lab.stories.panic import PANIC_END
from gen.model import Trigger
from tests.torture.acts import Result
from tests.torture.arena import PATIENCE
from tests.torture.plugging import Plugs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gen.lab.present import Bound
    from tests.torture.arena import Arena

# What the kernel itself says about the interrupt that the host injects.
INJECTED = (r"NMI",)
# The moments: in a timer's hard interrupt; in an NMI; at an instruction of the driver's; at one of
# a store's; where the driver gives back a lock, which the panicking processor then holds; while
# another processor holds that lock, or sits in a store; and while a device is plugged or taken out.
MOMENTS = (
    *("interrupt", "nmi", "instruction", "in-store", "holding-lock"),
    *("lock-elsewhere", "lock-elsewhere-nmi", "store-elsewhere", "store-elsewhere-nmi"),
    *("plugging", "plugging-nmi"),
)
SITS = re.compile(r"bomb: processor (\d+) sits")
# Microseconds until a panic comes anyway, where the moment does not.
TIMEOUT_US = 4000000
# Seconds that the host waits for words which the sitting processor itself may hold up.
SITTING = 15.0


def _bomb(symbol: str, offset: int, hits: int, action: str, delay_us: int = TIMEOUT_US) -> str:
    words = f"{symbol} {offset} {hits} {action} {delay_us}"
    return f"echo '{words}' >/sys/module/bomb/parameters/arm"


def _trap(
    moment: str, chance: random.Random, functions: dict[str, int], unlocks: Sequence[str]
) -> str:
    """A script for a panic at an instruction; where none can be probed, in a timer's interrupt."""
    action = "panic"
    if "elsewhere" in moment:
        action = "wait" if moment.endswith("nmi") else "sit"
    hits = chance.choice((1, 1, 2, 3, 5))
    if "lock" in moment:
        tries = [_bomb(name, 0, hits, action) for name in unlocks]
    else:
        stores = [name for name in functions if "store" in name]
        names = sorted(stores if "store" in moment and stores else functions)
        chosen = chance.choices(names, k=8)
        tries = [_bomb(name, chance.randrange(functions[name]), hits, action) for name in chosen]
    return "\n".join(f"{one} && exit" for one in [*tries, _bomb("-", 0, 1, "panic", 1000)])


async def panic(
    arena: Arena, name: str, moment: str, seed: int, functions: dict[str, int]
) -> Result:
    """Panic at the moment that the seed chooses, under fire; each quiet device tells it once."""
    started = time.monotonic()
    chance = random.Random(f"{moment} {seed}")  # noqa: S311 (no secret)
    delay = chance.uniform(0.05, 1.0)
    stage = arena.stage
    plugs = await Plugs.first(arena) if "plugging" in moment else None
    await stage.watch((*arena.bound, *((plugs.device,) if plugs else ())))
    async with contextlib.AsyncExitStack() as beside:
        if plugs:
            await beside.enter_async_context(plugs.going_on(chance))
        detail = await _set_off(arena, moment, delay, chance, functions)
        await stage.settle(PANIC_END, limit=PATIENCE)
    armed = re.search(r"bomb: armed at (\S+)", stage.log())
    if armed:
        detail = f"{armed[1]}{'' if _reached(stage.log()) else ', not reached: interrupt'}"
    result = _judge(arena, name, plugs.device if plugs else None, started)
    return replace(result, detail=detail)


def _reached(log: str) -> bool:
    return "bomb: instruction" in log or SITS.search(log) is not None


async def _set_off(
    arena: Arena, moment: str, delay: float, chance: random.Random, functions: dict[str, int]
) -> str:
    """Make the guest panic; says when where it is a matter of time."""
    stage = arena.stage
    if moment in {"nmi", "plugging-nmi"}:
        await asyncio.sleep(delay)
        await stage.host.execute("inject-nmi")
    elif moment in {"interrupt", "plugging"}:
        await stage.shell.send(_bomb("-", 0, 1, "panic", int(delay * 1e6)))
    else:
        await stage.shell.send(_trap(moment, chance, functions, arena.driver.unlocks))
        if moment.endswith("nmi"):
            await stage.host.wait(
                "the processor to sit",
                lambda: bool(SITS.search(stage.log())) or PANIC_END in stage.log(),
                SITTING,
            )
            await stage.host.execute("inject-nmi")
        return ""
    return f"after {delay:.2f} s"


def amiss(
    values: Sequence[Sequence[int]], expected: int, *, moving: Collection[int]
) -> tuple[int, int]:
    """How many events were lost and how many invented.

    Args:
        values: what was written to each device.
        expected: what each has to be told, once.
        moving: the indices of those that come and go, which may also be told nothing.
    """
    lost = sum(expected not in v for i, v in enumerate(values) if i not in moving)
    return lost, sum(len(v) - min(1, v.count(expected)) for v in values)


def _judge(arena: Arena, name: str, plugged: Bound | None, started: float) -> Result:
    """Compare what each device was told: once if it stayed bound, once at most if it moved."""
    signal = arena.bench.signal(Trigger.PANIC)
    devices = (*arena.bound, *((plugged,) if plugged else ()))
    told = arena.stage.writes()
    values = [[write.value for device, write in told if device is own] for own in devices]
    moving = [i for i, d in enumerate(devices) if d.name in arena.moving or d is plugged]
    lost, invented = amiss(values, signal.value, moving=moving)
    register = arena.bench.device.event_register
    problems = [] if PANIC_END in arena.stage.log() else ["the panic did not end"]
    problems += [w for w in (d.wrote(write, register) for d, write in told) if "(" in w]
    reported = sum(e.name == signal.qmp for e in arena.stage.host.events[arena.stage.first_event :])
    if reported != len(told):
        problems.append(f"{len(told)} writes, but the host reported {reported} events")
    verdict = arena.verdict(INJECTED)
    took = time.monotonic() - started
    problem = "; ".join(problems)
    return Result(name, 1, took, verdict.reports, verdict.foreign, lost, invented, problem)


async def lost_event(arena: Arena, name: str) -> Result:
    """A user disables the event on a quiet device: the judgement has to miss it."""
    return await _misjudged(arena, name, "lost", 1, 0)


async def extra_event(arena: Arena, name: str) -> Result:
    """A module writes the event to a device's port: the judgement has to find one too many."""
    return await _misjudged(arena, name, "invented", 0, 1)


async def _misjudged(arena: Arena, name: str, what: str, lost: int, invented: int) -> Result:
    started = time.monotonic()
    value = arena.bench.signal(Trigger.PANIC).value
    await arena.stage.watch(arena.bound)
    if lost:
        await arena.stage.choose(arena.bound[1], arena.bench.known & ~value)
    else:
        port = arena.bound[-1].start
        await arena.run(f"insmod /flawed.ko defect=extra-event port={port} event={value}")
    await arena.stage.shell.send(_bomb("-", 0, 1, "panic", 100000))
    await arena.stage.settle(PANIC_END, limit=PATIENCE)
    seen = _judge(arena, name, None, started)
    if (seen.lost, seen.invented) != (lost, invented):
        problem = f"{seen.lost} lost and {seen.invented} invented events were found"
        return Result(name, 1, seen.seconds, problem=problem)
    return Result(name, 1, seen.seconds, detail=f"1 {what} event was found")
