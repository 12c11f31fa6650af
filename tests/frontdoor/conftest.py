# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the front door's tests."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.frontdoor.machine import ROOT, Machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A make-believe Debian machine whose user is not root."""
    return Machine(tmp_path / "machine")


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    """A copy of the rendered driver, without what an earlier build may have left beside it."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "out"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listing.stdout.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path / "out"
