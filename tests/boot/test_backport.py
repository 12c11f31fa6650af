# SPDX-License-Identifier: GPL-2.0-or-later
"""A real driver that was edited to send one more event, on its own kernel."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from gen.lab.outcome import table
from gen.lab.scenario import Verdict
from tests.backport.test_edits import REAL, edit
from tests.kbuild.kernels import kbuild, source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.boot.conftest import Laboratory

pytestmark = pytest.mark.boot


def test_the_edited_driver_tells_the_host_of_a_power_off(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    source, tree = source_tree("6.1"), tmp_path / "tree"
    shutil.copytree(source, tree)
    for mail in edit(source, REAL, tmp_path / "mails"):
        subprocess.run(["git", "-C", tree, "apply", mail], check=True)
    home = tree / "drivers/misc/pvpanic"
    kbuild(home, f"KCPPFLAGS=-include {tree}/include/uapi/misc/pvpanic.h")
    outcome = laboratory.play("power-off", home, tmp_path / "lab")
    assert outcome.verdict is Verdict.PASS, table([outcome], colour=False)
