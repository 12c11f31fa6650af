# SPDX-License-Identifier: GPL-2.0-or-later
"""Make in the real project, and what a directory holds afterwards."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.frontdoor.machine import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """Run make in the project, as a user's shell would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def git(*words: str) -> str:
    """Ask the project's repository, whoever owns its directory (in a container: someone else)."""
    options = ["-c", f"safe.directory={ROOT}"]
    return subprocess.run(
        ["git", *options, *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def tracked(room: str) -> list[str]:
    """The committed files of a room of the project, as paths from its root."""
    return [name for name in git("ls-files", "-z", room).split("\0") if name]


def contents(directory: Path) -> dict[str, bytes]:
    """The files below a directory, by their path."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }
