# SPDX-License-Identifier: GPL-2.0-or-later
"""Every input of the corpus, every one that ever broke something, and a little fuzzing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import ROOT, SHARES
from tests.fuzz.limits import TooSlow, limited
from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
INPUTS = sorted(path for room in ("corpus", "found") for path in (HERE / room).glob("*/*"))


def test_every_target_has_a_share_and_a_corpus() -> None:
    assert set(SHARES) == set(TARGETS) == {path.parent.name for path in INPUTS}


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.name[:40]}")
def test_input(path: Path) -> None:
    target = TARGETS[path.parent.name]
    target(b"")  # what is read once for all is not this input's time
    limited(target)(path.read_bytes())


def test_what_takes_too_long_is_a_crash() -> None:
    def endless(_data: bytes) -> None:
        while True:
            pass

    with pytest.raises(TooSlow):
        limited(endless)(b"")


def test_a_short_run_finds_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "18", "spec", "kconfig", "c"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:-1]]
    assert [row[0] for row in rows] == ["spec", "kconfig", "c"]
    assert all(int(row[1]) > 0 for row in rows)
