# SPDX-License-Identifier: GPL-2.0-or-later
"""Every series rendered and checked in one process, and how long that takes."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from checks.run import check_paths
from gen.generate import generate
from gen.kernel_load import load_kernels
from gen.model_restrict import carry
from gen.output import write
from gen.resources import kernel_directory


@dataclass(frozen=True)
class Timing:
    """A series, and the processor's seconds to render and to check the driver for it.

    The first one's have what is read for all of them: the facts, the templates, the rules.
    """

    series: str
    render: float
    check: float
    status: int

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.render + self.check


def time_targets(_run: int = 0) -> list[Timing]:
    """Render and check the shipped spec for every series, oldest first."""
    found = []
    with tempfile.TemporaryDirectory(prefix="targets-") as room:
        start = time.process_time()
        for series in load_kernels(kernel_directory()).series:
            generation = generate(None, series, None)
            write(Path(room) / series, generation.files)
            rendered = time.process_time()
            carried, _ = carry(generation.device, generation.kernel)
            report = check_paths([Path(room) / series], carried, generation.kernel)
            end = time.process_time()
            found.append(Timing(series, rendered - start, end - rendered, report.status))
            start = end
    return found
