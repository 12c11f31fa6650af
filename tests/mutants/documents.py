# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes in the documents beside a driver: of its attributes, and of its device tree nodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.tree import Role
from tests.mutants.operators import Family, operator
from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutants.text import Driver

TABLES = Family.TABLES
ENTRY = "an entry is told at its paths or its description"
PROSE = dict.fromkeys(("mainline", "mainline-6.1"), "its binding is prose")
TERSE = dict.fromkeys(("mainline", "mainline-6.1"), "its document does not tell")


def _in(driver: Driver, role: Role, pattern: str, to: str) -> Iterator[Change]:
    """Each match of a pattern in the documents of a role."""
    for file in driver.of(role):
        for match in re.finditer(pattern, file.text, re.MULTILINE):
            yield Change(file.path, match.start(), match.end(), match.expand(to))


@operator("abi-path", TABLES, "SPEC024", elsewhere=ENTRY)
def _path(driver: Driver) -> Iterable[Change]:
    """Who follows the document opens a file that is not there."""
    yield from _in(driver, Role.ABI, r"^(What:.*/\w+)s?$", r"\1_mask")


@operator("abi-driver", TABLES, "SPEC024", elsewhere=ENTRY, absent=TERSE)
def _driver(driver: Driver) -> Iterable[Change]:
    """The path goes through a driver that there is not."""
    yield from _in(driver, Role.ABI, r"(?<=/drivers/)(\w+)-(\w+)", r"\1_\2")


@operator("abi-format", TABLES, "SPEC024", elsewhere=ENTRY)
def _format(driver: Driver) -> Iterable[Change]:
    """Programs parse another number than is shown."""
    yield from _in(driver, Role.ABI, r"%x", "%u")


@operator("abi-access", TABLES, "SPEC024", elsewhere=ENTRY)
def _access(driver: Driver) -> Iterable[Change]:
    """The document promises that a file can be written, or hides that it can."""
    yield from _in(driver, Role.ABI, r"\b(RO|[Rr]ead-only)\b", "Read-write")
    yield from _in(driver, Role.ABI, r"\b(RW|[Rr]ead-write)\b", "Read-only")


@operator("abi-field", TABLES, "SPEC024", elsewhere=ENTRY)
def _field(driver: Driver) -> Iterable[Change]:
    """Nobody knows whom to ask, or since when it is there."""
    yield from _in(driver, Role.ABI, r"^(?:Contact|Date):.*\n", "")


@operator("abi-mask", TABLES, "SPEC024", elsewhere=ENTRY, absent=TERSE)
def _mask(driver: Driver) -> Iterable[Change]:
    """Programs look for an event at another bit."""
    yield from _in(driver, Role.ABI, r"\b0x([124])\b", r"0x\g<1>0")


@operator("abi-error", TABLES, "SPEC024", elsewhere=ENTRY, absent=TERSE)
def _error(driver: Driver) -> Iterable[Change]:
    """Programs wait for an error that never comes."""
    yield from _in(driver, Role.ABI, r"\bEINVAL\b", "EPERM")


@operator("binding-compatible", TABLES, "SPEC029")
def _compatible(driver: Driver) -> Iterable[Change]:
    """Firmware that follows the binding describes a device that has no driver."""
    pattern = r'(?:(?<=const: )|(?<=compatible: "))qemu,pvpanic-mmio'
    yield from _in(driver, Role.BINDING, pattern, "qemu,pvpanic")


@operator("binding-requires", TABLES, "SPEC029", absent=PROSE,
    elsewhere="what is not there has no place")  # fmt: skip
def _required(driver: Driver) -> Iterable[Change]:
    """A node without registers passes for one, or any node needs what nobody describes."""
    yield from _in(driver, Role.BINDING, r"^  - reg\n", "")
    yield from _in(driver, Role.BINDING, r"^  - reg\n", "  - reg\n  - interrupts\n")


@operator("binding-regions", TABLES, "SPEC029", absent=PROSE)
def _regions(driver: Driver) -> Iterable[Change]:
    """A node has a region that no driver maps."""
    yield from _in(driver, Role.BINDING, r"(?<=maxItems: )1", "2")


@operator("binding-example", TABLES, "SPEC029", absent=PROSE)
def _example(driver: Driver) -> Iterable[Change]:
    """Who copies the example gets a node that has no driver."""
    yield from _in(driver, Role.BINDING, r'(?<=compatible = ")qemu,pvpanic-mmio', "qemu,pvpanic")
