# SPDX-License-Identifier: GPL-2.0-or-later
"""What firmware tells the guest of platform devices: an ACPI table more, or another device tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.lab.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from gen.lab.board import Board
    from gen.lab.machine import Machine


def options(board: Board, machine: Machine, work: Path) -> list[str]:
    """Compile in `work` what a machine describes; QEMU's options for it.

    Raises:
        LabError: a compiler is missing, or refuses it.
    """
    if board.language == "acpi":
        return _table(machine.described, work) if machine.described else []
    parts = [machine.described or "", "" if machine.firmware else board.without_firmware_tree]
    return _tree(board, machine, parts, work) if any(parts) else []


def shape(board: Board, machine: Machine) -> list[str]:
    """The options that a board's own device tree depends on."""
    return [*board.options, "-m", str(machine.memory), "-smp", str(machine.processors)]


def _table(source: str, work: Path) -> list[str]:
    file = work / "table.asl"
    file.write_text(source)
    run(["iasl", "-p", work / "table", file])
    return ["-acpitable", f"file={work / 'table.aml'}"]


def _tree(board: Board, machine: Machine, parts: list[str], work: Path) -> list[str]:
    """The board's own tree with more parts, each of which begins at the root."""
    own, source, whole = work / "own.dtb", work / "tree.dts", work / "tree.dtb"
    lines = ["-nodefaults", "-display", "none", "-serial", "null", "-serial", "null"]
    run([board.program, *shape(board, machine), *lines, "-machine", f"dumpdtb={own}"])
    text = run(["dtc", "-q", "-I", "dtb", "-O", "dts", own])
    source.write_text("\n".join([text, *parts]))
    run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", whole, source])
    return ["-dtb", str(whole)]
