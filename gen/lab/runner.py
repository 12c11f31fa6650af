# SPDX-License-Identifier: GPL-2.0-or-later
"""Playing scenarios: which ones share a boot, how many run at once, and what is kept of them."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gen.lab import qemu
from gen.lab.problem import GuestError, LabError, NoBootError
from gen.lab.scenario import Outcome, Scenario, Verdict
from gen.lab.shell import Shell
from gen.lab.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.lab.bench import Bench
    from gen.lab.guest import GuestFiles
    from gen.lab.machine import Machine

# Seconds for a guest to come up, by a clock that stands still while others have the processor, and
# for a whole boot with all that is played on it, by anybody's. Both are far above what is usual.
BOOT_LIMIT = 90.0
WHOLE_LIMIT = 1800.0


@dataclass(frozen=True)
class Start:
    """How guests of one machine begin: with a boot, or in the state of one that is up."""

    machine: Machine
    state: Path | None = None


@dataclass
class Runner:
    """Plays scenarios on machines of their own, `jobs` at a time.

    `boots` gets a directory for each boot; that of a boot where all went well is removed.
    """

    bench: Bench
    files: GuestFiles
    boots: Path
    say: Callable[[str], None]
    jobs: int = 2
    _boots: int = 0
    _outcomes: dict[str, Outcome] = field(default_factory=dict)

    def run(self, scenarios: Sequence[Scenario]) -> list[Outcome]:
        """Play all and return what came out, in the order given."""
        for scenario in scenarios:
            if scenario.obstacle is not None:
                self._obstructed(scenario)
        asyncio.run(self._run([s for s in scenarios if s.obstacle is None]))
        return [self._outcomes[scenario.name] for scenario in scenarios]

    def _obstructed(self, scenario: Scenario) -> None:
        obstacle = scenario.obstacle
        if obstacle is not None:
            self._note(
                Outcome(scenario.name, scenario.title, obstacle.verdict, reason=obstacle.reason)
            )

    def _note(self, outcome: Outcome) -> None:
        self._outcomes[outcome.name] = outcome
        took = f" {outcome.seconds:.1f} s" if outcome.seconds else ""
        self.say(f"{outcome.name}: {outcome.verdict}{took}")

    async def _run(self, scenarios: Sequence[Scenario]) -> None:
        places = asyncio.Semaphore(self.jobs)
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

        async with asyncio.TaskGroup() as tasks:
            for machine, boots in by_machine(groups(scenarios)).items():
                tasks.create_task(self._play_machine(machine, boots, places))

    async def _play_machine(
        self, machine: Machine, boots: Sequence[list[Scenario]], places: asyncio.Semaphore
    ) -> None:
        """Play groups whose machines are equal.

        Where there are several, one boot serves them all: the state of the guest that came up is
        saved, and each group goes on from there.
        """
        self.boots.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.boots, prefix="state-") as directory:
            start = Start(machine)
            if len(boots) > 1:
                async with places:
                    try:
                        start = await self._prepare(machine, boots[0][0], Path(directory))
                    except NoBootError as error:
                        for scenario in itertools.chain.from_iterable(boots):
                            self._note(_error(scenario, str(error), None))
                        return

            async def one(group: list[Scenario]) -> None:
                async with places:
                    await self._play_group(group, start)

            async with asyncio.TaskGroup() as tasks:
                for group in boots:
                    tasks.create_task(one(group))

    async def _prepare(self, machine: Machine, first: Scenario, directory: Path) -> Start:
        """Boot, and save the guest's state; its scenarios boot themselves if that is impossible.

        Raises:
            NoBootError: the guest came up neither in its own time nor with steady time.
        """
        place = self._place(first)
        try:
            await self._save(machine, place, directory / "state")
        except NoBootError as error:
            if machine.steady:
                raise
            self.say(f"{first.name}: {error}; once more, with steady time")
            return await self._prepare(replace(machine, steady=True), first, directory)
        except LabError as error:
            self.say(f"{first.name}: {error}; each scenario boots")
            return Start(machine)
        finally:
            shutil.rmtree(place)
        return Start(machine, directory / "state")

    async def _save(self, machine: Machine, place: Path, state: Path) -> None:
        self.say(f"{place.name.partition('-')[2]}: booting")
        async with qemu.start(self.bench.board, machine, self.files, place) as host:
            await host.execute("cont")
            await (await Shell.connect(host)).ready(BOOT_LIMIT)
            await host.save(state)

    async def _play_group(self, group: list[Scenario], start: Start) -> None:
        """Play scenarios on one guest; after one that went wrong, the rest gets a fresh guest.

        A guest that does not come up says nothing about the driver and gets a second chance, on a
        machine whose time does not depend on the host.
        """
        rest = list(group)
        while rest:
            place = self._place(rest[0])
            try:
                done = await self._boot(rest, start, place)
            except NoBootError as error:
                if not start.machine.steady:
                    self.say(f"{rest[0].name}: {error}; once more, with steady time")
                    start = Start(replace(start.machine, steady=True))
                    shutil.rmtree(place)
                    continue
                done = [_error(rest[0], str(error), place)]
            for outcome in done:
                self._note(outcome)
            if all(outcome.verdict is Verdict.PASS for outcome in done):
                shutil.rmtree(place)
            rest = rest[len(done) :]

    def _place(self, scenario: Scenario) -> Path:
        """A directory for the next boot."""
        self._boots += 1
        place = self.boots / f"{self._boots:02}-{scenario.name}"
        place.mkdir(parents=True)
        return place

    async def _boot(self, group: Sequence[Scenario], start: Start, place: Path) -> list[Outcome]:
        """Have a guest once; the outcomes of the scenarios that were played, at least of the first.

        Raises:
            NoBootError: the guest did not come up.
        """
        done: list[Outcome] = []
        if start.state is None:
            self.say(f"{group[0].name}: booting")
        started = time.monotonic()
        try:
            async with (
                asyncio.timeout(WHOLE_LIMIT),
                qemu.start(self.bench.board, start.machine, self.files, place, start.state) as host,
            ):
                await host.execute("cont")
                shell = await Shell.connect(host)
                if start.state is None:
                    await shell.ready(BOOT_LIMIT)
                for scenario in group:
                    stage = Stage(self.bench, start.machine, host, shell)
                    done.append(await _play(scenario, stage, started))
                    if done[-1].verdict is not Verdict.PASS:
                        break
                    started = time.monotonic()
        except NoBootError:
            raise
        except (LabError, TimeoutError) as error:
            reason = str(error) or f"not done within {WHOLE_LIMIT:g} s"
            done.append(_error(group[len(done)], reason, place))
        return done


def _error(scenario: Scenario, reason: str, place: Path | None) -> Outcome:
    return Outcome(scenario.name, scenario.title, Verdict.ERROR, reason=reason, log=place)


def groups(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Sort scenarios into boots: those that leave the guest usable share it with their equals."""
    boots: list[list[Scenario]] = []
    for scenario in scenarios:
        for boot in boots:
            shared = not scenario.ends and not boot[0].ends
            if shared and boot[0].machine == scenario.machine:
                boot.append(scenario)
                break
        else:
            boots.append([scenario])
    return boots


def by_machine(boots: Sequence[list[Scenario]]) -> dict[Machine, list[list[Scenario]]]:
    """The groups of each machine."""
    found: dict[Machine, list[list[Scenario]]] = {}
    for boot in boots:
        found.setdefault(boot[0].machine, []).append(boot)
    return found


async def _play(scenario: Scenario, stage: Stage, started: float) -> Outcome:
    """Play one scenario and judge it. A guest that gives up has failed; the rest is an error."""
    verdict, reason = Verdict.PASS, ""
    try:
        await stage.begin()
        await scenario.play(stage)
        if not scenario.ends:
            await stage.unharmed()
            await stage.unload()
    except GuestError as error:
        verdict, reason = Verdict.FAIL, str(error)
    except LabError as error:
        verdict, reason = Verdict.ERROR, str(error)
    stage.quiet()
    if verdict is Verdict.PASS and not all(check.passed for check in stage.checks):
        verdict = Verdict.FAIL
    return Outcome(
        scenario.name,
        scenario.title,
        verdict,
        tuple(stage.checks),
        reason,
        time.monotonic() - started,
        None if verdict is Verdict.PASS else stage.host.work,
    )
