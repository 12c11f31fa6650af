# SPDX-License-Identifier: GPL-2.0-or-later
"""Every target in one process, and how long that takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from checks.run import check_paths
from gen.generate import generate
from gen.kernel_load import load_kernels
from gen.model_restrict import carry
from gen.output import write
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from pathlib import Path

# Seconds of processor time for all targets; what the project promises, and how much more a busy or
# slow machine may take before this fails.
BAR, GENEROUS = 3, 5


def test_all_targets_are_rendered_and_checked_quickly(tmp_path: Path) -> None:
    start = time.process_time()
    for series in load_kernels(kernel_directory()).series:
        generation = generate(None, series, None)
        write(tmp_path / series, generation.files)
        carried, _ = carry(generation.device, generation.kernel)
        report = check_paths([tmp_path / series], carried, generation.kernel)
        assert report.status == 0, series
    assert time.process_time() - start < BAR * GENEROUS
