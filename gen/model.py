# SPDX-License-Identifier: GPL-2.0-or-later
"""The device as data: what a spec says, checked and typed, with the place of every statement.

Records are frozen. Each has `at`, a `Places` that knows the span of the record and of each of its
keys, so that any later stage can point at the line of the spec that it disagrees with. The
language itself is described in docs/spec.md and in spec/device.schema.json.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.source import Source, Span


@dataclass(frozen=True)
class Places:
    """The span of a spec item and of the values of its keys; `acpi[0]` is the first of a list."""

    item: Span
    keys: Mapping[str, Span] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Span:
        """The span of the value under `key`, or of the whole item where the key is absent."""
        return self.keys.get(key, self.item)


@dataclass(frozen=True, order=True)
class Release:
    """A release of Linux or QEMU, ordered as numbers: 6.9 comes before 6.10."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Release:
        """Read `6.10`.

        Raises:
            ValueError: the text is not two numbers with a dot between them.
        """
        match = re.fullmatch(r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})", text)
        if match is None:
            raise ValueError(f"'{text}' is not a release such as 6.10")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True)
class PointRelease:
    """A release of a stable tree, such as 6.1.4; without `point`, the newest of its series.

    Within a series, a point release comes before the newest. Across series there is no order of
    contents: 6.1.95 has what 6.2 lacks, so `Arrival` answers what a release has.
    """

    series: Release
    point: int | None = None

    @classmethod
    def parse(cls, text: str) -> PointRelease:
        """Read `6.1` or `6.1.4`.

        Raises:
            ValueError: the text is neither.
        """
        match = re.fullmatch(r"([0-9]+\.[0-9]+)(?:\.(0|[1-9][0-9]{0,3}))?", text)
        if match is None:
            raise ValueError(f"'{text}' is not a release such as 6.10 or 6.1.4")
        return cls(Release.parse(match[1]), int(match[2]) if match[2] else None)

    def reaches(self, other: PointRelease) -> bool:
        """Whether this is `other`, or a later release of the same series."""
        if self.series != other.series or self.point is None:
            return self.series == other.series
        return other.point is not None and self.point >= other.point

    def __str__(self) -> str:
        return str(self.series) if self.point is None else f"{self.series}.{self.point}"


@dataclass(frozen=True)
class Arrival:
    """Since when a driver has something: a mainline release, and stable trees that took it over.

    `upstream` is mainline's commit, if one brought it: 40 hexadecimal digits, or the first of them.
    """

    since: Release
    stable: tuple[PointRelease, ...]
    at: Places
    upstream: str | None = None

    def __contains__(self, release: PointRelease) -> bool:
        """Whether `release` has it."""
        return release.series >= self.since or any(release.reaches(item) for item in self.stable)


class Trigger(enum.StrEnum):
    """What makes the driver send an event."""

    PANIC = "panic"
    CRASH_KERNEL = "crash-kernel"
    POWER_OFF = "power-off"
    RESTART = "restart"
    NONE = "none"
    UNUSED = "unused"


class Bus(enum.StrEnum):
    """The bus a frontend's driver registers with."""

    PCI = "pci"
    PLATFORM = "platform"


class Mask(enum.StrEnum):
    """Which of a device's two event masks an attribute shows."""

    CAPABILITY = "capability"
    ENABLED = "enabled"


class ResourceKind(enum.StrEnum):
    """The address space of a platform device's register block."""

    IO = "io"
    MEMORY = "memory"


class DocumentKind(enum.StrEnum):
    """A document that is rendered beside the driver."""

    SYSFS_ABI = "sysfs-abi"
    DT_BINDING = "dt-binding"


@dataclass(frozen=True)
class Reference:
    """Where the device is specified."""

    title: str
    url: str
    at: Places


@dataclass(frozen=True)
class Register:
    """One register: `offset` in bytes from the start of the region, `width` in bits."""

    name: str
    offset: int
    width: int
    access: str
    read: str | None
    write: str | None
    description: str
    at: Places

    @property
    def end(self) -> int:
        """The first byte after the register."""
        return self.offset + self.width // 8


@dataclass(frozen=True)
class EventHost:
    """What QEMU makes of an event: since which release, and the QMP event that a host sees."""

    since: Release
    qmp: str
    at: Places


@dataclass(frozen=True)
class EventUpstream:
    """Mainline's commits that defined an event's macro, and that made the driver send it."""

    header: str | None
    driver: str | None
    at: Places


@dataclass(frozen=True)
class Event:
    """One bit of the event register and what makes the driver send it."""

    name: str
    bit: int
    trigger: Trigger
    arrival: Arrival
    description: str
    host: EventHost | None
    at: Places
    upstream: EventUpstream | None = None

    @property
    def value(self) -> int:
        """The bit as a number."""
        return 1 << self.bit


@dataclass(frozen=True)
class Hook:
    """A place in a chain of the kernel: a number, or the kernel's name for one, and why there."""

    priority: int | str
    why: str | None
    at: Places
    upstream: str | None = None


@dataclass(frozen=True)
class Hooks:
    """How the driver hears of the triggers; None for a hook that no event needs."""

    panic_notifier: Hook | None
    sys_off: Hook | None
    at: Places


@dataclass(frozen=True)
class KconfigSymbol:
    """A Kconfig symbol; `depends` is an expression in Kconfig's own syntax."""

    symbol: str
    type: str
    prompt: str
    depends: str | None
    help: str
    at: Places


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


@dataclass(frozen=True)
class Store:
    """How an attribute is written: a number in `base` whose bits all lie in the mask `within`."""

    base: int
    within: Mask
    at: Places


@dataclass(frozen=True)
class Attribute:
    """A sysfs attribute of every bound device."""

    name: str
    mode: int
    shows: Mask
    format: str
    store: Store | None
    abi: str
    arrival: Arrival
    date: str
    contact: str
    description: str
    at: Places


@dataclass(frozen=True)
class Uapi:
    """The header for user space; `path` is below include/uapi."""

    path: str
    license: str
    guard: str
    at: Places


@dataclass(frozen=True)
class Document:
    """A document to render, its path in a kernel tree, and its licence if not the driver's."""

    kind: DocumentKind
    path: str
    license: str | None
    at: Places


@dataclass(frozen=True)
class Device:
    """A whole spec, or the contract of a release.

    `defined` has the events that the header for user space names and the driver does not know.
    `later` has the frontends that came after a release which had none of them: they still tell
    its devices' ids and resources.
    """

    name: str
    title: str
    summary: str
    license: str
    module_license: str
    author: str
    description: str
    references: tuple[Reference, ...]
    registers: tuple[Register, ...]
    events: tuple[Event, ...]
    hooks: Hooks
    frontends: tuple[Frontend, ...]
    sysfs: tuple[Attribute, ...]
    kconfig: KconfigSymbol
    uapi: Uapi
    documents: tuple[Document, ...]
    source: Source
    at: Places
    defined: tuple[Event, ...] = ()
    later: tuple[Frontend, ...] = ()

    @property
    def capability_register(self) -> Register:
        """The register that tells which events the device can take."""
        return next(register for register in self.registers if register.read == "capability")

    @property
    def event_register(self) -> Register:
        """The register to which events are written."""
        return next(register for register in self.registers if register.write == "event")

    @property
    def macros(self) -> tuple[Event, ...]:
        """The events that the header for user space names."""
        return (*self.events, *self.defined)

    def event_for(self, trigger: Trigger) -> Event | None:
        """The event that `trigger` sends, if there is one."""
        return next((event for event in self.events if event.trigger is trigger), None)
