# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command takes: seconds by the clock, and the memory of its largest process."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """A finished command: `memory` in MiB, its standard output and error as one text."""

    seconds: float
    memory: float
    status: int
    output: str


def measured(command: Sequence[str | Path], directory: Path) -> Cost:
    """Run a command to its end. Its children count, as far as it has waited for them."""
    with tempfile.TemporaryFile() as output:
        begin = time.monotonic()
        process = subprocess.Popen(
            [os.fspath(word) for word in command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Cost(seconds, usage.ru_maxrss / 1024, process.returncode, text)
