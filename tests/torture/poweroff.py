# SPDX-License-Identifier: GPL-2.0-or-later
"""Powering off while attributes are written: the first device that is told ends the machine."""

from __future__ import annotations

import asyncio
import random
import re
import time
from typing import TYPE_CHECKING

from gen.lab.stories.power import HALTED, POWER_OFF, SHUT_DOWN, STILL_RUNNING
from gen.model import Trigger
from tests.torture.acts import Result
from tests.torture.arena import PATIENCE
from tests.torture.journal import judge

if TYPE_CHECKING:
    from tests.torture.arena import Arena


async def power_off(arena: Arena, name: str, seed: int) -> Result:
    """Power off at a random moment under fire; the firmware cannot, so the device has to.

    QEMU stops the machine soon after it was told, not at once: the first device is always told,
    and each at most once.
    """
    started = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 (no secret)
    delay = chance.uniform(0.05, 1.0)
    signal = arena.bench.signal(Trigger.POWER_OFF)
    await arena.stage.watch(arena.bound)
    await asyncio.sleep(delay)
    await arena.stage.shell.send(POWER_OFF)
    await arena.stage.settle(HALTED, limit=PATIENCE)
    told = arena.stage.writes()
    places = [device.name for device, _ in told]
    lost = int(not told)
    invented = len(places) - len(set(places))
    invented += sum(write.value != signal.value for _, write in told)
    reports = arena.stage.reports()
    good = reports and set(reports) == {signal.qmp, SHUT_DOWN}
    problem = "" if good else f"the host saw {', '.join(reports) or 'nothing'}"
    log = re.split(STILL_RUNNING, arena.stage.log(), maxsplit=1, flags=re.MULTILINE)[0]
    verdict = judge(log, arena.modules)
    took = time.monotonic() - started
    detail = f"after {delay:.2f} s, {len(places)} devices told"
    return Result(name, 1, took, verdict.reports, verdict.foreign, lost, invented, problem, detail)
