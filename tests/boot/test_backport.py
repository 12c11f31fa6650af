# SPDX-License-Identifier: GPL-2.0-or-later
"""A real driver that was edited to send one more event: built after each mail, booted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backport.cases import CASES
from tests.backport.trees import AUTHOR, backport
from tests.kbuild.kernels import build_tree, source_tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.boot


def test_the_edited_driver_tells_the_host_of_a_power_off(tmp_path: Path) -> None:
    case, kdir = CASES[0], build_tree()
    result = backport("--tree", source_tree(case.series), "--author", AUTHOR, "--out",
                      tmp_path / "mails", "--verify", "--kdir", kdir, "--scenario", "power-off",
                      *case.words(tmp_path))  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.output.count(f"built: with W=1 on {kdir}: no new warning\n") == case.mails
    assert "booted: Linux 6.1" in result.output
    assert ": 1 scenario passes\n" in result.output


def test_a_boot_that_fails_leaves_no_mails(tmp_path: Path) -> None:
    """QEMU's device does not tell of the event under another bit."""
    case = CASES[0]
    spec = case.spec(tmp_path)
    spec.write_text(spec.read_text().replace("    bit: 2\n", "    bit: 4\n"))
    result = backport("--spec", spec, "--kernel", case.series, "--tree", source_tree(case.series),
                      "--author", AUTHOR, "--out", tmp_path / "mails", "--verify", "--kdir",
                      build_tree(), "--scenario", "power-off")  # fmt: skip
    assert result.exit_code == 3, result.output
    assert "booted, and not all passed: power-off: " in result.output
    assert not (tmp_path / "mails").exists()
