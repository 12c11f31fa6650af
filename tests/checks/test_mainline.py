# SPDX-License-Identifier: GPL-2.0-or-later
"""The real drivers: mainline's own and the rendered one say what the spec says."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from checks.rule import Verdict
from checks.run import check_paths
from gen.generate import read_device
from gen.lab.problem import LabError
from gen.model_restrict import restrict
from gen.release import PointRelease
from tests.checks.trees import OUT, change, kernel
from tests.kbuild.kernels import source_tree

if TYPE_CHECKING:
    from pathlib import Path

REAL = OUT.parent / "spec" / "pvpanic.yaml"
BUDGET = 1.0  # seconds for a whole driver


def test_the_rendered_driver_is_silent_and_quickly_judged() -> None:
    device = read_device(REAL)
    start = time.process_time()
    report = check_paths([OUT], device, kernel())
    assert time.process_time() - start < BUDGET
    assert not report.findings
    verdicts = {item.rule.id: (item.verdict, item.why) for item in report.judgements}
    assert {rule: v for rule, v in verdicts.items() if v[0] is Verdict.UNKNOWN} == {}
    assert report.status == 0


def _mainline(series: str) -> Path:
    try:
        return source_tree(series)
    except LabError as error:
        pytest.skip(f"mainline's sources of {series} cannot be fetched: {error}")


# What is really wrong with mainline's driver: docs/findings.md. 6.1 also defines a vendor that its
# kernel defines, which is a matter of style.
REAL_DEFECTS = {
    "5.10": {"RUN314"},
    "6.1": {"PORT207", "RUN310", "RUN311"},
    "6.12": {"RUN310", "RUN311", "RUN312", "RUN313"},
    "7.2": {"RUN310", "RUN311", "RUN312", "RUN313"},
    "7.3": {"RUN310", "RUN311", "RUN312", "RUN313"},
}


@pytest.mark.kbuild
@pytest.mark.parametrize("series", REAL_DEFECTS)
def test_mainline_keeps_the_contract_of_its_release(series: str) -> None:
    device = restrict(read_device(REAL), PointRelease.parse(series), shared=True)
    report = check_paths([_mainline(series)], device, kernel(series))
    assert {item.rule for item in report.findings} == REAL_DEFECTS[series]
    assert report.status == 0
    assert not report.undecided
    verdicts = {item.rule.id: item.verdict for item in report.judgements}
    assert verdicts["RUN301"] is Verdict.PASS
    if device.frontends:
        assert verdicts["SPEC011"] is verdicts["SPEC016"] is Verdict.PASS
    assert verdicts["SPEC001"] is verdicts["SPEC005"] is Verdict.PASS


OLDER = {
    "KERN127": ("MODULE_DEVICE_TABLE(acpi, pvpanic_device_ids);", ""),
    "SPEC012": ('{ "QEMU0001", 0 }', '{ "QEMU0002", 0 }'),
    "SPEC013": ('"qemu,pvpanic-mmio"', '"qemu,pvpanic_mmio"'),
    "SPEC021": ('.name =\t\t"pvpanic"', '.name =\t\t"pvpanic-acpi"'),
    "SPEC022": ('tristate "pvpanic device support"', 'bool "pvpanic device support"'),
    "SPEC022 depends": (
        "HAS_IOMEM && (ACPI || OF)\n\thelp\n\t  This driver provides support for the pvpanic",
        "HAS_IOMEM && ACPI\n\thelp\n\t  This driver provides support for the pvpanic",
    ),
    "SPEC025": (".priority = 1,", ".priority = 0,"),
}


@pytest.mark.kbuild
@pytest.mark.parametrize("rule", OLDER)
def test_a_driver_older_than_the_frontends_is_held_against_its_release(
    tmp_path: Path, rule: str
) -> None:
    device = restrict(read_device(REAL), PointRelease.parse("5.10"), shared=True)
    shutil.copytree(_mainline("5.10"), tmp_path / "linux")
    name = "Kconfig" if rule.startswith("SPEC022") else "pvpanic.c"
    change(tmp_path / "linux", f"drivers/misc/{name}", *OLDER[rule])
    report = check_paths([tmp_path / "linux"], device, kernel("5.10"))
    assert rule.partition(" ")[0] in {item.rule for item in report.findings}
    assert report.status == 1


@pytest.mark.kbuild
def test_a_new_driver_is_told_what_an_old_kernel_lacks() -> None:
    report = check_paths([_mainline("7.3")], read_device(REAL), kernel("5.10"))
    told = {item.message.split(";")[0].removeprefix("Linux 5.10 has no "): item.help
            for item in report.findings if item.rule.startswith("PORT")
            and item.message.startswith("Linux")}  # fmt: skip
    assert set(told) == {
        "platform_get_mem_or_io", "member 'dev_groups' in struct pci_driver",
        "linux/gfp_types.h", "linux/kstrtox.h", "linux/panic_notifier.h",
        "struct sys_off_handler", "struct sys_off_data", "register_sys_off_handler",
        "unregister_sys_off_handler", "SYS_OFF_MODE_POWER_OFF", "SYS_OFF_PRIO_LOW",
    }  # fmt: skip
    assert told["linux/panic_notifier.h"] == "use instead: linux/kernel.h"


@pytest.mark.kbuild
def test_a_driver_that_got_a_type_by_chance_is_told_on_an_older_kernel() -> None:
    report = check_paths([_mainline("7.3")], read_device(REAL), kernel("6.1"))
    told = [item for item in report.findings if item.rule.startswith("PORT")]
    assert {(item.rule, item.help) for item in told} == {
        ("PORT203", "include linux/mod_devicetable.h")
    }


@pytest.mark.kbuild
def test_an_older_mainline_lacks_what_came_later() -> None:
    report = check_paths([_mainline("6.1")], read_device(REAL), kernel("6.1"))
    spec = {item.rule for item in report.findings if item.rule.startswith("SPEC")}
    assert spec == {"SPEC005", "SPEC027"}
    assert report.status == 1
