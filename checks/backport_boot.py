# SPDX-License-Identifier: GPL-2.0-or-later
"""The last mail of a backport booted; where it fails, the tree's own driver is, too.

An edit leaves a driver's defects as they are. So a scenario that fails in the same way without the
mails is told, and does not count against them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backport.records import BackportError
from gen.lab import bench as benches
from gen.lab import guest, kernel, outcome
from gen.lab.board import PC
from gen.lab.command import select
from gen.lab.runner import Runner
from gen.lab.scenario import Outcome, Verdict
from gen.lab.stories import all_scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gen.kernel import Kernel
    from gen.model import Device

# What tells one device of several from another.
_NUMBERS = re.compile(r"\b(0x)?[0-9a-f]+\b")


@dataclass(frozen=True)
class Stage:
    """How guests are run: the kernel, a room for them, how many at a time, where progress goes."""

    target: Kernel
    room: Path
    jobs: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Modules:
    """Built modules and the contract that they keep."""

    directory: Path
    contract: Device


def boot(new: Modules, own: Modules | None, names: tuple[str, ...], stage: Stage) -> str:
    """Play the scenarios on the kernel that the modules are for; what was seen.

    Args:
        new: what the last mail leaves.
        own: the tree's own driver, if it can be built.
        names: the scenarios; all if there are none.
        stage: how guests are run.

    Raises:
        BackportError: a scenario fails that the tree's own driver passes, or cannot be answered.
    """
    release, outcomes = _play(new, names, stage, "new")
    played = [one for one in outcomes if one.verdict is not Verdict.INAPPLICABLE]
    bad = [one for one in played if one.verdict is not Verdict.PASS]
    old: dict[str, Outcome] = {}
    if own and any(one.verdict is Verdict.FAIL for one in bad):
        stage.say("not all passed: booting the tree's own driver")
        _, others = _play(own, tuple(one.name for one in bad), stage, "own")
        old = {one.name: one for one in others}
    fresh = [one for one in bad if one.name not in old or not _same(one, old[one.name])]
    if fresh or len(bad) == len(played):
        for line in outcome.table(outcomes, colour=False).splitlines():
            stage.say(line)
        told = [f"{one.name}: {one.reason or one.verdict}" for one in bad] or ["nothing to play"]
        raise BackportError(f"the driver was booted, and not all passed: {'; '.join(told)}")
    count = len(played) - len(bad)
    text = f"Linux {release}: {count} scenario{'s pass' if count > 1 else ' passes'}"
    return "; ".join([text, *(f"{one.name} fails as with the tree's own driver" for one in bad)])


def _play(
    modules: Modules, names: tuple[str, ...], stage: Stage, label: str
) -> tuple[str, Sequence[Outcome]]:
    """The kernel's release, and what came of the scenarios."""
    bench = benches.inspect(modules.contract, PC)
    found = kernel.read_modules(modules.directory, modules.contract)
    image = kernel.find_image(found.release, None, stage.target.suites, stage.say)
    work = stage.room / label
    work.mkdir(parents=True)
    files = guest.build(found, image, work, PC)
    runner = Runner(bench, files, work / "boots", stage.say, stage.jobs)
    return found.release, runner.run(select(all_scenarios(bench), names))


def _same(one: Outcome, other: Outcome) -> bool:
    """Whether a scenario fails with nothing that did not fail before, whichever the device."""
    if one.verdict is not Verdict.FAIL or other.verdict is not Verdict.FAIL:
        return False
    return _complaints(one) <= _complaints(other)


def _complaints(one: Outcome) -> set[tuple[str, str]]:
    """What is not as expected, each part once, without numbers."""
    return {
        (_NUMBERS.sub("#", check.what), _NUMBERS.sub("#", part))
        for check in one.checks
        if not check.passed
        for part in check.seen.split(" | ")
    }
