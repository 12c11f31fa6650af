# SPDX-License-Identifier: GPL-2.0-or-later
"""Copies of drivers to change, and the checker run on them."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from checks.run import check_paths
from gen.generate import read_device
from gen.kernel_load import load_kernels
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from checks.run import Report
    from gen.kernel import Kernel
    from gen.model import Device

HERE = Path(__file__).parent
DRIVER = HERE / "driver"
SPEC = HERE / "vmbell.yaml"
OUT = HERE.parent.parent / "out"


@cache
def device() -> Device:
    """The made-up device."""
    return read_device(SPEC)


@cache
def kernel(series: str | None = None) -> Kernel:
    """A series, the default one when absent."""
    kernels = load_kernels(kernel_directory())
    return kernels.get(series) if series else kernels.default


def copy(directory: Path, source: Path = DRIVER) -> Path:
    """A copy of the made-up driver below `directory`."""
    target = directory / "driver"
    shutil.copytree(source, target)
    return target


def change(tree: Path, file: str, good: str, bad: str) -> str:
    """Replace one piece of a file, which has to be there exactly once; the new text."""
    path = tree / file
    text = path.read_text(encoding="utf-8")
    assert text.count(good) == 1, f"{good!r} stands {text.count(good)} times in {file}"
    text = text.replace(good, bad)
    path.write_text(text, encoding="utf-8")
    return text


def run(*paths: Path, spec: Device | None = None, series: str | None = None) -> Report:
    """Check paths against the made-up device, without running it: tests/execution does that."""
    return check_paths(paths, spec or device(), kernel(series), execute=False)
