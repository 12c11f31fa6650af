# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of the matrix on real kernels: the oldest and the newest, from the headers to the boot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.boot
# These show each frontend, the kernel's log and a machine that shares its boot; all of them take
# minutes for a row, and are for `make matrix`.
FEW = ("panic-pci", "panic-platform", "attributes", "rebind")


@pytest.mark.parametrize("row", ["5.10:full", "7.3:full"])
def test_row(row: str, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    scenarios = [word for name in FEW for word in ("--scenario", name)]
    words = ["--row", row, "--json", file, "--logs", tmp_path, *scenarios]
    command = [sys.executable, "-m", "gen.cli", "matrix", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads(file.read_text())["rows"]
    assert set(result["steps"].values()) == {"pass"}
    assert (result["warnings"], result["passed"], result["played"]) == (0, len(FEW), len(FEW))
    series = row.partition(":")[0]
    assert result["release"].startswith(f"{series}.")
    mounts = Path("/proc/mounts").read_text()
    assert "pvgen" not in mounts, "nothing stays mounted"


def test_rows_that_have_processes_of_their_own_come_to_their_ends(tmp_path: Path) -> None:
    """One real row, the smallest; and one that does not apply, so that there are two."""
    rows, file = ("5.10:as-of", "6.1:as-of"), tmp_path / "result.json"
    words = ["--json", file, "--logs", tmp_path, "--scenario", "panic-pci"]
    words += [word for row in rows for word in ("--row", row)]
    command = [sys.executable, "-m", "gen.cli", "matrix", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    left, played = json.loads(file.read_text())["rows"]
    assert (left["end"], left["played"]) == ("inapplicable", 0)
    assert (played["end"], played["passed"], played["played"]) == ("pass", 1, 1)
    assert set(played["steps"].values()) == {"pass"}
    assert played["release"].startswith("6.1.")
    # What the row's process tells on the way comes through, and the parent counts both.
    assert "6.1:as-of: building\n" in done.stderr, done.stderr
    assert "(2 of 2 rows done)" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {"result.json", "6.1-as-of"}
