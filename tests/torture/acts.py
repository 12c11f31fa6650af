# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done to the driver in a kernel that survives it, counted and judged."""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab.kernel import module_names
from gen.lab.problem import GuestError, LabError, QemuGoneError
from gen.model import Trigger
from tests.torture import arena as stages
from tests.torture.arena import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.torture.arena import Arena
    from tests.torture.journal import Verdict

KMEMLEAK = "/sys/kernel/debug/kmemleak"
# What was freed a moment ago may still be found in a register or a stack by the first scan.
SCANS = (
    f"if [ -e {KMEMLEAK} ]; then echo scan >{KMEMLEAK}; sleep 6; echo scan >{KMEMLEAK};"
    f" cat {KMEMLEAK}; fi"
)
FORGET = f"if [ -e {KMEMLEAK} ]; then echo scan >{KMEMLEAK}; echo clear >{KMEMLEAK}; fi"
SCAN_LIMIT = 900.0
# What a bind that is made to fail makes the kernel say.
FAILED_BIND = (
    *(r"failed with error -\d+", r"-ENOMEM", r"error -12", r"FAULT_INJECTION"),
    *(r"really_probe: driver_sysfs_add failed$", r"device_add_groups\(\) failed$"),
)
# The defects of flawed.c, and what the detector that they are for says, by the kernel's sanitizer.
COMMON = {
    "wrong-order": "possible circular locking dependency",
    "sleep-in-atomic": "sleeping function called from invalid context|scheduling while atomic",
    "corrupt-list": "list_add (?:double add|corruption)",
}
DEFECTS = {
    "kasan": {
        "use-after-free": "KASAN: slab-use-after-free",
        **COMMON,
        # Of the allocator's size, not of what was asked for.
        "leak": r'unreferenced object .*\n +comm "insmod"',
        "shift-too-far": "UBSAN: shift-out-of-bounds",
    },
    "kcsan": {"data-race": r"KCSAN: data-race in race", **COMMON},
}


@dataclass(frozen=True)
class Result:
    """What came of one act.

    Args:
        act: its name.
        operations: how much was done to the driver.
        seconds: of the wall clock.
        reports: what detectors and kernel complained about.
        foreign: how many reports were about something else than the driver.
        lost, invented: events that should have come and did not, and the other way round.
        problem: why the act itself did not go as it should, if so.
        detail: what is to be known of an act that went well.
    """

    act: str
    operations: int
    seconds: float
    reports: tuple[str, ...] = ()
    foreign: int = 0
    lost: int = 0
    invented: int = 0
    problem: str = ""
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is nothing to complain about."""
        return not (self.reports or self.lost or self.invented or self.problem)


async def play(name: str, arena: Arena, act: Callable[[Arena], Awaitable[Result]]) -> Result:
    """Play an act; what stops it is its problem.

    Raises:
        QemuGoneError: QEMU crashed.
    """
    started = time.monotonic()
    try:
        return await act(arena)
    except QemuGoneError:
        raise
    except LabError as error:
        verdict = arena.verdict()
        took = time.monotonic() - started
        return Result(name, 0, took, verdict.reports, verdict.foreign, problem=str(error))


def operations(told: str) -> int:
    """The sum of what the guest's program counted."""
    return sum(map(int, re.findall(r"operations (\d+)", told)))


def _result(
    name: str,
    count: int,
    started: float,
    verdict: Verdict,
    leaks: tuple[str, ...],
    *,
    problem: str = "",
    detail: str = "",
) -> Result:
    return Result(
        name,
        count,
        time.monotonic() - started,
        (*verdict.reports, *leaks),
        verdict.foreign,
        problem=problem or ("" if count else "nothing was done"),
        detail=detail,
    )


async def leaked(arena: Arena) -> tuple[str, ...]:
    """What kmemleak finds, where the kernel has it."""
    text = await arena.run(SCANS, SCAN_LIMIT)
    return tuple(line for line in text.splitlines() if "unreferenced object" in line)


async def attributes(arena: Arena, name: str, seconds: float, seed: int) -> Result:
    """Attributes from four processors while a device of each frontend is bound and unbound."""
    started = time.monotonic()
    await arena.run(FORGET, SCAN_LIMIT)
    lines, _ = stages.burn(arena.bench, arena.bound, seconds, seed, apart=False)
    told = await arena.run(f"{lines}\nwait", seconds + PATIENCE)
    return _result(name, operations(told), started, arena.verdict(), await leaked(arena))


async def reload(arena: Arena, name: str, rounds: int) -> Result:
    """All modules out and in again."""
    started = time.monotonic()
    names = module_names(arena.bench.device)
    files = " ".join(f"/lib/modules/$(uname -r)/updates/{name}.ko" for name in names)
    await arena.run(FORGET, SCAN_LIMIT)
    await arena.stage.unload()
    told = await arena.run(f"fire reload {rounds} {files}", 60 + 10.0 * rounds)
    return _result(name, operations(told), started, arena.verdict(), await leaked(arena))


async def allocations(arena: Arena, name: str) -> Result:
    """Each allocation of a bind and of an unbind fails in turn, on a device of each frontend."""
    started = time.monotonic()
    await arena.run(
        "for kind in failslab fail_page_alloc; do cd /sys/kernel/debug/$kind;"
        f" echo N >ignore-gfp-wait; echo 0 >verbose; done\n{FORGET}",
        SCAN_LIMIT,
    )
    devices = (arena.bound[0], arena.bound[-1])
    script = "\n".join(f"fire faults {d.driver} {d.name}" for d in devices)
    told = await arena.run(script, SCAN_LIMIT)
    odd = [line for line in told.splitlines() if "odd 0 bound 1" not in line]
    problem = f"bound without success or the other way round: {odd}" if odd else ""
    leaks = await leaked(arena)
    verdict = arena.verdict(FAILED_BIND)
    detail = "; ".join(told.splitlines())
    return _result(name, operations(told), started, verdict, leaks, problem=problem, detail=detail)


async def calls(arena: Arena, name: str, failing: dict[str, int]) -> Result:
    """Each call of the driver's into the kernel that can fail does, at each of its times in turn.

    The modules are loaded and all devices are bound, written to and unbound with it failing.
    Afterwards the same goes well, whatever the failure left behind.
    """
    started = time.monotonic()
    await arena.run(FORGET, SCAN_LIMIT)
    await arena.stage.unload()
    trigger = arena.bench.signal(Trigger.PANIC)
    writable = arena.bench.writable()
    stores = f"for d in {' '.join(d.path for d in arena.bound)}; do "
    if writable is not None:
        stores += f"for v in {trigger.value:x} 0 {arena.bench.known:x}; do "
        stores += f"echo $v >$d/{writable.name}; done; "
    stores += "done"
    modules = " ".join(f.name for f in arena.bench.device.frontends)
    out = " ".join(n.replace("-", "_") for n in reversed(module_names(arena.bench.device)))
    bound = "ls -d " + " ".join(f"{d.driver}/{shlex.quote(d.name)}" for d in arena.bound)
    done, told = 0, []
    for symbol, value in sorted(failing.items()):
        for nth in range(1, 100):
            script = (
                f"echo '{symbol} {nth} {value}' >/sys/module/refuse/parameters/call || exit 9\n"
                f"(modprobe -a {modules}; {stores}) >/dev/null 2>&1\n"
                "cat /sys/module/refuse/parameters/call\n"
                f"for m in {out}; do rmmod $m; done >/dev/null 2>&1\n"
                "echo - >/sys/module/refuse/parameters/call\n"
            )
            ran = await arena.attempt(script, PATIENCE)
            if ran.status == 9:
                told.append(f"{symbol} cannot be probed")
                break
            if not ran.output.strip().isdigit():
                raise LabError(f"{symbol}, call {nth}: {ran.output}")
            if int(ran.output) < nth:
                told.append(f"{symbol} {nth - 1}")
                break
            done += 1
    await arena.stage.load()
    listed = await arena.attempt(f"{bound} >/dev/null", PATIENCE)
    problem = "" if listed.status == 0 else f"not everything is bound afterwards: {listed.output}"
    leaks = await leaked(arena)
    injectable = await arena.run("cut -f 1 /sys/kernel/debug/fail_function/injectable || true")
    names = {line.split()[0] for line in injectable.splitlines() if line.strip()}
    both = sorted(names & arena.driver.calls)
    told.append(f"fail_function offers {len(names)} functions, of which the driver calls {both}")
    verdict = arena.verdict((*FAILED_BIND, "cannot register", "ould not register"))
    return _result(name, done, started, verdict, leaks, problem=problem, detail="; ".join(told))


async def defect(arena: Arena, name: str, which: str, pattern: str) -> Result:
    """A module with a defect; the detector has to say so."""
    started = time.monotonic()
    text = ""
    with contextlib.suppress(GuestError):  # some take the guest with them
        await arena.attempt(f"insmod /flawed.ko defect={which}")
        text = await arena.run(SCANS, SCAN_LIMIT) if which == "leak" else ""
    seen = re.search(pattern, text or arena.stage.log())
    problem = "" if seen else "no detector spoke"
    detail = seen[0].splitlines()[0] if seen else ""
    return Result(name, 1, time.monotonic() - started, problem=problem, detail=detail)


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
