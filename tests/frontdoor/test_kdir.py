# SPDX-License-Identifier: GPL-2.0-or-later
"""Which kernel `.ci/kdir` chooses, and what it says of one that cannot be built for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontdoor.machine import Machine

NO_ARCH = {"ARCH": "", "CROSS_COMPILE": ""}


def kernel(directory: Path, release: str) -> Path:
    """A directory that looks like a prepared kernel build tree."""
    for part in ("scripts", "include/config", "include/generated"):
        (directory / part).mkdir(parents=True)
    (directory / "Makefile").touch()
    (directory / "include/config/auto.conf").touch()
    (directory / "include/generated/utsrelease.h").write_text(f'#define UTS_RELEASE "{release}"\n')
    return directory


@pytest.fixture
def root(machine: Machine, tmp_path: Path) -> Path:
    """A root file system to look for kernels in."""
    path = tmp_path / "root"
    path.mkdir()
    machine.environment |= {"KDIR_ROOT": str(path), **NO_ARCH}
    return path


def test_takes_the_one_that_is_given(machine: Machine, root: Path, tmp_path: Path) -> None:
    kernel(root / "lib/modules/9.9.9-fake/build", "9.9.9-fake")
    given = kernel(tmp_path / "given", "6.1.0-1-amd64")
    result = machine.run("kdir", str(given))
    assert (result.returncode, result.stdout) == (0, f"{given}\n")
    assert result.stderr == f"==> kernel 6.1.0-1-amd64, {given} (given as KDIR)\n"


def test_prefers_the_running_kernel(machine: Machine, root: Path) -> None:
    running = kernel(root / "lib/modules/9.9.9-fake/build", "9.9.9-fake")
    kernel(root / "lib/modules/10.1/build", "10.1")
    result = machine.run("kdir")
    assert result.stdout == f"{running}\n"
    assert "(the running kernel's)" in result.stderr


def test_takes_the_newest_by_number(machine: Machine, root: Path) -> None:
    kernel(root / "usr/src/linux-headers-6.9-amd64", "6.9-amd64")
    newest = kernel(root / "lib/modules/6.12-amd64/build", "6.12-amd64")
    kernel(root / "lib/modules/6.1-amd64/build", "6.1-amd64")
    # What several packages share is a part of a tree only.
    (root / "usr/src/linux-headers-7.2-common/include").mkdir(parents=True)
    result = machine.run("kdir")
    assert result.stdout == f"{newest}\n"
    assert "9.9.9-fake has none here" in result.stderr


def test_says_when_there_is_none(machine: Machine, root: Path) -> None:
    assert root.is_dir()
    result = machine.run("kdir")
    assert (result.returncode, result.stdout) == (3, "")
    assert "no kernel headers are installed" in result.stderr


@pytest.mark.parametrize("name", ["ARCH", "CROSS_COMPILE"])
def test_guesses_no_kernel_for_another_machine(machine: Machine, root: Path, name: str) -> None:
    kernel(root / "lib/modules/9.9.9-fake/build", "9.9.9-fake")
    result = machine.run("kdir", extra={name: "arm64"})
    assert (result.returncode, result.stdout) == (2, "")
    assert "say with KDIR=" in result.stderr


def test_refuses_what_is_no_kernel_tree(machine: Machine, tmp_path: Path) -> None:
    result = machine.run("kdir", str(tmp_path / "nowhere"))
    assert result.returncode == 2
    assert "no such directory" in result.stderr
    result = machine.run("kdir", str(tmp_path))
    assert result.returncode == 2
    assert "not a kernel build tree" in result.stderr


def test_refuses_a_tree_that_is_not_prepared(machine: Machine, tmp_path: Path) -> None:
    tree = kernel(tmp_path / "tree", "6.1")
    (tree / "include/config/auto.conf").unlink()
    result = machine.run("kdir", str(tree))
    assert result.returncode == 2
    assert "modules_prepare" in result.stderr
