# SPDX-License-Identifier: GPL-2.0-or-later
"""The device as data: what a spec says, checked and typed, with the place of every statement.

Records are frozen. Each has `at`, a `Places` that knows the span of the record and of each of its
keys, so that any later stage can point at the line of the spec that it disagrees with. The
language itself is described in docs/spec.md and in spec/device.schema.json.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.frontend import Frontend
    from gen.release import Arrival, Release
    from gen.source import Source, Span


@dataclass(frozen=True)
class Places:
    """The span of a spec item and of the values of its keys; `acpi[0]` is the first of a list."""

    item: Span
    keys: Mapping[str, Span] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Span:
        """The span of the value under `key`, or of the whole item where the key is absent."""
        return self.keys.get(key, self.item)


class Trigger(enum.StrEnum):
    """What makes the driver send an event."""

    PANIC = "panic"
    CRASH_KERNEL = "crash-kernel"
    POWER_OFF = "power-off"
    RESTART = "restart"
    NONE = "none"
    UNUSED = "unused"


class Mask(enum.StrEnum):
    """Which of a device's two event masks an attribute shows."""

    CAPABILITY = "capability"
    ENABLED = "enabled"


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
