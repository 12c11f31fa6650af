# SPDX-License-Identifier: GPL-2.0-or-later
"""Small kernel trees of our own text, with the made-up driver that the checker's tests have."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from click.testing import CliRunner

from gen.cli import main
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

DRIVER = ROOT / "tests/checks/driver"
SPEC = ROOT / "tests/checks/vmbell.yaml"
AUTHOR = "A U Thor <author@example.org>"
MAKEFILE = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n"


def make_tree(root: Path, *, single: bool = False) -> Path:
    """A tree of Linux 6.1.7 whose driver has a directory, or is a single file."""
    parent = root / "drivers/misc"
    home = parent / "vmbell"
    home.mkdir(parents=True)
    (root / "Makefile").write_text(MAKEFILE)
    for file in DRIVER.iterdir():
        if file.is_file():
            shutil.copy(file, home / file.name)
    shutil.copytree(DRIVER / "uapi", root / "include/uapi")
    hook, rule = 'source "drivers/misc/vmbell/Kconfig"\n', "obj-$(CONFIG_VMBELL)\t+= vmbell/\n"
    if single:
        shutil.copy(home / "vmbell.c", parent)
        shutil.rmtree(home)
        hook = 'config VMBELL\n\ttristate "A bell"\n\thelp\n\t  Rings.\n\n'
        rule = rule.replace("vmbell/", "vmbell.o")
    (parent / "Kconfig").write_text(f'menu "Misc"\n\nconfig FIRST\n\tbool\n\n{hook}endmenu\n')
    (parent / "Makefile").write_text(f"obj-$(CONFIG_FIRST)\t+= first.o\n{rule}")
    return root


def backport(*words: object) -> Result:
    """Run the command on the made-up device for Linux 6.1."""
    line = ["backport", "--spec", SPEC, "--kernel", "6.1", *words]
    return CliRunner().invoke(main, [str(word) for word in line])
