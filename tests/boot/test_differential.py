# SPDX-License-Identifier: GPL-2.0-or-later
"""Mainline's driver and ours in one guest: equal, and a change of ours is seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from gen.cli import main
from tests.boot.differential import build_mainline, installed_series, render_ours
from tests.kbuild.kernels import kbuild

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.boot

# A defect each, and what has to be reported of it.
DEFECTS = (
    (r"\bDEVICE_ATTR_RO\((\w+)\)", r"DEVICE_ATTR(\1, 0400, \1_show, NULL)", r": \./capability\n"),
    (r"return -EINVAL;", "return -EPERM;", r"surface: store .* to events of "),
    (r"MODULE_DEVICE_TABLE\(pci[^;]*\);", "", r"modinfo of \S+: alias pci:"),
)


@pytest.fixture(scope="module")
def mainline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_mainline(installed_series(), tmp_path_factory.mktemp("theirs") / "driver")


def differential(mainline: Path, ours: Path) -> tuple[int, str]:
    """Exit status and output of the comparison of what user space sees."""
    words = ["differential", "--as-of", installed_series(), "--mainline", str(mainline)]
    ran = CliRunner().invoke(main, [*words, "--ours", str(ours), "surface"])
    return ran.exit_code, ran.output


def test_the_rendered_driver_looks_like_mainlines(mainline: Path, tmp_path: Path) -> None:
    ours = render_ours(installed_series(), tmp_path / "ours")
    kbuild(ours)
    status, output = differential(mainline, ours)
    assert status == 0, output
    compared = re.search(r"^(\d+) things compared", output, re.MULTILINE)
    assert compared
    assert int(compared[1]) > 100


def test_a_changed_driver_is_told_apart(mainline: Path, tmp_path: Path) -> None:
    ours = render_ours(installed_series(), tmp_path / "ours")
    for pattern, replacement, _ in DEFECTS:
        changed = 0
        for file in ours.glob("*.c"):
            text, count = re.subn(pattern, replacement, file.read_text())
            file.write_text(text)
            changed += count
        assert changed, f"nothing in the driver matches {pattern}"
    kbuild(ours)
    status, output = differential(mainline, ours)
    assert status == 1, output
    for _, _, told in DEFECTS:
        assert re.search(told, output), output
