# SPDX-License-Identifier: GPL-2.0-or-later
"""The real drivers: mainline's own and the rendered one say what the spec says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from checks.rule import Verdict
from checks.run import check_paths
from gen.generate import read_device
from gen.lab.problem import LabError
from gen.model import Release
from gen.model_restrict import restrict
from tests.checks.trees import OUT, kernel
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


@pytest.mark.kbuild
@pytest.mark.parametrize("series", ["6.1", "7.3"])
def test_mainline_keeps_the_contract_of_its_release(series: str) -> None:
    device = restrict(read_device(REAL), Release.parse(series))
    report = check_paths([_mainline(series)], device, kernel(series))
    spec = [item for item in report.findings if item.rule.startswith("SPEC")]
    assert not spec
    verdicts = {item.rule.id: item.verdict for item in report.judgements}
    ours = {v for rule, v in verdicts.items() if rule.startswith("SPEC0")}
    assert Verdict.UNKNOWN not in ours
    assert verdicts["SPEC001"] is verdicts["SPEC011"] is verdicts["SPEC016"] is Verdict.PASS


@pytest.mark.kbuild
def test_an_older_mainline_lacks_what_came_later() -> None:
    report = check_paths([_mainline("6.1")], read_device(REAL), kernel("6.1"))
    spec = {item.rule for item in report.findings if item.rule.startswith("SPEC")}
    assert spec == {"SPEC005", "SPEC027"}
    assert report.status == 1
