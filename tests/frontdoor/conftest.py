# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the front door's tests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.frontdoor.machine import ROOT, Machine
from tests.frontdoor.project import tracked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A make-believe Debian machine whose user is not root."""
    return Machine(tmp_path / "machine")


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    """A copy of the rendered driver, without what an earlier build may have left beside it."""
    for name in tracked("out"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path / "out"
