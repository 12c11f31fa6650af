# SPDX-License-Identifier: GPL-2.0-or-later
"""Every target in one process, and how long that takes."""

from __future__ import annotations

from tests.mutants.targets import time_targets

# Seconds of processor time for all targets; what the project promises, and how much more a busy or
# slow machine may take before this fails. `make bench BENCH='--only targets'` shows them.
BAR, GENEROUS = 3, 3


def test_all_targets_are_rendered_and_checked_quickly() -> None:
    found = time_targets()
    assert [one.series for one in found if one.status] == []
    assert sum(one.seconds for one in found) < BAR * GENEROUS
