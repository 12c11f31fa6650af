# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done to the driver, each act from the same state, counted and judged."""

from __future__ import annotations

import asyncio
import random
import re
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab.kernel import module_names
from gen.lab.problem import LabError
from gen.lab.stories.panic import PANIC_END
from gen.model import Trigger
from tests.torture.arena import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.torture.arena import Arena

SCAN = "/sys/kernel/debug/kmemleak"
SCANS = f"echo scan >{SCAN}; sleep 6; echo scan >{SCAN}; cat {SCAN}"
# What a failed bind is expected to make the kernel say.
FAILED_BIND = (
    *(r"failed with error -12", r"-ENOMEM", r"FAULT_INJECTION"),
    *(r"really_probe: driver_sysfs_add failed$", r"device_add_groups\(\) failed$"),
)
# What the kernel itself says about the interrupt that the host injects.
INJECTED = (r"NMI",)
# The defects of flawed.c, and what the detector that they are for says.
DEFECTS = {
    "use-after-free": "KASAN: slab-use-after-free",
    "wrong-order": "possible circular locking dependency",
    "sleep-in-atomic": "sleeping function called from invalid context|scheduling while atomic",
    "corrupt-list": "list_add (?:double add|corruption)",
    # Of the allocator's size, not of what was asked for.
    "leak": r'unreferenced object .*\n +comm "insmod"',
    "shift-too-far": "UBSAN: shift-out-of-bounds",
}


@dataclass(frozen=True)
class Result:
    """What came of one act.

    Args:
        act: its name; a panic's names its moment too.
        operations: how much was done to the driver.
        reports: what detectors and kernel complained about.
        lost, invented: events that should have come and did not, and the other way round.
        problem: why the act itself did not go as it should, if so.
    """

    act: str
    operations: int
    seconds: float
    reports: tuple[str, ...] = ()
    lost: int = 0
    invented: int = 0
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is nothing to complain about."""
        return not (self.reports or self.lost or self.invented or self.problem)


async def play(name: str, arena: Arena, act: Callable[[Arena], Awaitable[Result]]) -> Result:
    """Play an act; what stops it is its problem."""
    started = time.monotonic()
    try:
        return await act(arena)
    except LabError as error:
        reports = tuple(arena.complaints())
        return Result(name, 0, time.monotonic() - started, reports, problem=str(error))


def operations(told: str) -> int:
    """The sum of what the guest's program counted."""
    return sum(map(int, re.findall(r"operations (\d+)", told)))


def _files(arena: Arena) -> list[str]:
    names = [attribute.name for attribute in arena.bench.device.sysfs]
    return [f"{device.path}/{name}" for device in arena.bound for name in names]


def _fire(arena: Arena, seconds: float, seed: int) -> str:
    """Lines for the guest: all processors use attributes, and the first device goes and comes."""
    keep = arena.bench.signal(Trigger.PANIC).value
    moving = arena.bound[0]
    return (
        f"fire attributes {seconds:g} {seed} {keep} {' '.join(_files(arena))} &\n"
        f"fire rebind {seconds:g} {moving.driver} {moving.name} &\n"
    )


async def _leaks(arena: Arena) -> list[str]:
    text = await arena.run(SCANS, 600)
    return [line for line in text.splitlines() if "unreferenced object" in line]


async def attributes(arena: Arena, seconds: float, seed: int) -> Result:
    """Attributes from four processors while a device is bound and unbound."""
    started = time.monotonic()
    await arena.run(f"echo scan >{SCAN}; echo clear >{SCAN}", 600)
    told = await arena.run(f"{_fire(arena, seconds, seed)}wait", seconds + PATIENCE)
    leaks = await _leaks(arena)
    reports = (*arena.complaints(), *leaks)
    return Result("attributes", operations(told), time.monotonic() - started, reports)


async def reload(arena: Arena, rounds: int) -> Result:
    """All modules out and in again."""
    started = time.monotonic()
    names = module_names(arena.bench.device)
    files = " ".join(f"/lib/modules/$(uname -r)/updates/{name}.ko" for name in names)
    await arena.run(f"echo scan >{SCAN}; echo clear >{SCAN}", 600)
    await arena.stage.unload()
    told = await arena.run(f"fire reload {rounds} {files}", 30 + 5.0 * rounds)
    leaks = await _leaks(arena)
    reports = (*arena.complaints(), *leaks)
    return Result("reload", operations(told), time.monotonic() - started, reports)


async def faults(arena: Arena) -> Result:
    """Each allocation of a bind and of an unbind fails in turn, on a device of each frontend."""
    started = time.monotonic()
    await arena.run(
        "for kind in failslab fail_page_alloc; do cd /sys/kernel/debug/$kind;"
        " echo N >ignore-gfp-wait; echo 0 >verbose; done"
    )
    told = await arena.run(
        "\n".join(f"fire faults {d.driver} {d.name}" for d in (arena.bound[0], arena.bound[-1]))
    )
    odd = [line for line in told.splitlines() if "odd 0 bound 1" not in line]
    problem = f"bound without success or the other way round: {odd}" if odd else ""
    reports = tuple(arena.complaints(FAILED_BIND))
    return Result("faults", operations(told), time.monotonic() - started, reports, problem=problem)


async def symbols(arena: Arena) -> dict[str, int]:
    """The driver's functions and how long each is at most, in bytes."""
    names = {name.replace("-", "_") for name in module_names(arena.bench.device)}
    listing = await arena.run("cat /proc/kallsyms | grep '\\['")
    rows = sorted(
        (int(address, 16), name)
        for address, kind, name, module in map(str.split, listing.splitlines())
        if module.strip("[]") in names and kind in "tT" and not name.startswith("__")
    )
    ends = [address for address, _ in rows[1:]]
    sizes = [end - start for (start, _), end in zip(rows, ends, strict=False)]
    return {
        name: min(size, 1024)
        for (_, name), size in zip(rows, sizes, strict=False)
        if size > 0 and not re.search(r"init|exit|cleanup|^_", name)
    }


def _instruction(chance: random.Random, functions: dict[str, int]) -> str:
    """A script for a panic at an instruction; where none can be probed, in a timer's interrupt."""
    places = [(n, chance.randrange(functions[n])) for n in chance.choices(sorted(functions), k=8)]
    hits = chance.choice((1, 2, 5, 20))
    tries = [
        f"insmod /bomb.ko symbol={shlex.quote(name)} offset={offset} hits={hits} "
        "delay_us=4000000 && exit"
        for name, offset in places
    ]
    return "\n".join([*tries, "insmod /bomb.ko"])


async def panic(arena: Arena, seed: int, functions: dict[str, int]) -> Result:
    """Panic at the moment that the seed chooses, under fire; each quiet device tells it once."""
    started = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 (no secret)
    kind = chance.choice(("instruction", "instruction", "interrupt", "nmi"))
    delay = chance.uniform(0.2, 1.5)
    where = f"{kind} after {delay:.2f} s"
    await arena.run(f"exec >/dev/null 2>&1\n{_fire(arena, 600, seed)}sleep 0.3")
    await arena.stage.watch(arena.bound)
    if kind == "nmi":
        await arena.run("echo 1 >/proc/sys/kernel/unknown_nmi_panic")
        await asyncio.sleep(delay)
        await arena.stage.host.execute("inject-nmi")
    elif kind == "interrupt":
        await arena.stage.shell.send(f"insmod /bomb.ko delay_us={int(delay * 1e6)}")
    else:
        await arena.stage.shell.send(_instruction(chance, functions))
    await arena.stage.settle(PANIC_END, limit=PATIENCE)
    log = arena.stage.log()
    armed = re.search(r"bomb: armed at (\S+)", log)
    if kind == "instruction":
        reached = "bomb: instruction" in log
        where = f"{armed[1] if armed else 'nowhere'}{'' if reached else ', not reached: interrupt'}"
    return _judge(arena, f"panic seed {seed}: {where}", started)


def amiss(values: Sequence[Sequence[int]], expected: int, *, moving: int) -> tuple[int, int]:
    """How many events were lost and how many invented.

    Args:
        values: what was written to each device.
        expected: what each has to be told, once.
        moving: the index of the one that comes and goes, which may also be told nothing.
    """
    lost = sum(expected not in v for i, v in enumerate(values) if i != moving)
    return lost, sum(len(v) - min(1, v.count(expected)) for v in values)


def _judge(arena: Arena, name: str, started: float) -> Result:
    """Compare what each device was told: once if it stayed bound, once at most if it moved."""
    signal = arena.bench.signal(Trigger.PANIC)
    told = arena.stage.writes()
    values = [[write.value for device, write in told if device is own] for own in arena.bound]
    lost, invented = amiss(values, signal.value, moving=0)
    register = arena.bench.device.event_register
    problems = [] if PANIC_END in arena.stage.log() else ["the panic did not end"]
    problems += [w for w in (d.wrote(write, register) for d, write in told) if "(" in w]
    reported = sum(e.name == signal.qmp for e in arena.stage.host.events[arena.stage.first_event :])
    if reported != len(told):
        problems.append(f"{len(told)} writes, but the host reported {reported} events")
    reports = tuple(arena.complaints(INJECTED))
    took = time.monotonic() - started
    return Result(name, 1, took, reports, lost, invented, "; ".join(problems))


async def defect(arena: Arena, name: str) -> Result:
    """A module with a defect; the detector has to say so."""
    started = time.monotonic()
    told = await arena.stage.shell.attempt(f"insmod /flawed.ko defect={name}", PATIENCE)
    text = await arena.run(SCANS, 600) if name == "leak" else arena.stage.log()
    seen = re.search(DEFECTS[name], text)
    problem = "" if seen else f"no detector spoke; status {told.status}"
    return Result(f"detector: {name}", 1, time.monotonic() - started, problem=problem)
