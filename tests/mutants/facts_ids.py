# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about identities: ids, names, resources, hooks, and what Kconfig and Makefile say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.tree import Role
from tests.mutants import roles
from tests.mutants.operators import Family, add, argument, callee, operator
from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Driver, Text

FACTS = Family.FACTS


def _in_text(file: Text, pattern: str, to: str, note: str = "") -> Iterable[Change]:
    """Each match of a pattern in a file; the note is the first group."""
    for match in re.finditer(pattern, file.text, re.MULTILINE):
        text = match.expand(to)
        label = note or (match[1] if match.lastindex else "")
        yield Change(file.path, match.start(), match.end(), text, label)


@operator("pci-device-id", FACTS, "SPEC011", elsewhere="the macro may be defined outside the table")
def _pci_device_id(driver: Driver) -> Iterable[Change]:
    """The driver does not bind to its device, and may bind to another."""
    for file in driver.units:
        yield from _in_text(file, r"(#define PCI_DEVICE_ID_\w+\s+)0x(\w+)11\b", r"\g<1>0x\g<2>12",
                            "off-by-one")  # fmt: skip
        yield from _in_text(file, r"(#define PCI_DEVICE_ID_\w+\s+)0x(\w+)", r"\g<1>\g<2>",
                            "octal")  # fmt: skip


@operator("pci-vendor-id", FACTS, "SPEC011")
def _pci_vendor(driver: Driver) -> Iterable[Change]:
    """Another vendor's device of this number gets the driver."""
    for file in driver.units:
        yield from _in_text(file, r"PCI_DEVICE\(PCI_VENDOR_ID_\w+",
                            "PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET", "other")  # fmt: skip
        yield from _in_text(file, r"PCI_DEVICE\(PCI_VENDOR_ID_\w+", "PCI_DEVICE(PCI_ANY_ID",
                            "any")  # fmt: skip


@operator("pci-ids-swapped", FACTS, "SPEC011")
def _pci_swapped(driver: Driver) -> Iterable[Change]:
    """Vendor and device in the wrong order."""
    for file in driver.units:
        yield from _in_text(file, r"PCI_DEVICE\((PCI_VENDOR\w+), (\w+)\)", r"PCI_DEVICE(\2, \1)",
                            "swapped")  # fmt: skip


@operator("pci-subsystem-id", FACTS, "SPEC011")
def _pci_sub(driver: Driver) -> Iterable[Change]:
    """Other hosts give the device other subsystem ids."""
    for file in driver.units:
        yield from _in_text(file, r"PCI_DEVICE\((PCI_VENDOR\w+), (\w+)\)",
                            r"PCI_DEVICE_SUB(\1, \2, 0x1af4, 0x1100)", "sub")  # fmt: skip


add("wrong-bar", FACTS, "SPEC014", "There is nothing behind another BAR.",
    argument("pcim?_iomap", 1, "1"))  # fmt: skip


@operator("acpi-id", FACTS, "SPEC012")
def _acpi(driver: Driver) -> Iterable[Change]:
    """Firmware names another device, so the driver is never loaded."""
    for table in roles.objects(driver, "acpi_device_id"):
        match = re.search(r'"(\w+?)(\w)"', str(table))
        if match:
            at = table.start + match.start()
            old = match[0]
            for new, note in (('"' + match[1] + '2"', "other"), (old.lower(), "lower-case")):
                yield Change(table.file.path, at, at + len(old), new, note)


@operator("of-compatible", FACTS, "SPEC013")
def _of(driver: Driver) -> Iterable[Change]:
    """Device trees name another device."""
    for table in roles.objects(driver, "of_device_id"):
        match = re.search(r'"(\w+),([-\w]+)"', str(table))
        if match:
            at, end = table.start + match.start(), table.start + match.end()
            yield Change(table.file.path, at, end, f'"{match[1]}-{match[2]}"', "dash")
            yield Change(table.file.path, at, end, f'"{match[2]}"', "no-vendor")


@operator("driver-name", FACTS, "SPEC021")
def _driver_name(driver: Driver) -> Iterable[Change]:
    """The directory below /sys/bus has another name; scripts that bind and unbind fail."""
    for pair in roles.setting(driver, "name"):
        name = roles.value(pair)
        yield name.replace(str(name).replace("-", "_"), str(name).strip('"'))


add("io-and-memory-swapped", FACTS, "SPEC015",
    "Ports are mapped as memory and memory as ports.",
    lambda driver: [
        place.replace({"IORESOURCE_IO": "IORESOURCE_MEM", "IORESOURCE_MEM": "IORESOURCE_IO"}[
            str(place)], "swapped")
        for place in driver.nodes("identifier")
        if str(place) in {"IORESOURCE_IO", "IORESOURCE_MEM"}
        and place.up("binary_expression") is not None
    ] or _first_case(driver))  # fmt: skip


def _first_case(driver: Driver) -> list[Change]:
    """Both labels of a switch, exchanged."""
    for place in driver.nodes("switch_statement"):
        text = str(place)
        if "IORESOURCE_IO" in text:
            swapped = text.replace("IORESOURCE_IO", "@").replace("IORESOURCE_MEM", "IORESOURCE_IO")
            return [place.replace(swapped.replace("@", "IORESOURCE_MEM"), "swapped")]
    return []


@operator("one-kind-of-resource", FACTS, "SPEC015 RUN307")
def _one_kind(driver: Driver) -> Iterable[Change]:
    """The driver binds only where firmware describes memory, or only where it describes a port."""
    for call in driver.calls("platform_get_mem_or_io"):
        for kind in ("MEM", "IO"):
            arguments = ", ".join(
                [str(call.arguments[0]), f"IORESOURCE_{kind}", str(call.arguments[1])]
            )
            yield call.replace(f"platform_get_resource({arguments})", kind.lower())


add("second-resource", FACTS, "SPEC015 RUN307", "The device has one resource, the first.",
    argument("platform_get_mem_or_io", 1, "1"))  # fmt: skip


@operator("notifier-priority", FACTS, "SPEC025")
def _priority(driver: Driver) -> Iterable[Change]:
    """The notifier runs late, and an earlier one may never return."""
    for pair in roles.setting(driver, "priority"):
        for number in ("1", "INT_MIN", "-1"):
            yield roles.value(pair).replace(number, number)
        yield pair.drop_lines("none")


add("sys-off-mode", FACTS, "SPEC027", "The event is sent on another occasion.",
    lambda driver: [
        change for mode in ("RESTART", "POWER_OFF_PREPARE")
        for change in argument("register_sys_off_handler", 0, f"SYS_OFF_MODE_{mode}", mode)(driver)
    ], absent={"mainline-6.1": "has no power-off event"})  # fmt: skip
add("sys-off-priority", FACTS, "SPEC027",
    "The handler runs before the firmware's, or its registration fails.",
    lambda driver: [
        change for level in ("DEFAULT", "HIGH", "FIRMWARE")
        for change in argument("register_sys_off_handler", 1, f"SYS_OFF_PRIO_{level}", level)(
            driver)
    ], absent={"mainline-6.1": "has no power-off event"})  # fmt: skip


ANCHOR = "what is not there has no place: the finding stands at the file's start"


@operator("kconfig-symbol", FACTS, "SPEC022", elsewhere=ANCHOR)
def _symbol(driver: Driver) -> Iterable[Change]:
    """Distributions' configurations name an option that does not exist, and the driver is gone."""
    for file in driver.of(Role.KCONFIG):
        yield from _in_text(file, r"^config (\w+)$", r"config \1_DRIVER")


@operator("kconfig-type", FACTS, "SPEC022")
def _type(driver: Driver) -> Iterable[Change]:
    """Built in or not at all, or a module of an option that has no code."""
    for file in driver.of(Role.KCONFIG):
        yield from _in_text(file, r'^\ttristate ("[^"]*")', r"\tbool \1")
        yield from _in_text(file, r'^\tbool ("[^"]*")', r"\ttristate \1")


@operator("kconfig-depends", FACTS, "SPEC022")
def _depends(driver: Driver) -> Iterable[Change]:
    """The driver is offered where it cannot be built, or not where it could."""
    for file in driver.of(Role.KCONFIG):
        yield from _in_text(file, r"^\tdepends on (.*)\n", "", "dropped")
        yield from _in_text(file, r"^(\tdepends on .*) && \w+\n", r"\1\n", "one-dropped")
        yield from _in_text(file, r"^(\tdepends on \w+) && ", r"\1 || ", "or")
        yield from _in_text(file, r"\(ACPI \|\| OF\)", "(ACPI && OF)", "and")
        yield from _in_text(file, r"\(ACPI \|\| OF\)", "ACPI", "acpi")


@operator("kconfig-prompt", FACTS, "SPEC022")
def _prompt(driver: Driver) -> Iterable[Change]:
    """Nobody can choose an option that has no prompt."""
    for file in driver.of(Role.KCONFIG):
        yield from _in_text(file, r'^\t(bool|tristate) "[^"]*"', r"\t\1")


@operator("kconfig-help", FACTS, "SPEC022", elsewhere="the option's own line tells of it")
def _help(driver: Driver) -> Iterable[Change]:
    """Nobody who configures a kernel learns what the option is for."""
    for file in driver.of(Role.KCONFIG):
        yield from _in_text(file, r"^\thelp\n(?:(?:\t  .*)?\n)+?(?=\n?config|\Z)", "", "help")


@operator("makefile-option", FACTS, "SPEC023")
def _make_option(driver: Driver) -> Iterable[Change]:
    """The module is built under another option, under a misspelt one, or always."""
    for file in driver.of(Role.MAKEFILE):
        line = r"^obj-\$\(CONFIG_(\w+)\)"
        yield from _in_text(file, line, r"obj-$(\1)")
        yield from _in_text(file, line, "obj-y")
        yield from _in_text(file, line, r"obj-$(CONFIG_\1S)")


@operator("makefile-object", FACTS, "SPEC023", elsewhere=ANCHOR)
def _make_object(driver: Driver) -> Iterable[Change]:
    """A module is not built."""
    for file in driver.of(Role.MAKEFILE):
        yield from _in_text(file, r"^(obj-.*=.*) [-\w]+\.o$", r"\1", "last")
        yield from _in_text(file, r"^(obj-.*=) [-\w]+\.o", r"\1", "first")


add("other-mapping-kind", FACTS, "SPEC015", "A port is mapped as if it were memory.",
    callee("devm_ioport_map", "devm_ioremap"))  # fmt: skip
