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
