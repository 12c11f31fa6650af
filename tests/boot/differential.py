# SPDX-License-Identifier: GPL-2.0-or-later
"""Mainline's driver of a series and the rendered one for it, both built on the same headers.

As a program, `python -m tests.boot.differential DIRECTORY`, it makes DIRECTORY/mainline and
DIRECTORY/ours and prints the series, which is that of the installed headers.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from gen.cli import main
from tests.boot.conftest import shipped_device
from tests.kbuild.kernels import build_tree, copy_driver, kbuild, source_tree


def installed_series() -> str:
    """The series of the headers that both are built on."""
    text = (build_tree() / "include/generated/utsrelease.h").read_text()
    found = re.search(r'"(\d+\.\d+)', text)
    assert found, text
    return found[1]


def build_mainline(series: str, target: Path) -> Path:
    """Mainline's driver with every symbol of its Makefile chosen as a module."""
    directory = source_tree(series) / "drivers/misc" / shipped_device().name
    copy_driver(directory, target)
    symbols = sorted(set(re.findall(r"CONFIG_\w+", (target / "Makefile").read_text())))
    kbuild(target, *(f"{symbol}=m" for symbol in symbols))
    return target


def render_ours(series: str, target: Path) -> Path:
    """The rendered driver of that release, not built."""
    words = ["gen", "--kernel", series, "--as-of", series, "--out", str(target)]
    ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 0, ran.output
    return target


def _main() -> None:
    (place,) = map(Path, sys.argv[1:])
    place = place.absolute()
    series = installed_series()
    build_mainline(series, place / "mainline")
    kbuild(render_ours(series, place / "ours"))
    print(series)


if __name__ == "__main__":
    try:
        _main()
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
