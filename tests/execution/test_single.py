# SPDX-License-Identifier: GPL-2.0-or-later
"""Single-file drivers, older than the spec's frontends: one of our own, and mainline's of 5.10."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checks.rule import NotApplicable, Unknown
from gen.lab.problem import LabError
from tests.checks.trees import change
from tests.execution.drivers import SPEC, said, words
from tests.kbuild.kernels import source_tree

SINGLE = Path(__file__).parent / "single"
FILE, MAINLINE = "pvpanic.c", "drivers/misc/pvpanic.c"
SERIES = "5.10"
CHAIN = "atomic_notifier_chain_unregister(&panic_notifier_list, &bell_nb);\n"


def _rules(tree: Path) -> set[str]:
    return {rule for rule, _ in said(words(tree, SPEC, SERIES, SERIES))}


def test_a_single_file_driver_behaves() -> None:
    assert said(words(SINGLE, SPEC, SERIES, SERIES)) == []


@pytest.mark.parametrize(
    ("good", "bad", "rules"),
    [
        ("? 2 : 1", "? 1 : 2", "RUN301"),
        ("? 2 : 1", "? 4 : 1", "RUN301"),
        ("iowrite8(", "iowrite16(", "RUN302"),
        (f"\t{CHAIN}\tif", "\tif", "RUN304 RUN306 RUN308"),
        (f"\treturn {CHAIN}", "\treturn 0;\n", "RUN304 RUN306 RUN308"),
        ("\telse\n\t\tiounmap(bell.regs);\n", "", "RUN304"),
        ("\tif (bell.port)\n\t\tioport_unmap(bell.regs);\n\telse\n", "", "RUN314"),
        (" || !bell.regs)\n\t\treturn -ENODEV;", " || !bell.regs)\n\t\treturn 0;", "RUN307"),
        ("\tif (err)\n\t\treturn err;\n", "", "RUN307"),
        ("!adev->status.present", "adev->status.present", "RUN307"),
        ("if (IS_ERR(regs))", "if (!regs)", "RUN307"),
        ("if (!acpi_disabled)\n\t\treturn", "if (acpi_disabled)\n\t\treturn", "RUN308"),
        ("\t\tplatform_driver_unregister(&bell_platform_driver);", "\t\t;", "RUN304"),
    ],
)
def test_its_defects_are_shown(tmp_path: Path, good: str, bad: str, rules: str) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(SINGLE, tree)
    change(tree, FILE, good, bad)
    assert _rules(tree) == set(rules.split())


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("QEMU0001", "QEMU0002"),
        ("qemu,pvpanic-mmio", "qemu,other"),
        ("adev->status.present", "adev->status.battery_present"),
    ],
)
def test_what_is_not_known_is_not_passed(tmp_path: Path, good: str, bad: str) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(SINGLE, tree)
    change(tree, FILE, good, bad)
    found = words(tree, SPEC, SERIES, SERIES)
    assert all(isinstance(item, Unknown) for items in found.values() for item in items)
    assert all(found.values())


def test_without_a_driver_structure_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("#include <linux/module.h>\n", encoding="utf-8")
    found = words(tmp_path, SPEC, SERIES, SERIES)
    assert all(isinstance(items[0], NotApplicable) for items in found.values())


# Everything that mainline's driver of 5.10 does wrong (docs/findings.md), and changes to it.
UNREGISTER = (
    "\tatomic_notifier_chain_unregister(&panic_notifier_list,\n\t\t\t\t\t &pvpanic_panic_nb);\n"
)


@pytest.mark.kbuild
@pytest.mark.parametrize(
    ("good", "bad", "rules"),
    [
        ("", "", ""),
        ("event = PVPANIC_PANICKED;", "event = 1 << 2;", "RUN301"),
        ("if (kexec_crash_loaded())", "if (!kexec_crash_loaded())", "RUN301"),
        (f"{UNREGISTER}\tiounmap", "\tiounmap", "RUN304 RUN306 RUN308"),
        (f"{UNREGISTER}\n\treturn", "\treturn", "RUN304 RUN306 RUN308"),
        ("\tif (!base)\n\t\treturn -ENODEV;", "\tif (!base)\n\t\treturn 0;", "RUN307"),
        (f"{UNREGISTER}\tiounmap(base);\n", f"\tiounmap(base);\n{UNREGISTER}", "RUN306"),
        ("\tiounmap(base);\n", "", "RUN304"),
    ],
)
def test_mainlines_driver_is_run(tmp_path: Path, good: str, bad: str, rules: str) -> None:
    try:
        source = source_tree(SERIES)
    except LabError as error:
        pytest.skip(f"mainline's sources of {SERIES} cannot be fetched: {error}")
    tree = tmp_path / "linux"
    shutil.copytree(source, tree)
    if good:
        change(tree, MAINLINE, good, bad)
    unmapped = {"RUN314"} if "iounmap(" not in good or "iounmap" in bad else set()
    assert _rules(tree) == unmapped | set(rules.split())
