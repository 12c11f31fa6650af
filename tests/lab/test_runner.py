# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets another boot: guests that did not come up, and scenarios behind one that failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen.lab.guest import GuestFiles
from gen.lab.machine import Machine
from gen.lab.problem import LabError, NoBootError
from gen.lab.runner import Runner, Start
from gen.lab.scenario import Obstacle, Outcome, Scenario, Verdict
from tests.lab.devices import bench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.lab.stage import Stage


async def play(stage: Stage) -> None:
    """Never called: the boots are made up here."""
    raise AssertionError(stage)


def scenario(name: str, obstacle: Obstacle | None = None, *, ends: bool = False) -> Scenario:
    return Scenario(name, name, Machine(), play, ends=ends, obstacle=obstacle)


class MadeUp(Runner):
    """Boots as a test wants them: each a verdict for the first scenarios, or None for no boot."""

    script: list[list[Verdict] | None]
    booted: list[tuple[list[str], bool]]

    saved: list[bool]
    savings: list[LabError | None]

    async def _boot(self, group: Sequence[Scenario], start: Start, place: Path) -> list[Outcome]:
        assert place.name.endswith(group[0].name)
        self.booted.append(([s.name for s in group], start.machine.steady))
        self.saved.append(start.state is not None)
        verdicts = self.script.pop(0)
        if verdicts is None:
            raise NoBootError("it did not come up")
        return [Outcome(s.name, s.title, v) for s, v in zip(group, verdicts, strict=False)]

    async def _save(self, machine: Machine, place: Path, state: Path) -> None:
        assert place.name.endswith("-a")
        error = self.savings.pop(0)
        if error:
            raise error
        assert state.parent != place
        assert machine == replace(Machine(), steady=machine.steady)


@pytest.fixture
def runner(tmp_path: Path) -> MadeUp:
    files = GuestFiles(Path("k"), Path("i"), Path("c"))
    made = MadeUp(bench(), files, tmp_path / "boots", lambda _: None)
    made.booted, made.saved, made.savings = [], [], []
    return made


def test_a_guest_that_does_not_come_up_gets_steady_time(runner: MadeUp) -> None:
    runner.script = [None, [Verdict.PASS]]
    assert [o.verdict for o in runner.run([scenario("a")])] == [Verdict.PASS]
    assert runner.booted == [(["a"], False), (["a"], True)]


def test_a_guest_that_never_comes_up_is_an_error_and_no_failure(runner: MadeUp) -> None:
    runner.script = [None, None]
    (outcome,) = runner.run([scenario("a")])
    assert (outcome.verdict, outcome.reason) == (Verdict.ERROR, "it did not come up")
    assert outcome.log is not None
    assert outcome.log.is_dir()


def test_what_comes_behind_a_failure_gets_a_fresh_boot(runner: MadeUp) -> None:
    runner.script = [[Verdict.PASS, Verdict.FAIL], [Verdict.PASS]]
    outcomes = runner.run([scenario("a"), scenario("b"), scenario("c")])
    assert [o.verdict for o in outcomes] == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
    assert [names for names, _ in runner.booted] == [["a", "b", "c"], ["c"]]


def test_only_boots_that_went_wrong_leave_something(runner: MadeUp, tmp_path: Path) -> None:
    runner.script = [[Verdict.PASS], [Verdict.FAIL]]
    runner.run([scenario("a")])
    assert list((tmp_path / "boots").iterdir()) == []
    runner.run([scenario("b")])
    assert len(list((tmp_path / "boots").iterdir())) == 1


def test_what_cannot_be_played_is_not_booted(runner: MadeUp) -> None:
    runner.script = []
    (outcome,) = runner.run([scenario("a", Obstacle(Verdict.UNAVAILABLE, "needs more"))])
    assert (outcome.verdict, outcome.reason) == (Verdict.UNAVAILABLE, "needs more")
    assert runner.booted == []


def ending() -> list[Scenario]:
    return [scenario(name, ends=True) for name in ("a", "b")]


def test_equal_machines_boot_once(runner: MadeUp) -> None:
    runner.savings, runner.script = [None], [[Verdict.PASS], [Verdict.PASS]]
    assert [o.verdict for o in runner.run(ending())] == [Verdict.PASS] * 2
    assert (runner.booted, runner.saved) == ([(["a"], False), (["b"], False)], [True, True])


def test_a_state_that_cannot_be_saved_is_no_hindrance(runner: MadeUp) -> None:
    runner.savings, runner.script = [LabError("full")], [[Verdict.PASS], [Verdict.PASS]]
    assert [o.verdict for o in runner.run(ending())] == [Verdict.PASS] * 2
    assert runner.saved == [False, False]


def test_the_boot_that_serves_many_gets_steady_time_too(runner: MadeUp) -> None:
    runner.savings, runner.script = [NoBootError("slow"), None], [[Verdict.PASS], [Verdict.PASS]]
    runner.run(ending())
    assert runner.booted == [(["a"], True), (["b"], True)]


def test_without_that_boot_all_are_unanswered(runner: MadeUp) -> None:
    runner.savings, runner.script = [NoBootError("slow"), NoBootError("never")], []
    outcomes = runner.run(ending())
    assert [(o.verdict, o.reason) for o in outcomes] == [(Verdict.ERROR, "never")] * 2
