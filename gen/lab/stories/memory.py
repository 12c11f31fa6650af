# SPDX-License-Identifier: GPL-2.0-or-later
"""The platform frontend on memory: firmware describes devices whose registers are bytes of RAM.

Few machines of QEMU have a device with its registers in memory, so that an ACPI table or a device
tree declares some, on pages that the guest's kernel leaves alone. What QEMU's loader puts there is
what the driver reads as the capability; what stands there after a panic is what it wrote.
"""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gen.frontend import PlatformFrontend, ResourceKind
from gen.lab.describe import PAGE, Block, names, source
from gen.lab.machine import Machine, Preset
from gen.lab.scenario import Obstacle, Scenario, Verdict
from gen.lab.stage import listed
from gen.lab.stories.panic import CRASH, PANIC_END
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from gen.lab.bench import Bench
    from gen.lab.stage import Stage

# MiB, so that the hidden pages lie well below the end of memory, where the initrd goes.
MEMORY = 512
# Since 5.11 drivers take the resource that is described first; before, they ask for memory first.
IN_ORDER = (5, 11)
# Far enough behind the hidden pages to be the kernel's own memory.
KERNELS_OWN = 0x2000000


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """Needs a frontend that the board's firmware can describe with a memory resource."""
    frontend = _frontend(bench)
    stories = (
        ("memory-resource", "a panic, register blocks in memory that firmware describes", _good),
        ("memory-resource-odd", "a panic, odd, shared and missing register blocks", _odd),
    )
    for name, title, choose in stories:
        blocks = choose(bench, frontend) if frontend else ()
        yield Scenario(
            name,
            title,
            _machine(bench, frontend, blocks) if frontend else Machine(),
            _play(blocks),
            ends=True,
            obstacle=None if frontend else _absent(bench),
        )


def _absent(bench: Bench) -> Obstacle:
    language = {"acpi": "ACPI", "of": "a device tree"}[bench.board.language]
    reason = f"the spec has no frontend that {language} describes with a memory resource"
    return Obstacle(Verdict.INAPPLICABLE, reason)


def _frontend(bench: Bench) -> PlatformFrontend | None:
    if bench.device.event_for(Trigger.PANIC) is None:
        return None
    platform = (f for f in bench.device.frontends if isinstance(f, PlatformFrontend))
    fitting = (
        f
        for f in platform
        if (f.acpi if bench.board.language == "acpi" else f.of) and ResourceKind.MEMORY in f.kinds
    )
    return next(fitting, None)


def _machine(bench: Bench, frontend: PlatformFrontend, blocks: Sequence[Block]) -> Machine:
    register = bench.device.capability_register
    hidden = [block.memory for block in blocks if block.hidden]
    pages = (max(address for address, _ in hidden) - bench.board.hidden_memory) // PAGE + 1
    return Machine(
        memory=MEMORY,
        append=tuple(
            word.format(length=pages * PAGE, address=bench.board.hidden_memory)
            for word in bench.board.hide
        ),
        described=source(bench.board, frontend, blocks, pages * PAGE),
        presets=tuple(
            Preset(block.memory[0] + register.offset, block.preset)
            for block in blocks
            if block.hidden and block.preset is not None
        ),
    )


def _shortest(frontend: PlatformFrontend) -> int:
    return min(r.length for r in frontend.resources if r.kind is ResourceKind.MEMORY)


def _panic(bench: Bench) -> int:
    return bench.signal(Trigger.PANIC).value


def _good(bench: Bench, frontend: PlatformFrontend) -> tuple[Block, ...]:
    """One block of a page, one as short as may be, and one that cannot tell of panics."""
    start, shortest = bench.board.hidden_memory, _shortest(frontend)
    return (
        Block((start, PAGE), bench.known),
        Block((start + PAGE, shortest), bench.known),
        Block((start + 2 * PAGE, shortest), bench.known & ~_panic(bench)),
    )


def _odd(bench: Bench, frontend: PlatformFrontend) -> tuple[Block, ...]:
    """What no sane firmware describes, and what the driver makes of it."""
    start, board = bench.board.hidden_memory, bench.board
    whole = (start, PAGE)
    blocks = [
        Block(whole, bench.known),
        Block((start + PAGE, 1), bench.known & ~_panic(bench)),
        Block(whole, preset=None, error=errno.EBUSY),
        Block((0, 0), preset=None, error=errno.EINVAL),
        Block((start + 2 * PAGE + 2, _shortest(frontend)), bench.known),
        Block((start + KERNELS_OWN, PAGE), preset=None, error=errno.EBUSY),
    ]
    if board.hole is not None:
        blocks.append(Block((board.hole, PAGE), preset=None))
    if board.empty_port is not None and ResourceKind.IO in frontend.kinds:
        blocks.append(Block((start + 3 * PAGE, PAGE), preset=0, port=board.empty_port))
    return tuple(blocks)


def _play(blocks: Sequence[Block]) -> Callable[[Stage], Awaitable[None]]:
    async def play(stage: Stage) -> None:
        frontend = _frontend(stage.bench)
        if frontend is None:
            raise ValueError("no frontend")
        taken = await _as_taken(stage, blocks)
        known = dict(zip(names(stage.bench.board, frontend, blocks), taken, strict=True))
        refused = [name for name, block in known.items() if block.error]
        stage.allowed = tuple(rf"\b{re.escape(name)}\b" for name in refused)
        await _binds(stage, known)
        await stage.shell.send(CRASH)
        await stage.settle(PANIC_END)
        stage.expect_line("the panic ends", PANIC_END)
        for name, block in known.items():
            if block.error:
                told = re.findall(rf"\b{re.escape(name)}\b.* failed with error -(\d+)", stage.log())
                seen = listed(errno.errorcode.get(int(n), n) for n in dict.fromkeys(told))
                stage.note(f"probing {name}", errno.errorcode[block.error], seen, main=True)
            elif block.hidden:
                await _written(stage, block)

    return play


async def _as_taken(stage: Stage, blocks: Sequence[Block]) -> list[Block]:
    """The blocks as this kernel's driver takes them, where both kinds of resource are described."""
    if await stage.release() >= IN_ORDER:
        return list(blocks)
    return [replace(block, memory_first=True) for block in blocks]


async def _binds(stage: Stage, known: dict[str, Block]) -> None:
    """Note which devices are bound, where, and what their attributes show."""
    bound = {device.name: device for device in await stage.load()}
    for name, block in known.items():
        where = hex(block.start) if block.error is None else "not bound"
        seen = hex(bound[name].start) if name in bound else "not bound"
        stage.note(f"registers of {name}", where, seen)
        for attribute in stage.bench.device.sysfs if name in bound else ():
            expected = repr(attribute.format % block.capability(stage.bench.known))
            text = await stage.content(bound[name], attribute)
            stage.note(f"{attribute.name} of {name}", expected, text)


async def _written(stage: Stage, block: Block) -> None:
    """Note what stands in the memory of a block after the panic."""
    value = _panic(stage.bench)
    preset = block.preset or 0
    taken = (block.port is None or block.memory_first) and preset & value
    address = block.memory[0] + stage.bench.device.event_register.offset
    shown = await stage.host.human(f"xp /4xb {address:#x}")
    expected = " ".join(f"{byte:#04x}" for byte in (value if taken else preset, 0, 0, 0))
    seen = shown.strip().split(": ")[-1]
    stage.note(f"bytes at {address:#x} (mask {preset:#x})", expected, seen, main=True)
