# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes that only another kernel shows: what is too new for the target, or gone from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants import roles
from tests.mutants.operators import Family, add, operator
from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.mutants.text import Driver, Text

PORTABILITY = Family.PORTABILITY
NEW = {"mainline": "its target has this"}
OLD = dict.fromkeys(("ours", "mainline-6.1"), "its target has this")


def _last_include(file: Text) -> int:
    """The offset behind the last of the kernel's headers."""
    lines = re.finditer(r"^#include <linux/.*>$", file.text, re.MULTILINE)
    return [match.end() for match in lines][-1]


def _include(header: str) -> Callable[[Driver], list[Change]]:
    """Another include behind the last one of each file."""

    def find(driver: Driver) -> list[Change]:
        found = []
        for file in driver.units:
            last = _last_include(file)
            found.append(Change(file.path, last, last, f"\n#include <{header}>", file.path.name))
        return found

    return find


for _header, _absent in (
    ("linux/device-id/pci.h", NEW),
    ("linux/sprintf.h", NEW),
):
    add(f"include-{_header.split('/', 1)[1].removesuffix('.h').replace('/', '-')}", PORTABILITY,
        "PORT203", "The target has no such header.", _include(_header), absent=_absent,
        breaks="no such header")  # fmt: skip


@operator("map-by-name", PORTABILITY, "PORT201", absent=NEW, breaks="6.1: no such function")
def _map_by_name(driver: Driver) -> Iterable[Change]:
    """Mapping a BAR by name came after this kernel."""
    for call in driver.calls("pcim_iomap"):
        yield call.replace(f'pcim_iomap_region({call.arguments[0]}, 0, "registers")')


@operator("guard", PORTABILITY, "PORT201 PORT203", absent=NEW, breaks="6.1.0: no such macro")
def _guard(driver: Driver) -> Iterable[Change]:
    """Scoped locks came after this kernel."""
    kind = "mutex" if driver.calls("mutex_lock") else "spinlock"
    for first, last in roles.sections(driver):
        if not str(first).startswith("rcu"):
            inner = first.file.text[first.end : last.start].rstrip()
            name = roles.lock_name(driver)
            yield Change(first.file.path, first.start, last.end,
                         f"guard({kind})({name});{inner}", first.function)  # fmt: skip


add("kzalloc-obj", PORTABILITY, "PORT201", "Typed allocation came after this kernel.",
    lambda driver: [
        call.replace("kzalloc_obj(*pi)") for call in driver.calls("devm_k[zm]alloc")
    ], absent=NEW, breaks="6.1: no such macro")  # fmt: skip
add("ioremap-nocache", PORTABILITY, "PORT201", "Gone since 5.6.",
    lambda driver: [
        call.replace("devm_ioremap_nocache(dev, res->start, resource_size(res))")
        for call in driver.calls("devm_ioremap_resource")
    ], breaks="no such function")  # fmt: skip
add("panic-list-from-kernel-h", PORTABILITY, "PORT201 PORT203 PORT206",
    "The panic list was declared elsewhere, once.",
    lambda driver: [
        Change(file.path, match.start(), match.end(), "#include <linux/kernel.h>")
        for file in driver.units
        for match in re.finditer(r"^#include <linux/panic_notifier.h>$", file.text, re.MULTILINE)
    ], breaks="not declared", elsewhere="the finding stands where the name is used")  # fmt: skip


def _remove(body: str, kind: str) -> Callable[[Driver], list[Change]]:
    """A platform driver with a remove callback of a type."""

    def find(driver: Driver) -> list[Change]:
        found = []
        for table in roles.objects(driver, "platform_driver"):
            around = table.up("declaration")
            name = roles.name_of(table)
            if around is not None:
                text = str(around).replace("{\n", f"{{\n\t.remove = {name}_remove,\n", 1)
                function = (f"static {kind} {name}_remove(struct platform_device *pdev)\n"
                            f"{{\n{body}}}\n\n")  # fmt: skip
                found.append(Change(table.file.path, around.start, around.end, function + text))
        return found

    return find


add("remove-returns-void", PORTABILITY, "PORT202", "The callback's type is a later kernel's.",
    _remove('\tdev_info(&pdev->dev, "gone\\n");\n', "void"), absent=NEW,
    breaks="6.1: another type")  # fmt: skip
add("remove-returns-int", PORTABILITY, "PORT202", "The callback's type is an earlier kernel's.",
    _remove("\treturn 0;\n", "int"), absent=OLD, breaks="7.3: another type")  # fmt: skip


@operator("remove-new", PORTABILITY, "PORT201 PORT202", absent=OLD, breaks="7.3: no such member")
def _remove_new(driver: Driver) -> Iterable[Change]:
    """The member existed for a few releases only."""
    for change in _remove('\tdev_info(&pdev->dev, "gone\\n");\n', "void")(driver):
        text = change.text.replace(".remove =", ".remove_new =")
        yield Change(change.file, change.start, change.end, text)


add("own-vendor-macro", PORTABILITY, "PORT204 PORT207",
    "The kernel's own header has it; two definitions clash once one changes.",
    lambda driver: [
        Change(file.path, match.start(), match.start(),
               "#define PCI_VENDOR_ID_REDHAT\t\t0x1b36\n")
        for file in driver.units
        for match in re.finditer(r"^#define PCI_DEVICE_ID_\w+", file.text, re.MULTILINE)
    ], absent={"mainline-6.1": "has it"})  # fmt: skip


@operator("version-code", PORTABILITY, "PORT205")
def _version(driver: Driver) -> Iterable[Change]:
    """A driver in the tree is for the tree's kernel only."""
    for file in driver.units:
        last = _last_include(file)
        text = (
            "\n#include <linux/version.h>\n\n#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)\n"
            "#define sysfs_emit sprintf\n#endif"
        )
        yield Change(file.path, last, last, text, file.path.name)


def _needed(driver: Driver, header: str) -> list[Change]:
    """The line that includes a header."""
    pattern = re.compile(rf"^#include <{re.escape(header)}>\n", re.MULTILINE)
    return [
        Change(file.path, match.start(), match.end(), "", file.path.name)
        for file in driver.units
        for match in pattern.finditer(file.text)
    ]


UNUSED = {
    "mainline[-.0-9]*:drop-include-(?:kexec/.*mmio|platform-device/pvpanic)[.]c": "the file uses "
    "nothing that this header declares",
}

# Headers that nothing else brings in: without them the file does not compile.
for _header in ("linux/kexec.h", "linux/panic_notifier.h", "linux/reboot.h", "linux/pci.h",
                "linux/platform_device.h"):  # fmt: skip
    add(f"drop-include-{_header[6:-2].replace('_', '-')}", PORTABILITY, "PORT206 PORT203 PORT201",
        "What the header declares is not declared.",
        lambda driver, header=_header: _needed(driver, header),  # type: ignore[misc]
        breaks="not declared",
        absent={"mainline-6.1": "does not include it"} if "reboot" in _header else {},
        equivalent=UNUSED, elsewhere="the finding stands where the name is used")  # fmt: skip
