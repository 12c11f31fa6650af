# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices made from the spec."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.frontend import PciFrontend, PlatformFrontend, ResourceKind

if TYPE_CHECKING:
    from checks.execution.state import Obj
    from gen.frontend import Frontend
    from gen.source import Span

IO, MEMORY = ResourceKind.IO.value, ResourceKind.MEMORY.value
PARENT = "parent"  # what marks a device above those of the spec


@dataclass(frozen=True)
class AcpiFrontend(PlatformFrontend):
    """A driver that is bound to ACPI's own device, without a platform device between them."""


def tag(frontend: Frontend) -> str:
    """The kernel's structure for a device of the frontend."""
    if isinstance(frontend, PciFrontend):
        return "pci_dev"
    return "acpi_device" if isinstance(frontend, AcpiFrontend) else "platform_device"


@dataclass(eq=False)
class Machine:
    """A device in the machine: what a driver is bound to.

    `space` is memory or io, `start` its address there, `capability` what its register reads as.
    `touched` are the accesses to it so far, as direction, offset and width, each with its place:
    the call through which the entry point came there, where it was not its own function.
    """

    name: str
    frontend: Frontend
    space: str
    start: int
    length: int
    capability: int
    obj: Obj
    touched: dict[tuple[str, int, int], Span | None] = field(default_factory=dict)

    def __str__(self) -> str:
        bus = "acpi" if isinstance(self.frontend, AcpiFrontend) else self.frontend.bus
        return f"{bus} device {self.name}"

    @property
    def described(self) -> str:
        """The device with its resource, where its driver has to look which one it is."""
        if not isinstance(self.frontend, PlatformFrontend):
            return str(self)
        return f"{self} with one {'I/O port' if self.space == IO else 'memory'} resource"
