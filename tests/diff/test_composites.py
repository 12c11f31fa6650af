# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers whose modules have other names than their files, or several files, or are not built."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from checks.contract.side import read_tree
from gen.diff.compare import compare
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CORE, PCI = "pvpanic.c", "pvpanic-pci.c"
HOOKS, MARKS = "static int pvpanic_panic_notify", "MODULE_AUTHOR"


def copied(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "out", tree, ignore=shutil.ignore_patterns("*.o", "*.ko", "*.cmd"))
    return tree


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def composite(tree: Path, line: str) -> None:
    with (tree / "Makefile").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def found(tree: Path) -> tuple[list[str], list[str]]:
    """The rules that fire against the driver as it is, and what is unknown."""
    old, new = (read_tree("side", one, "6.1") for one in (ROOT / "out", tree))
    result, back = compare(old, new), compare(new, old)
    mirrors = Counter(one.rule.mirror for one in result.findings)
    assert Counter(one.rule.id for one in back.findings) == mirrors
    return [one.rule.id for one in result.findings], [one.what for _, one in result.unknown]


@pytest.mark.parametrize("how", ["pvpanic-y := core.o", "pvpanic-objs += core.o"])
def test_a_module_of_another_file_is_no_change(how: str, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    (tree / CORE).rename(tree / "core.c")
    composite(tree, how)
    assert found(tree) == ([], [])


def test_a_driver_of_another_file_is_no_change(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    (tree / PCI).rename(tree / "bus.c")
    composite(tree, "pvpanic-pci-y := bus.o")
    assert found(tree) == ([], [])


def test_another_module_of_the_same_file_is_told(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    edit(tree / "Makefile", "pvpanic-pci.o", "pvp.o")
    composite(tree, "pvp-y := pvpanic-pci.o")
    assert found(tree) == (["AUTOLOAD_DRIVER_MOVED"], [])


DECLARED = "void pvpanic_send(unsigned int event);"


@pytest.mark.parametrize("shared", ['#include "pvpanic.h"', DECLARED])
def test_a_core_of_two_files_is_no_change(shared: str, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / CORE).read_text(encoding="utf-8")
    first, last = text.index(HOOKS), text.index(MARKS)
    rest = text[:first] + text[last:]
    rest = rest.replace("static void pvpanic_send", "void pvpanic_send")
    edit(tree / "pvpanic.h", "int devm_", f"{DECLARED}\n\nint devm_")
    includes = [line for line in text.splitlines() if line.startswith("#include <")]
    includes += ['#include "uapi/misc/pvpanic.h"', shared]
    (tree / "core.c").write_text(rest, encoding="utf-8")
    (tree / "hooks.c").write_text(
        "\n".join(["// SPDX-License-Identifier: GPL-2.0+", *includes, "", text[first:last]]),
        encoding="utf-8",
    )
    (tree / CORE).unlink()
    composite(tree, "pvpanic-y := core.o hooks.o")
    assert found(tree) == ([], [])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (" pvpanic.o", "pvpanic"),
        ("PCI) += pvpanic.o", "pvpanic with PVPANIC_PCI"),
        (" pvpanic-mmio.o", "pvpanic-mmio"),
    ],
)
def test_what_is_built_no_more_is_told(line: str, told: str, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    edit(tree / "Makefile", line, line.rpartition(" ")[0])
    rules, _ = found(tree)
    assert rules == ["BUILD_OBJECT_DROPPED"]
    (device,) = (one for one in read_tree("new", tree, "6.1").items if one.kind == "device")
    assert device.facts["unbuilt"].value == told


@pytest.mark.parametrize("core", ["obj-m := pvpanic.o", "obj-$(CONFIG_PVPANIC) += pvpanic.o"])
def test_a_core_of_a_line_of_its_own_is_built(core: str, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    edit(tree / "Makefile", " pvpanic.o", "")
    composite(tree, core)
    assert found(tree) == ([], [])


def test_a_line_that_is_not_understood_may_build_anything(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    edit(tree / "Makefile", " pvpanic.o", "")
    composite(tree, "obj-$(CONFIG_PVPANIC) += $(core).o")
    rules, unknown = found(tree)
    assert rules == []
    assert "device.unbuilt" in unknown
