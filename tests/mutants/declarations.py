# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes in declarations: what disagrees, is const or is not, or is gone too early."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.tree import Role
from tests.mutants.operators import Family, operator
from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutants.text import Driver, Text

TABLES = Family.TABLES
LIFE = Family.RESOURCES


def _in(files: Iterable[Text], pattern: str, to: str) -> Iterator[Change]:
    """Each match of a pattern in some files; the note is the group called name."""
    for file in files:
        for match in re.finditer(pattern, file.text, re.MULTILINE):
            text = match.expand(to)
            yield Change(file.path, match.start(), match.end(), text, match["name"])


@operator("header-lost-const", TABLES, "KERN150",
    absent={"mainline-6.1": "declares no object in a header"})  # fmt: skip
def _lost_const(driver: Driver) -> Iterable[Change]:
    """Another file may change what is in read-only memory."""
    pattern = r"^extern const (?P<rest>struct \w+ \*?(?P<name>\w+))"
    yield from _in(driver.of(Role.HEADER), pattern, r"extern \g<rest>")


@operator("header-other-parameters", TABLES, "KERN150")
def _other_parameters(driver: Driver) -> Iterable[Change]:
    """Callers pass more than the function takes."""
    pattern = r"^(?P<head>int (?P<name>\w+)\(.*)\);$"
    yield from _in(driver.of(Role.HEADER), pattern, r"\g<head>, int index);")


@operator("table-not-const", TABLES, "KERN152")
def _not_const(driver: Driver) -> Iterable[Change]:
    """A table that any stray write changes."""
    pattern = r"^static const (?P<rest>struct (?:acpi|of|pci)_device_id (?P<name>\w+))"
    yield from _in(driver.units, pattern, r"static \g<rest>")


@operator("notifier-const", TABLES, "KERN153", elsewhere="the call that changes it tells of it",
    breaks="any kernel's, with -Werror")  # fmt: skip
def _notifier_const(driver: Driver) -> Iterable[Change]:
    """The kernel writes to read-only memory when it links the block in."""
    pattern = r"^static (?P<rest>struct notifier_block (?P<name>\w+))"
    yield from _in(driver.units, pattern, r"static const \g<rest>")


@operator("lost-static", TABLES, "KERN130")
def _lost_static(driver: Driver) -> Iterable[Change]:
    """Another driver built in may have a function of this name."""
    pattern = r"^static (?P<rest>(?:int|void) (?P<name>\w+)\()"
    yield from _in(driver.units, pattern, r"\g<rest>")


@operator("init-too-short", LIFE, "KERN151")
def _too_short(driver: Driver) -> Iterable[Change]:
    """What is used later is in memory that was given back."""
    probe = r"^static (?P<type>int )(?P<name>\w+_probe)\("
    yield from _in(driver.units, probe, r"static \g<type>__init \g<name>(")
    block = r"^(?P<head>static struct notifier_block (?P<name>\w+)) ="
    yield from _in(driver.units, block, r"\g<head> __initdata =")
    table = r"^(?P<head>static const struct \w+_device_id (?P<name>\w+)\[\]) ="
    yield from _in(driver.units, table, r"\g<head> __initconst =")
