# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped driver in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen.lab.bench import Bench
from gen.lab.board import PC
from gen.lab.outcome import table
from gen.lab.scenario import Verdict
from gen.lab.stories import all_scenarios
from gen.release import Release
from tests.boot.conftest import shipped_device

if TYPE_CHECKING:
    from pathlib import Path

    from tests.boot.conftest import Laboratory

pytestmark = pytest.mark.boot
# Names do not depend on the host, so that a machine without QEMU can still list them.
NAMES = [s.name for s in all_scenarios(Bench(shipped_device(), PC, Release(0, 0), {}))]


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, laboratory: Laboratory, modules: Path, tmp_path: Path) -> None:
    outcome = laboratory.play(name, modules, tmp_path / "lab")
    if outcome.verdict is Verdict.UNAVAILABLE:
        pytest.skip(f"{outcome.reason}; install a newer QEMU, such as the one in backports")
    assert outcome.verdict is Verdict.PASS, table([outcome], colour=False)
    assert outcome.checks
