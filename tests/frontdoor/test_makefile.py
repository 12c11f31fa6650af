# SPDX-License-Identifier: GPL-2.0-or-later
"""The make targets, as far as no kernel is compiled: what they refuse, say and leave alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.frontdoor.machine import ROOT
from tests.frontdoor.project import contents, git, make

if TYPE_CHECKING:
    from pathlib import Path

# What kbuild leaves behind for a module of two objects.
BUILT = (
    *("a.o", "a.ko", "a.mod", "a.mod.c", "a.mod.o", "modules.order", "Module.symvers"),
    *(".a.o.cmd", ".a.ko.cmd", ".Module.symvers.cmd", ".modules.order.cmd", ".a.o.d"),
)


def test_help_is_what_make_alone_shows() -> None:
    result = make()
    assert result.returncode == 0
    assert result.stdout == make("help").stdout


def test_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (\w+)$", text, flags=re.MULTILINE))
    shown = set(re.findall(r"^  ([a-z_]+) {2,}\S", make("help").stdout, flags=re.MULTILINE))
    assert {"gen", "check", "modules", "modules_install", "clean", "boot", "test"} <= targets
    assert shown == targets


@pytest.mark.parametrize("value", ["", "two words"])
def test_refuses_a_directory_that_it_cannot_pass_on(value: str) -> None:
    result = make("clean", f"OUT={value}")
    assert result.returncode == 2
    assert "OUT=" in result.stderr


def test_clean_removes_what_kbuild_made_and_nothing_else(rendered: Path) -> None:
    before = contents(rendered)
    for name in BUILT:
        (rendered / name).touch()
    result = make("clean", f"OUT={rendered}")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert contents(rendered) == before


def test_git_ignores_what_clean_removes() -> None:
    names = [f"out/{name}" for name in BUILT]
    assert git("check-ignore", *names).split() == names


def test_modules_tells_of_a_wrong_kernel_at_once(tmp_path: Path) -> None:
    result = make("modules", f"KDIR={tmp_path}")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == (
        f"error: KDIR={tmp_path}: it is not a kernel build tree"
    )


def test_modules_compiles_nothing_that_the_check_refuses(rendered: Path) -> None:
    changed = 0
    for path in rendered.glob("*.c"):
        # Another width than the register's: an error that compiles.
        text = path.read_text()
        path.write_text(text.replace("iowrite8(", "iowrite16("))
        changed += text != path.read_text()
    assert changed
    before = contents(rendered)
    result = make("modules", f"OUT={rendered}")
    assert result.returncode == 2
    assert "iowrite16" in result.stdout + result.stderr
    assert contents(rendered) == before


def test_install_asks_for_modules_first(rendered: Path) -> None:
    result = make("modules_install", f"OUT={rendered}")
    assert result.returncode == 2
    assert "run 'make modules' first" in result.stderr
