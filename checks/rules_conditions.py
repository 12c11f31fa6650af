# SPDX-License-Identifier: GPL-2.0-or-later
"""Code that only some configurations have, and which of it a driver cannot do without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from checks.match import driver_type
from checks.rule import Found, NotApplicable, check
from checks.tree import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import Object
    from checks.rule import Context, Word
    from gen.source import Source, Span

# What tables of a bus stand under by custom: without the bus nobody reads them.
BUSES = frozenset({"ACPI", "OF", "PCI", "PM", "PM_SLEEP", "HIBERNATION", "SYSFS", "MODULES"})
TABLES = frozenset({"struct acpi_device_id", "struct of_device_id", "struct pci_device_id"})
USES = ("acpi_match_table", "of_match_table", "id_table", "ids", "probe", "remove", "ops")
_CONDITION = re.compile(
    r"^\s*#\s*(?:ifdef\s+CONFIG_(?P<plain>\w+)|if\s+defined\s*(?:\(\s*)?CONFIG_(?P<defined>\w+))"
    r"\s*(?:\)\s*)?(?:/\*.*)?$"
)
_OTHER = re.compile(r"^[ \t]*#\s*(if|ifdef|ifndef|elif|else|endif)\b")
_DEPENDS = re.compile(
    r"^[ \t]*(?:depends on|select|imply|if|config|menuconfig)\b(.*)$", re.MULTILINE
)


class Region(NamedTuple):
    """The lines that only a configuration with an option has."""

    option: str
    source: Source
    first: int
    last: int

    def has(self, span: Span) -> bool:
        """Whether a place lies in it."""
        return span.source is self.source and self.first <= span.line <= self.last


def regions(source: Source) -> Iterator[Region]:
    """The regions under one option that have no other branch."""
    work: list[tuple[str | None, int]] = []
    for number, line in enumerate(source.lines, 1):
        other, asked = _OTHER.match(line), _CONDITION.match(line)
        if asked:
            work.append((asked["plain"] or asked["defined"], number))
        elif other and other[1] in {"if", "ifdef", "ifndef"}:
            work.append((None, number))
        elif other and other[1] in {"else", "elif"} and work:
            work[-1] = (None, number)
        elif other and other[1] == "endif" and work:
            option, first = work.pop()
            if option is not None:
                yield Region(option, source, first, number)


@check("KERN161")
def check_conditions(context: Context) -> Iterator[Word]:
    """What binds a driver to its devices is there whenever the driver is built."""
    kconfig = context.facts.tree.of(Role.KCONFIG)
    if not kconfig:
        yield NotApplicable("no Kconfig given")
        return
    named = {
        name
        for file in kconfig
        for line in _DEPENDS.findall(file.source.text)
        for name in re.findall(r"\w+", line)
    }
    for file in context.facts.tree.of(Role.UNIT):
        for region in regions(file.source):
            if region.option in named | BUSES:
                continue
            for span, what in _needed(context):
                if region.has(span):
                    message = (
                        f"{what} is only there with CONFIG_{region.option}, "
                        "which the driver's option does not depend on"
                    )
                    yield Found(message, span)


def _needed(context: Context) -> Iterator[tuple[Span, str]]:
    """The tables of ids, and the members that a driver structure binds devices by."""
    drivers = {driver_type(item) for item in context.device.frontends}
    for unit in context.facts.units:
        for item in unit.objects:
            if item.type in TABLES:
                yield item.span, f"'{item.name}'"
            elif item.type in drivers:
                yield from _members(item)


def _members(item: Object) -> Iterator[tuple[Span, str]]:
    for name, value in item.fields.items():
        if name.rsplit(".", 1)[-1] in USES:
            yield value.span, f".{name} of '{item.name}'"
