# SPDX-License-Identifier: GPL-2.0-or-later
"""The platform frontend on memory: ACPI describes devices whose registers are bytes of RAM.

No QEMU device for PCs has its registers in memory, so an extra ACPI table declares some, on pages
that the guest's kernel leaves alone. What QEMU's loader puts there is what the driver reads as the
capability; what stands there after a panic is what it wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab.machine import Machine, Preset
from gen.lab.scenario import Obstacle, Scenario, Verdict
from gen.lab.stories.panic import CRASH, PANIC_END
from gen.model import PlatformFrontend, ResourceKind, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen.lab.bench import Bench
    from gen.lab.stage import Stage

PAGE = 0x1000
# MiB, so that the hidden pages lie well below the end of memory, where the initrd goes.
MEMORY = 512


@dataclass(frozen=True)
class Block:
    """A register block in memory: its address and length, the byte that is read from it first."""

    address: int
    length: int
    mask: int


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """Needs a frontend that ACPI can describe with a memory resource."""
    frontend = _frontend(bench)
    blocks = _blocks(bench, frontend) if frontend else ()
    register = bench.device.capability_register
    machine = Machine(
        memory=MEMORY,
        append=(f"memmap={len(blocks) * PAGE:#x}${bench.board.hidden_memory:#x}",),
        table=_table(frontend.acpi[0], blocks) if frontend else None,
        presets=tuple(Preset(block.address + register.offset, block.mask) for block in blocks),
    )
    yield Scenario(
        "memory-resource",
        "a panic, register blocks in memory that ACPI describes",
        machine,
        _play,
        ends=True,
        obstacle=None if frontend else _absent(),
    )


def _absent() -> Obstacle:
    reason = "the spec has no frontend that ACPI describes with a memory resource"
    return Obstacle(Verdict.INAPPLICABLE, reason)


def _frontend(bench: Bench) -> PlatformFrontend | None:
    if bench.device.event_for(Trigger.PANIC) is None:
        return None
    platform = (f for f in bench.device.frontends if isinstance(f, PlatformFrontend))
    fitting = (f for f in platform if f.acpi and ResourceKind.MEMORY in f.kinds)
    return next(fitting, None)


def _blocks(bench: Bench, frontend: PlatformFrontend) -> tuple[Block, ...]:
    """One block of a page, one as short as may be, and one that cannot tell of panics."""
    event = bench.device.event_for(Trigger.PANIC)
    value = event.value if event else 0
    shortest = min(r.length for r in frontend.resources if r.kind is ResourceKind.MEMORY)
    start = bench.board.hidden_memory
    return (
        Block(start, PAGE, bench.known),
        Block(start + PAGE, shortest, bench.known),
        Block(start + 2 * PAGE, shortest, bench.known & ~value),
    )


def _table(hid: str, blocks: Sequence[Block]) -> str:
    """The source of an ACPI table that declares the blocks."""
    devices = "".join(
        f"    Device (LAB{number}) {{\n"
        f'      Name (_HID, "{hid}")\n'
        f"      Name (_UID, {number + 1})\n"
        "      Name (_STA, 0xF)\n"
        "      Name (_CRS, ResourceTemplate () {\n"
        f"        Memory32Fixed (ReadWrite, {block.address:#x}, {block.length:#x})\n"
        "      })\n"
        "    }\n"
        for number, block in enumerate(blocks)
    )
    return (
        'DefinitionBlock ("", "SSDT", 2, "LAB", "BLOCKS", 1) {\n'
        f"  Scope (\\_SB) {{\n{devices}  }}\n"
        "}\n"
    )


async def _play(stage: Stage) -> None:
    frontend = _frontend(stage.bench)
    if frontend is None:
        raise ValueError("no frontend")
    value = stage.bench.signal(Trigger.PANIC).value
    blocks = _blocks(stage.bench, frontend)
    bound = await stage.load()
    stage.note(
        "regions bound", sorted(hex(b.address) for b in blocks), sorted(hex(b.start) for b in bound)
    )
    for device in bound:
        block = next((b for b in blocks if b.address == device.start), None)
        for attribute in stage.bench.device.sysfs if block else ():
            expected = repr(attribute.format % (block.mask if block else 0))
            text = await stage.content(device, attribute)
            stage.note(f"{attribute.name} of {device.name}", expected, text)
    await stage.shell.send(CRASH)
    await stage.settle(PANIC_END)
    stage.expect_line("the panic ends", PANIC_END)
    offset = stage.bench.device.event_register.offset
    for block in blocks:
        after = value if block.mask & value else block.mask
        shown = await stage.host.human(f"xp /4xb {block.address + offset:#x}")
        expected = " ".join(f"{byte:#04x}" for byte in (after, 0, 0, 0))
        stage.note(
            f"bytes at {block.address + offset:#x} (mask {block.mask:#x})",
            expected,
            shown.strip().split(": ")[-1],
            main=True,
        )
