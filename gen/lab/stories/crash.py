# SPDX-License-Identifier: GPL-2.0-or-later
"""Panics that a crash kernel in the guest takes over."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gen.lab.guest import CRASH_INITRD, CRASH_KERNEL, CRASH_MARK
from gen.lab.machine import Machine
from gen.lab.scenario import Scenario
from gen.lab.stories.panic import CRASH
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.lab.bench import Bench
    from gen.lab.present import Bound
    from gen.lab.stage import Stage

# MiB: half of it is set aside, and with less the crash kernel cannot be loaded.
MEMORY = 512
RESERVE = "crashkernel=128M"
# What the crash kernel says while it boots is not the driver's affair.
CRASH_KERNEL_STARTS = r"\bLinux version "
# Seconds for a panic and another boot.
BOOT_PATIENCE = 120.0
NOTIFY_FIRST = "crash_kexec_post_notifiers"


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """A crash kernel is loaded and boots; only the kernel's parameter lets notifiers run before."""
    with_notifiers = _machine(bench, RESERVE, NOTIFY_FIRST)
    plain = bench.obstacle(triggers=[Trigger.CRASH_KERNEL], crash_kernel=True)
    chosen = bench.obstacle(triggers=[Trigger.CRASH_KERNEL], writable=True, crash_kernel=True)
    stories = (
        ("crash-kernel", "a panic with a crash kernel loaded", with_notifiers, _told, plain),
        (
            "crash-kernel-disabled",
            "the same, disabled by the user: nothing is sent instead",
            with_notifiers,
            _disabled,
            chosen,
        ),
        (
            "crash-kernel-first",
            f"the same without {NOTIFY_FIRST}: no notifier runs",
            _machine(bench, RESERVE),
            _untold,
            plain,
        ),
    )
    for name, title, machine, play, obstacle in stories:
        yield Scenario(name, title, machine, play, ends=True, obstacle=obstacle)


def _machine(bench: Bench, *append: str) -> Machine:
    return Machine(
        bench.one_of_each(), memory=MEMORY, append=append, crash_kernel=True, steady=True
    )


async def _load_crash_kernel(stage: Stage) -> None:
    line = f"console={stage.bench.board.console} nr_cpus=1 reset_devices lab.crashed"
    told = await stage.shell.run(
        f"helper crash-kernel {CRASH_KERNEL} {CRASH_INITRD} {shlex.quote(line)}"
    )
    stage.note("loading the crash kernel", "ok 0", told)
    state = await stage.shell.run("cat /sys/kernel/kexec_crash_loaded")
    stage.note("crash kernel loaded", "1", state)


async def _crash(stage: Stage, bound: tuple[Bound, ...], *, told: bool) -> None:
    signal = stage.bench.signal(Trigger.CRASH_KERNEL)
    writers = bound if told else ()
    stage.judged_until = CRASH_KERNEL_STARTS
    await stage.watch(bound)
    await stage.shell.send(CRASH)
    await stage.settle(CRASH_MARK, limit=BOOT_PATIENCE)
    stage.expect_line("the crash kernel takes over", CRASH_MARK)
    stage.expect_reports([f"{signal.qmp} run"] * len(writers))
    stage.expect_writes([(device, signal.value) for device in writers])


async def _told(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _load_crash_kernel(stage)
    await _crash(stage, bound, told=True)


async def _untold(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    await _load_crash_kernel(stage)
    await _crash(stage, bound, told=False)


async def _disabled(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    value = stage.bench.signal(Trigger.CRASH_KERNEL).value
    for device in bound:
        await stage.choose(device, stage.bench.known & ~value)
    await _load_crash_kernel(stage)
    await _crash(stage, bound, told=False)
