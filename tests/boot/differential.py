# SPDX-License-Identifier: GPL-2.0-or-later
"""Mainline's driver of a series and the rendered one for it, both built on the same headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from click.testing import CliRunner

from gen.cli import main
from tests.boot.conftest import shipped_device
from tests.kbuild.kernels import build_tree, copy_driver, kbuild, source_tree

if TYPE_CHECKING:
    from pathlib import Path


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
