# SPDX-License-Identifier: GPL-2.0-or-later
"""The devices that a driver has bound, as the guest's sysfs shows them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.frontend import Frontend, PciFrontend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.lab.qemu import Write
    from gen.lab.shell import Shell
    from gen.model import Register


# Bytes: QEMU splits a wide access, and what spills over the end of a short region lands here.
SPILL = 3


@dataclass(frozen=True)
class Bound:
    """A bound device: its sysfs name and directory, and the bus addresses of its region."""

    frontend: Frontend
    name: str
    path: str
    start: int
    end: int

    @property
    def driver(self) -> str:
        """The sysfs directory of the driver that bound it."""
        return driver_directory(self.frontend)

    def holds(self, write: Write, spill: int = 0) -> bool:
        """Whether a write is in this device's region, or at most so many bytes behind its end."""
        return self.start <= write.address <= self.end + spill and self.start <= self.end

    def wrote(self, write: Write, register: Register) -> str:
        """A write in words; what is unusual about its place or size is told too."""
        offset = write.address - self.start
        text = f"{self.name}={write.value:#x}"
        if (offset, write.size * 8) == (register.offset, register.width):
            return text
        return f"{text} ({write.size * 8} bits at {offset})"


def meant(write: Write, devices: Sequence[Bound]) -> Bound | None:
    """The device that a write was meant for, though it may have missed its region.

    Regions can be next to each other, so that only what is in none has spilled over an end.
    """
    near = (device for spill in (0, SPILL) for device in devices if device.holds(write, spill))
    return next(near, None)


def driver_directory(frontend: Frontend) -> str:
    """Where sysfs has the driver of a frontend."""
    return f"/sys/bus/{frontend.bus}/drivers/{shlex.quote(frontend.name)}"


async def bound_to(shell: Shell, frontend: Frontend) -> list[Bound]:
    """The devices of one frontend by name; none when its driver is not loaded."""
    listing = await shell.run(
        f"for link in {driver_directory(frontend)}/*; do\n"
        '[ -L "$link" ] && [ -e "$link/subsystem" ] && echo "${link##*/}"\n'
        "done; true"
    )
    return [await _describe(shell, frontend, name) for name in sorted(listing.split())]


async def _describe(shell: Shell, frontend: Frontend, name: str) -> Bound:
    path = f"/sys/bus/{frontend.bus}/devices/{name}"
    if isinstance(frontend, PciFrontend):
        regions = (await shell.run(f"cat {path}/resource")).splitlines()
        start, end = (int(word, 16) for word in regions[frontend.bar].split()[:2])
    else:
        start, end = region(await shell.run("cat /proc/ioports /proc/iomem"), name)
    return Bound(frontend, name, path, start, end)


def region(listing: str, name: str) -> tuple[int, int]:
    """The first and last address of the region that the kernel lists under a device's name.

    A device tree's node adds its own name to it. A device without a region gets an empty one, so
    that no write counts as its own.
    """
    layout = rf"^ *([0-9a-f]+)-([0-9a-f]+) : {re.escape(name)}( \S+)?$"
    found = re.search(layout, listing, re.MULTILINE)
    return (int(found[1], 16), int(found[2], 16)) if found else (0, -1)
