# SPDX-License-Identifier: GPL-2.0-or-later
"""Platform devices as firmware describes them: in ACPI's source language or as a device tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.frontend import PlatformFrontend
    from gen.lab.board import Board

PAGE = 0x1000
# What is read from an I/O port where nothing is.
FLOATING = 0xFF


@dataclass(frozen=True)
class Block:
    """One described device.

    Args:
        memory: address and length of the registers; nothing is described if the length is 0.
        preset: the byte that is read from them first, if one is put there.
        port: an I/O port that is described before the memory.
        error: the number with which the driver refuses the device.
        memory_first: whether the driver takes the memory although the port comes first.
    """

    memory: tuple[int, int]
    preset: int | None
    port: int | None = None
    error: int | None = None
    memory_first: bool = False

    @property
    def hidden(self) -> bool:
        """Whether the memory is RAM that the kernel leaves alone, and this block's own."""
        return self.preset is not None

    @property
    def start(self) -> int:
        """The resource that sysfs tells first."""
        return self.memory[0] if self.port is None else self.port

    def capability(self, known: int) -> int:
        """The mask that the driver finds there; a hole in the memory reads as zero."""
        floats = self.port is not None and not self.memory_first
        return (FLOATING if floats else self.preset or 0) & known


def names(board: Board, frontend: PlatformFrontend, blocks: Sequence[Block]) -> list[str]:
    """How the kernel calls the devices."""
    if board.language == "acpi":
        return [f"{frontend.acpi[0]}:{number:02x}" for number in range(len(blocks))]
    return [
        f"{block.memory[0]:x}.lab{number}" if block.memory[1] else f"lab{number}"
        for number, block in enumerate(blocks)
    ]


def source(board: Board, frontend: PlatformFrontend, blocks: Sequence[Block], hidden: int) -> str:
    """The blocks in the board's language; so many bytes of hidden memory are kept from the kernel.

    ACPI has no word for the latter: a kernel parameter says it.
    """
    if board.language == "acpi":
        return _table(frontend.acpi[0], blocks)
    return _tree(frontend.of[0], blocks, board.hidden_memory, hidden)


def _table(hid: str, blocks: Sequence[Block]) -> str:
    devices = "".join(
        f"    Device (LAB{number:X}) {{\n"
        f'      Name (_HID, "{hid}")\n'
        f"      Name (_UID, {number + 1})\n"
        "      Name (_STA, 0xF)\n"
        f"      Name (_CRS, ResourceTemplate () {{\n{_resources(block)}      }})\n"
        "    }\n"
        for number, block in enumerate(blocks)
    )
    return (
        'DefinitionBlock ("", "SSDT", 2, "LAB", "BLOCKS", 1) {\n'
        f"  Scope (\\_SB) {{\n{devices}  }}\n"
        "}\n"
    )


def _resources(block: Block) -> str:
    address, length = block.memory
    port = f"        IO (Decode16, {block.port:#x}, {block.port:#x}, 1, 1)\n" if block.port else ""
    memory = f"        Memory32Fixed (ReadWrite, {address:#x}, {length:#x})\n" if length else ""
    return port + memory


def _tree(compatible: str, blocks: Sequence[Block], start: int, length: int) -> str:
    nodes = "".join(
        f'  {_node(number, block)} {{\n    compatible = "{compatible}";\n{_reg(block)}  }};\n'
        for number, block in enumerate(blocks)
    )
    return (
        "/ {\n"
        "  reserved-memory {\n"
        "    #address-cells = <2>;\n    #size-cells = <2>;\n    ranges;\n"
        f"    lab@{start:x} {{ reg = <0 {start:#x} 0 {length:#x}>; no-map; }};\n"
        "  };\n"
        f"{nodes}"
        "};\n"
    )


def _node(number: int, block: Block) -> str:
    return f"lab{number}@{block.memory[0]:x}" if block.memory[1] else f"lab{number}"


def _reg(block: Block) -> str:
    address, length = block.memory
    return f"    reg = <0 {address:#x} 0 {length:#x}>;\n" if length else ""
