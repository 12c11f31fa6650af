# SPDX-License-Identifier: GPL-2.0-or-later
"""What is run grows with a device's events and frontends, not with their squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from checks.execution.scenarios import Scenarios
from checks.run import check_paths
from gen.output import write
from tests.checks.trees import kernel
from tests.mutants.growth import made, spec

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trials have been run."""
    count, real = [0], Scenarios.trial

    def trial(scenarios: Scenarios) -> AbstractContextManager[None]:
        count[0] += 1
        return real(scenarios)

    monkeypatch.setattr(Scenarios, "trial", trial)
    return count


def _run(place: Path, events: int, frontends: int) -> None:
    place.mkdir()
    (place / "grow.yaml").write_text(yaml.safe_dump(spec(events, frontends)), encoding="utf-8")
    device, files = made(place / "grow.yaml", events, kernel())
    write(place / "out", files)
    report = check_paths([place / "out"], device, kernel())
    assert not report.findings
    assert not report.undecided


@pytest.mark.parametrize("sizes", [((8, 1), (24, 1), (56, 1)), ((4, 2), (4, 4), (4, 8))])
def test_twice_as_much_is_twice_as_long(
    tmp_path: Path, trials: list[int], sizes: tuple[tuple[int, int], ...]
) -> None:
    counts = []
    for events, frontends in sizes:
        trials[0] = 0
        _run(tmp_path / f"{events}-{frontends}", events, frontends)
        counts.append(trials[0])
    few, some, many = counts
    assert many - some == pytest.approx(2 * (some - few), rel=0.02)
