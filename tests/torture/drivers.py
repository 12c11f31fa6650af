# SPDX-License-Identifier: GPL-2.0-or-later
"""What is loaded into the debug kernel: a driver under test, and torture's own modules."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.kernel_load import load_kernels
from gen.lab import cpio
from gen.lab.kernel import module_names
from gen.lab.process import run
from gen.resources import kernel_directory
from tests.boot.differential import render_ours
from tests.kbuild.kernels import copy_driver, source_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.model import Device
    from tests.torture.kernels import DebugKernel

GUEST = Path(__file__).parent / "guest"
OURS = "ours"
MAINLINE = "mainline"
TOOLS = ("bomb", "flawed", "refuse")
# Symbols behind which the kernel's headers hide a function that drivers call by another name.
HIDDEN = {
    "__devm_add_action": "devm_add_action_or_reset",
    "__pci_register_driver": "pci_register_driver",
    "__platform_driver_register": "platform_driver_register",
    "devm_kmalloc": "devm_kzalloc",
}
# What a function returns that fails, by the word of the table of interfaces.
NO_MEMORY = -12
FAILURES = {"errno": NO_MEMORY, "err-ptr": NO_MEMORY, "null": 0}


@dataclass(frozen=True)
class Driver:
    """A built driver.

    Args:
        modules: the directory with the modules.
        calls: the kernel's symbols that it calls.
    """

    modules: Path
    calls: frozenset[str]

    @property
    def unlocks(self) -> tuple[str, ...]:
        """The functions with which it gives a lock back that another one may have to wait for."""
        return tuple(sorted(c for c in self.calls if "unlock" in c and "rcu" not in c))


def write_driver(which: str, series: str, device: Device, target: Path) -> str:
    """Lay out the rendered driver or mainline's, not built; a hash of its sources."""
    if which == OURS:
        render_ours(series, target)
    else:
        copy_driver(source_tree(series) / "drivers/misc" / device.name, target)
    return digest(sorted(target.rglob("*.[ch]")))


def build_driver(device: Device, kernel: DebugKernel, target: Path) -> Driver:
    """Build what was laid out in a directory, in that kernel's tree."""
    symbols = sorted(set(re.findall(r"CONFIG_\w+", (target / "Makefile").read_text())))
    _make(kernel, target, *(f"{symbol}=m" for symbol in symbols))
    modules = [target / f"{name}.ko" for name in module_names(device)]
    calls = frozenset(run(["nm", "--undefined-only", "--format=just-symbols", *modules]).split())
    return Driver(target, calls)


def failing(calls: Iterable[str], series: str) -> dict[str, int]:
    """Which of these symbols can fail, and what they return then, as the interfaces' table says."""
    table = load_kernels(kernel_directory()).get(series).table
    known = {c: table[HIDDEN.get(c, c)] for c in sorted(calls) if HIDDEN.get(c, c) in table}
    # What gives something back is not made to fail: it would have left something behind.
    ways = {call: api.fails for call, api in known.items() if not api.releases}
    return {call: FAILURES[way] for call, way in ways.items() if way in FAILURES}


def digest(files: Iterable[Path]) -> str:
    """A hash of files' contents."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def tools_key() -> str:
    """A hash of the programs that do things in the guest."""
    return digest(sorted(GUEST.glob("*.[ch]")))


def torture_entries(kernel: DebugKernel, work: Path) -> list[cpio.Entry]:
    """Torture's own modules and program, as entries of the guest's file system."""
    target = work / "guest-tools"
    shutil.copytree(GUEST, target)
    run(["gcc", "-static", "-O1", "-Wall", "-Werror", "-o", target / "fire", target / "fire.c"])
    _make(kernel, target)
    return [
        cpio.regular("bin/fire", (target / "fire").read_bytes(), executable=True),
        *(cpio.regular(f"{name}.ko", (target / f"{name}.ko").read_bytes()) for name in TOOLS),
    ]


def _make(kernel: DebugKernel, directory: Path, *words: str) -> None:
    run(["make", "-C", kernel.tree, f"M={directory}", *words, "modules"])
