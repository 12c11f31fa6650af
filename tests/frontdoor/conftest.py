# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the front door's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.frontdoor.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A make-believe Debian machine whose user is not root."""
    return Machine(tmp_path / "machine")
