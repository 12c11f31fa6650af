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
from gen.lab.problem import GuestError
from gen.lab.stories.panic import PANIC_END
from gen.model import Trigger
from tests.torture.arena import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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
    "leak": "unreferenced object",
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


async def play(name: str, arena: Arena, act: Callable[[], Awaitable[Result]]) -> Result:
    """Restore the guest and play an act; what stops it is its problem."""
    started = time.monotonic()
    try:
        await arena.restore()
        return await act()
    except GuestError as error:
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


async def panic(arena: Arena, seed: int, functions: dict[str, int]) -> Result:
    """Panic at the moment that the seed chooses, under fire; each quiet device tells it once."""
    started = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 (no secret)
    kind = chance.choice(("instruction", "instruction", "interrupt", "nmi"))
    delay = chance.uniform(0.2, 1.5)
    await arena.run(f"exec >/dev/null 2>&1\n{_fire(arena, 600, seed)}sleep 0.3")
    if kind == "nmi":
        await arena.run("echo 1 >/proc/sys/kernel/unknown_nmi_panic")
        await asyncio.sleep(delay)
        await arena.stage.host.execute("inject-nmi")
        where = f"nmi after {delay:.2f} s"
    else:
        where = f"interrupt after {delay:.2f} s"
        script = f"insmod /bomb.ko delay_us={int(delay * 1e6)}"
        if kind == "instruction":
            places = [
                (n, chance.randrange(functions[n])) for n in chance.choices(sorted(functions), k=8)
            ]
            hits = chance.choice((1, 2, 5, 20))
            script = "\n".join(
                f"insmod /bomb.ko symbol={shlex.quote(name)} offset={offset} hits={hits} "
                "delay_us=4000000 && exit"
                for name, offset in places
            )
        await arena.stage.shell.send(script)
    await arena.stage.settle(PANIC_END, limit=PATIENCE)
    log = arena.stage.log()
    armed = re.search(r"bomb: armed at (\S+)", log)
    if kind == "instruction" and armed:
        where = f"{armed[1]}{'' if 'bomb: instruction' in log else ' (not reached: interrupt)'}"
    return _judge(arena, f"panic seed {seed}: {where}", started)


def _judge(arena: Arena, name: str, started: float) -> Result:
    """Compare what each device was told: once if it stayed bound, once at most if it moved."""
    signal = arena.bench.signal(Trigger.PANIC)
    quiet = arena.bound[1:]
    lost = sum(signal.value not in arena.values(device) for device in quiet)
    invented = 0
    for device in arena.bound:
        values = arena.values(device)
        invented += len(values) - min(1, values.count(signal.value))
    told = sum(len(arena.values(device)) for device in arena.bound)
    reported = sum(e.name == signal.qmp for e in arena.stage.host.events[arena.stage.first_event :])
    problem = "" if PANIC_END in arena.stage.log() else "the panic did not end"
    if reported != told:
        problem = f"{told} writes, but the host reported {reported} events"
    reports = tuple(arena.complaints(INJECTED))
    return Result(name, 1, time.monotonic() - started, reports, lost, invented, problem)


async def defect(arena: Arena, name: str) -> Result:
    """A module with a defect; the detector has to say so."""
    started = time.monotonic()
    await arena.run(f"echo scan >{SCAN}; echo clear >{SCAN}", 600)
    told = await arena.stage.shell.attempt(f"insmod /flawed.ko defect={name}", PATIENCE)
    text = arena.stage.log() + (await arena.run(SCANS, 600) if name == "leak" else "")
    seen = re.search(DEFECTS[name], text)
    problem = "" if seen else f"no detector spoke; status {told.status}"
    return Result(f"detector: {name}", 1, time.monotonic() - started, problem=problem)
