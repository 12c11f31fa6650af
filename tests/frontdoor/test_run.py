# SPDX-License-Identifier: GPL-2.0-or-later
"""What continuous integration runs is `make test`, and it fails when that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.frontdoor.machine import Machine


@pytest.mark.parametrize("status", [0, 2])
def test_runs_the_tests_and_hands_on_their_status(machine: Machine, status: int) -> None:
    machine.tool("make", f'echo "make $* in $PWD, CI=$CI, input: $(cat)"; exit {status}')
    result = machine.run("run")
    assert result.returncode == status
    words = result.stdout.split(", ")
    assert words[0].startswith("make test in ")
    assert words[1:] == ["CI=true", "input: \n"]
