# SPDX-License-Identifier: GPL-2.0-or-later
"""What is loaded into the debug kernel: a driver under test, and torture's own modules."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gen.lab import cpio
from gen.lab.process import run
from tests.boot.differential import render_ours
from tests.kbuild.kernels import copy_driver, source_tree

if TYPE_CHECKING:
    from gen.model import Device
    from tests.torture.kernels import DebugKernel

GUEST = Path(__file__).parent / "guest"
OURS = "ours"
MAINLINE = "mainline"


def build_driver(which: str, series: str, device: Device, kernel: DebugKernel, work: Path) -> Path:
    """The directory with the built modules of the rendered driver or of mainline's."""
    target = work / which
    if which == OURS:
        render_ours(series, target)
    else:
        copy_driver(source_tree(series) / "drivers/misc" / device.name, target)
    symbols = sorted(set(re.findall(r"CONFIG_\w+", (target / "Makefile").read_text())))
    _make(kernel, target, *(f"{symbol}=m" for symbol in symbols))
    return target


def torture_entries(kernel: DebugKernel, work: Path) -> list[cpio.Entry]:
    """Torture's own modules and program, as entries of the guest's file system."""
    target = work / "guest-tools"
    shutil.copytree(GUEST, target)
    run(["gcc", "-static", "-O1", "-Wall", "-Werror", "-o", target / "fire", target / "fire.c"])
    _make(kernel, target)
    return [
        cpio.regular("bin/fire", (target / "fire").read_bytes(), executable=True),
        *(
            cpio.regular(f"{name}.ko", (target / f"{name}.ko").read_bytes())
            for name in ("bomb", "flawed")
        ),
    ]


def _make(kernel: DebugKernel, directory: Path, *words: str) -> None:
    run(["make", "-C", kernel.tree, f"M={directory}", *words, "modules"])
