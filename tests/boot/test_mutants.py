# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers with one defect each, which a scenario has to notice, and by the right check.

They show that the lab can say no. Each change is a pattern on what every driver of this class has
to do with the kernel's interfaces, and the test fails if it no longer changes anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gen.lab.scenario import Verdict
from tests.boot.conftest import build
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.boot.conftest import Laboratory

pytestmark = pytest.mark.boot


@dataclass(frozen=True)
class Mutant:
    """A defect, the scenario that has to fail, and a word of the check that has to fail there."""

    name: str
    pattern: str
    replacement: str
    scenario: str
    noticed: str


MUTANTS = (
    Mutant("nothing is written", r"\biowrite8\([^;]*\);", ";", "panic-pci", "register writes"),
    Mutant(
        "too much is written", r"\biowrite8\(", "iowrite16(", "panic-several", "register writes"
    ),
    Mutant(
        "the next byte is written",
        r"(\biowrite8\([^;]*)\);",
        r"\1 + 1);",
        "panic-pci",
        "register writes",
    ),
    Mutant(
        "what the device can do is ignored", r"\bioread8\(\w+\)", "0xff", "attributes", "capability"
    ),
    Mutant(
        "masks are ignored",
        r"READ_ONCE\([^)]*\) & event\b",
        "event",
        "panic-disabled",
        "register writes",
    ),
    Mutant(
        "stores are not checked", r"return -EINVAL;", ";", "stores-refused", "is not the device's"
    ),
    Mutant(
        "stores in another base",
        r"\bkstrtouint\((\w+), \d+,",
        r"kstrtouint(\1, 0,",
        "stores-refused",
        "33 bits",
    ),
    Mutant(
        "an attribute of another mode",
        r"\bDEVICE_ATTR_RO\((\w+)\)",
        r"DEVICE_ATTR(\1, 0644, \1_show, NULL)",
        "attributes",
        "mode of",
    ),
    Mutant(
        "crash kernels are ignored",
        r"\bkexec_crash_loaded\(\)",
        "0",
        "crash-kernel",
        "register writes",
    ),
    Mutant(
        "the power-off handler stays",
        r"\bunregister_sys_off_handler\([^;]*\);",
        ";",
        "power-off-disabled",
        "no handler is left",
    ),
    Mutant(
        "the panic notifier stays",
        r"\batomic_notifier_chain_unregister\([^;]*\);",
        ";",
        "panic-unloaded",
        "",
    ),
    Mutant("no aliases", r"MODULE_DEVICE_TABLE\([^;]*\);", "", "autoload", ""),
    Mutant(
        "a warning of the kernel's",
        r"return sysfs_emit\(",
        "WARN_ON(1); return sysfs_emit(",
        "attributes",
        "complaints in the kernel log",
    ),
    Mutant(
        "an unbound device is still written",
        r"\blist_del_rcu\([^;]*\);",
        ";",
        "panic-unbound",
        "",
    ),
)


def mutate(directory: Path, mutant: Mutant) -> None:
    """Change every place in the sources where the pattern stands."""
    changed = 0
    for file in directory.glob("*.c"):
        text, count = re.subn(mutant.pattern, mutant.replacement, file.read_text())
        file.write_text(text)
        changed += count
    assert changed, f"nothing in the driver matches {mutant.pattern}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_broken_driver_fails(mutant: Mutant, laboratory: Laboratory, tmp_path: Path) -> None:
    modules = build(ROOT / "out", tmp_path / "out", lambda place: mutate(place, mutant))
    outcome = laboratory.play(mutant.scenario, modules, tmp_path / "lab")
    if outcome.verdict is Verdict.UNAVAILABLE:
        pytest.skip(f"{outcome.reason}; install a newer QEMU, such as the one in backports")
    assert outcome.verdict is Verdict.FAIL, outcome
    wrong = [check.what for check in outcome.checks if not check.passed]
    assert any(mutant.noticed in what for what in [*wrong, outcome.reason]), outcome
    assert outcome.log is not None
    assert (outcome.log / "console.log").exists()
