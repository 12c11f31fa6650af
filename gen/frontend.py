# SPDX-License-Identifier: GPL-2.0-or-later
"""The device's frontends as data: on which bus it is found, by which ids, with which resources."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen.model import KconfigSymbol, Places
    from gen.release import Arrival, Release


class Bus(enum.StrEnum):
    """The bus a frontend's driver registers with."""

    PCI = "pci"
    PLATFORM = "platform"


class ResourceKind(enum.StrEnum):
    """The address space of a platform device's register block."""

    IO = "io"
    MEMORY = "memory"


@dataclass(frozen=True)
class FrontendHost:
    """The QEMU device that a frontend's driver binds to: `-device` name, and its bus there."""

    since: Release
    device: str
    bus: str
    at: Places


@dataclass(frozen=True)
class PciId:
    """A 16-bit PCI id and, if the kernel or the driver has one, the macro that stands for it."""

    id: int
    macro: str | None
    at: Places


@dataclass(frozen=True)
class Resource:
    """A kind of resource a platform device may have; `length` in bytes, at least."""

    kind: ResourceKind
    length: int
    at: Places


@dataclass(frozen=True)
class Frontend:
    """What every frontend has: its module, which is its driver name too, and its Kconfig symbol.

    `attributes` tells since when its devices show the sysfs attributes; None if they do not.
    """

    name: str
    arrival: Arrival
    attributes: Arrival | None
    description: str
    author: str
    kconfig: KconfigSymbol
    host: FrontendHost | None
    at: Places

    @property
    def bus(self) -> Bus:
        """The bus that the driver registers with."""
        raise NotImplementedError

    @property
    def shortest(self) -> int:
        """The smallest length, in bytes, that the register region may have."""
        raise NotImplementedError


@dataclass(frozen=True)
class PciPair:
    """One PCI id that a driver binds to."""

    vendor: PciId
    device: PciId
    arrival: Arrival
    at: Places

    def __str__(self) -> str:
        return f"{self.vendor.id:04x}:{self.device.id:04x}"


@dataclass(frozen=True)
class PciFrontend(Frontend):
    """A PCI function whose BAR `bar`, at least `length` bytes long, holds the registers."""

    vendor: PciId
    device: PciId
    bar: int
    length: int
    also: tuple[PciPair, ...] = ()

    @property
    def ids(self) -> tuple[PciPair, ...]:
        """Every id that the driver binds to, the device's own first."""
        return (PciPair(self.vendor, self.device, self.arrival, self.at), *self.also)

    @property
    def bus(self) -> Bus:
        """PCI."""
        return Bus.PCI

    @property
    def shortest(self) -> int:
        """The BAR's length."""
        return self.length


@dataclass(frozen=True)
class PlatformFrontend(Frontend):
    """A platform device that ACPI (`acpi`) or a device tree (`of`) describes."""

    acpi: tuple[str, ...]
    of: tuple[str, ...]
    resources: tuple[Resource, ...]

    @property
    def bus(self) -> Bus:
        """The platform bus."""
        return Bus.PLATFORM

    @property
    def shortest(self) -> int:
        """The shortest of the resources."""
        return min(resource.length for resource in self.resources)

    @property
    def kinds(self) -> frozenset[ResourceKind]:
        """The kinds of resource that the driver has to accept."""
        return frozenset(resource.kind for resource in self.resources)
