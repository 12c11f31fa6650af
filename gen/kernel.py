# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kernel offers to a driver: the interfaces of one series, and all series together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.diagnostics import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen.api import Api, Range
    from gen.release import PointRelease, Release


class KernelFactsError(Exception):
    """The facts cannot be read, or do not hold what was asked for; the message is for the user."""


@dataclass(frozen=True)
class Packages:
    """Patterns of Debian package names; `{flavour}` stands for amd64, arm64 and so on."""

    headers: str
    source: str
    image: str


@dataclass(frozen=True)
class Verification:
    """That the table was compared with real headers: those of a version, on a day."""

    version: str
    date: str


@dataclass(frozen=True)
class InTree:
    """Mainline's driver of a device in a series.

    `path` is a directory or a single file in the kernel tree, `kconfig` the type of its symbol,
    `modules` what it builds. Of one that is older than the spec's frontends, `drivers` has the
    names of its drivers by their bus, `priority` is its panic notifier's, and `depends` what its
    symbol depends on.
    """

    path: str
    kconfig: str
    modules: tuple[str, ...]
    drivers: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    depends: str | None = None

    @property
    def layout(self) -> str:
        """Whether the driver is a single file or a directory."""
        return "file" if self.path.endswith(".c") else "directory"


@dataclass(frozen=True)
class Kernel:
    """The table as one series has it.

    `packages` is None where Debian never shipped it, `verification` where no real headers were
    compared; `architectures` are those besides amd64 on which it is booted. `branch` is its branch
    of the stable tree; `in_tree` has mainline's drivers by the names of their devices.
    """

    series: str
    suites: tuple[str, ...]
    architectures: tuple[str, ...]
    packages: Packages | None
    verification: Verification | None
    branch: str
    in_tree: Mapping[str, InTree]
    release: Release
    table: Mapping[str, Api] = field(repr=False)
    header_table: Mapping[str, Range] = field(repr=False)
    # The headers that few others of the table include, each with those that do.
    bringers: Mapping[str, frozenset[str]] = field(repr=False)
    # The headers that user space has too.
    exported: frozenset[str] = field(repr=False)
    # The release of the tree whose headers were read, where the table is that of one tree.
    probed: PointRelease | None = None

    @property
    def verified(self) -> bool:
        """Whether the table was compared with real headers of this series."""
        return self.verification is not None

    @property
    def caveat(self) -> str | None:
        """A sentence for what is made for a series that was never compared with real headers.

        None where it was, or where the table is that of a real tree.
        """
        if self.verified or self.probed:
            return None
        known = f"what is known of Linux {self.series} is unverified"
        return f"{known}: it was not compared with real headers"

    def has(self, name: str) -> bool:
        """Whether this series has the interface; a name that the table lacks is not had."""
        api = self.table.get(name)
        return api is not None and self.release in api.range

    def api(self, name: str) -> Api:
        """The interface called `name`, such as `ioread8` or `struct device`.

        Raises:
            KernelFactsError: the table lacks it, or this series does.
        """
        api = self.table.get(name)
        if api is None:
            hint = did_you_mean(name, self.table)
            raise KernelFactsError(_sentence(f"no facts about '{name}'", hint))
        if self.release not in api.range:
            raise KernelFactsError(f"Linux {self.series} has no '{name}'")
        return api

    def header(self, name: str) -> str:
        """The header that a .c file includes for `name`, such as `linux/device.h`.

        A member is named with its struct: `struct pci_driver.dev_groups`.

        Raises:
            KernelFactsError: as for `api`, or this series' struct has no such member.
        """
        name, _, member = name.partition(".")
        if member and member not in self.members(name):
            raise KernelFactsError(f"Linux {self.series} has no member '{member}' in '{name}'")
        for header, range_ in self.api(name).headers.items():
            if self.release in range_:
                return header
        raise KernelFactsError(f"no header known for '{name}' on Linux {self.series}")

    def has_header(self, header: str) -> bool:
        """Whether this series has the header; one that the table lacks is not had."""
        range_ = self.header_table.get(header)
        return range_ is not None and self.release in range_

    def members(self, name: str) -> dict[str, str]:
        """The known members of a struct on this series, as declarations by name."""
        found = self.api(name).members
        return {member.name: member.text for member in found if self.release in member.range}

    def __iter__(self) -> Iterator[Api]:
        """The interfaces that this series has."""
        return (api for api in self.table.values() if self.release in api.range)


@dataclass(frozen=True)
class Kernels:
    """All supported series, oldest first."""

    all: tuple[Kernel, ...]
    default: Kernel

    @property
    def series(self) -> tuple[str, ...]:
        """The supported series as text."""
        return tuple(kernel.series for kernel in self.all)

    def get(self, series: str) -> Kernel:
        """The kernel of a series.

        Raises:
            KernelFactsError: it is not a supported one; the message names those that are.
        """
        for kernel in self.all:
            if kernel.series == series:
                return kernel
        known = f"known are {', '.join(self.series)}"
        hint = did_you_mean(series, self.series)
        raise KernelFactsError(_sentence(f"no facts about Linux {series}; {known}", hint))


def _sentence(text: str, hint: str | None) -> str:
    return f"{text}; {hint}" if hint else text
