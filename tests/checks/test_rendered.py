# SPDX-License-Identifier: GPL-2.0-or-later
"""What the generator renders, for any spec and any target, the checker has nothing against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.rule import Verdict
from checks.run import check_paths
from gen.generate import generate
from gen.output import write
from tests.checks.trees import OUT, SPEC

if TYPE_CHECKING:
    from pathlib import Path

ROOT = OUT.parent
SPECS = [ROOT / "spec/pvpanic.yaml", SPEC, *sorted((ROOT / "tests/spec").glob("*.yaml"))]


@pytest.mark.parametrize("as_of", [None, "6.4"])
@pytest.mark.parametrize("series", ["6.1", "6.12", "7.2", "7.3"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_a_rendered_driver_keeps_its_spec(
    tmp_path: Path, spec: Path, series: str, as_of: str | None
) -> None:
    generation = generate(spec, series, as_of)
    write(tmp_path / "out", generation.files)
    report = check_paths([tmp_path / "out"], generation.device, generation.kernel)
    assert not report.findings
    unknown = [item for item in report.judgements if item.verdict is Verdict.UNKNOWN]
    assert not unknown
    assert report.status == 0
