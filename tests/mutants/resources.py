# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about lifetimes: what is acquired, published, registered, and undone again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants import roles
from tests.mutants.operators import Family, add, argument, callee, dropped, operator
from tests.mutants.text import Change, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Driver

RESOURCES = Family.RESOURCES
NOT_MANAGED = "KERN111 KERN112 KERN114 RUN304"
PAIR = "a pair of which one half is gone is told at the other half"
BACK = "use and setup stand in two functions; the finding may be in either"
STATIC = {"ours": "initialises its list and lock statically"}
MAINLINE = ("mainline", "mainline-6.1")
DYNAMIC = dict.fromkeys(MAINLINE, "initialises its list and lock at run time")
NO_POWER_OFF = {"mainline-6.1": "has no power-off event"}

add("enable-unmanaged", RESOURCES, NOT_MANAGED, "The device stays enabled after unbinding.",
    callee("pcim_enable_device", "pci_enable_device"))  # fmt: skip
add("map-unmanaged", RESOURCES, NOT_MANAGED, "The mapping stays for ever.",
    callee("pcim_iomap", "pci_iomap"))  # fmt: skip
add("allocate-unmanaged", RESOURCES, NOT_MANAGED, "The instance is leaked at each unbinding.",
    lambda driver: [
        call.replace(f"kzalloc({call.arguments[1]}, {call.arguments[2]})", call.function)
        for call in driver.calls("devm_k[zm]alloc")
    ])  # fmt: skip
add("ioport-map-unmanaged", RESOURCES, NOT_MANAGED, "The mapping stays for ever.",
    lambda driver: [
        call.replace(f"ioport_map({call.arguments[1]}, {call.arguments[2]})", call.function)
        for call in driver.calls("devm_ioport_map")
    ])  # fmt: skip
add("ioremap-unmanaged", RESOURCES, f"{NOT_MANAGED} KERN117", "The mapping stays for ever.",
    lambda driver: [
        call.replace("ioremap(res->start, resource_size(res))", call.function)
        for call in driver.calls("devm_ioremap_resource")
    ])  # fmt: skip
add("action-without-reset", RESOURCES, "KERN111 KERN118 KERN112 RUN304 RUN306 RUN307",
    "If the action cannot be added, the device stays on the list and is freed.",
    callee("devm_add_action_or_reset", "devm_add_action"))  # fmt: skip
add("action-not-added", RESOURCES, "KERN112 KERN111 RUN304 RUN306",
    "The device is freed while on the list.",
    lambda driver: [
        place.replace("return 0;", place.function)
        for place in driver.nodes("return_statement")
        if "devm_add_action" in str(place)
    ], elsewhere=PAIR)  # fmt: skip
add("action-with-wrong-data", RESOURCES, "KERN112 KERN123 KERN147 RUN306",
    "The action undoes what somebody else set up.",
    argument("devm_add_action_or_reset", 2, "dev"), elsewhere=BACK)  # fmt: skip
add("drop-driver-data", RESOURCES, "KERN123 RUN306", "The attributes dereference a null pointer.",
    dropped("dev_set_drvdata"), elsewhere=BACK)  # fmt: skip
add("wrong-driver-data", RESOURCES, "KERN123 KERN147 RUN306", "The attributes read something else.",
    argument("dev_set_drvdata", 1, "dev"), elsewhere=BACK)  # fmt: skip
add("driver-data-on-stack", RESOURCES, "KERN147 KERN156",
    "The attributes read what other functions have left on the stack.",
    argument("dev_set_drvdata", 1, "&pi"))  # fmt: skip
add("drop-list-add", RESOURCES, "KERN112 RUN301", "The device is bound and never told.",
    dropped(r"list_add(_tail)?(_rcu)?"), elsewhere=PAIR)  # fmt: skip
add("drop-list-del", RESOURCES, "KERN111 KERN112 KERN113 RUN304 RUN306",
    "The device is freed while on the list.",
    dropped(r"list_del(_rcu|_init)?"), elsewhere=PAIR)  # fmt: skip
add("swap-list-add", RESOURCES, "KERN112 KERN131 RUN301 RUN306",
    "The head is added to the entry: all devices before are lost.",
    lambda driver: [
        call.replace(f"{call.field('function')}({call.arguments[1]}, {call.arguments[0]})")
        for call in driver.calls(r"list_add(_tail)?(_rcu)?")
    ])  # fmt: skip
add("drop-notifier-unregister", RESOURCES, "KERN112 RUN304 RUN308",
    "After unloading, a panic calls into freed memory.",
    dropped("atomic_notifier_chain_unregister"), elsewhere=PAIR)  # fmt: skip
add("drop-notifier-register", RESOURCES, "KERN112 SPEC025 RUN301", "No panic is told to anybody.",
    lambda driver: [
        call.statement.replace("return 0;") if str(call.statement).startswith("return")
        else call.statement.drop_lines()
        for call in driver.calls("atomic_notifier_chain_register")
    ], elsewhere=PAIR)  # fmt: skip
add("drop-handler-unregister", RESOURCES, "KERN112 RUN304 RUN308",
    "The handler stays: the kernel calls into freed memory, or believes it can power off.",
    dropped("unregister_sys_off_handler"), elsewhere=PAIR, absent=NO_POWER_OFF)  # fmt: skip
add("handler-not-cleared", RESOURCES, "KERN114 RUN306 RUN308",
    "The next update unregisters a handler that is gone.",
    lambda driver: [
        place.statement.drop(place.function)
        for place in driver.nodes("assignment_expression")
        if place.function == roles.updater(driver) and re.search(r"= NULL$", str(place))
    ], absent=NO_POWER_OFF, elsewhere=PAIR)  # fmt: skip


@operator(
    "failed-handler-kept",
    RESOURCES,
    "KERN116 KERN117 KERN118 RUN306 RUN308",
    absent=NO_POWER_OFF,
    elsewhere=PAIR,
)
def _failed_handler(driver: Driver) -> Iterable[Change]:
    """An error pointer is kept as the handler and unregistered later."""
    for place in driver.nodes("else_clause"):
        around = place.up("if_statement")
        if around is not None and "IS_ERR" in str(around.field("condition")):
            yield Change(place.file.path, place.start, place.end,
                         str(place).removeprefix("else").strip())  # fmt: skip


@operator("free-before-unregister", RESOURCES, "KERN113 KERN114 RUN306")
def _free_first(driver: Driver) -> Iterable[Change]:
    """A panic uses the freed instance; devres then frees it again."""
    first = roles.body_start(driver, roles.detach(driver))
    yield first.before("kfree(pi);", "first")
    last = roles.statements(driver.functions()[roles.detach(driver)])[-1]
    yield last.after("kfree(pi);", "last")


@operator("unmap-too-early", RESOURCES, "KERN113 KERN114 RUN306")
def _unmap(driver: Driver) -> Iterable[Change]:
    """A panic writes to what is not mapped any more."""
    first = roles.body_start(driver, roles.detach(driver))
    yield first.before("iounmap(pi->base);", "first")
    last = roles.statements(driver.functions()[roles.detach(driver)])[-1]
    yield last.after("iounmap(pi->base);", "last")


@operator("free-managed-on-error", RESOURCES, "KERN114 KERN113 RUN306")
def _free_managed(driver: Driver) -> Iterable[Change]:
    """Devres disables the device once more."""
    for probe in roles.probes(driver):
        for place in driver.nodes("return_statement"):
            if (
                place.function == probe
                and str(place) == "return -ENOMEM;"
                and driver.calls("pcim_enable_device", probe)
            ):
                yield place.replace("{\n\t\tpci_disable_device(pdev);\n\t\treturn -ENOMEM;\n\t}")


def _assigned(driver: Driver, pattern: str) -> list[Place]:
    """The assignments to members of the instance, in the function that sets it up."""
    return [
        place.statement
        for place in driver.nodes("assignment_expression")
        if place.function == roles.attach(driver) and re.match(rf"\w+->(?:{pattern})\b", str(place))
    ]


@operator("publish-before-init", RESOURCES, "KERN115 RUN306")
def _publish(driver: Driver) -> Iterable[Change]:
    """A panic between the two finds a device without registers or masks."""
    first, last = next(
        pair for pair in roles.sections(driver) if pair[0].function == roles.attach(driver)
    )
    start, end = roles.region(first, last)
    text = first.file.text
    section = text[start:end]
    for pattern in ("base", "capability", "events"):
        place = _assigned(driver, pattern)[0]
        before = place.file.line_range(place.start, place.end)[0]
        between = text[before:start]
        yield Change(first.file.path, before, end, section + between, pattern)


@operator("action-before-publishing", RESOURCES, "KERN115 KERN112 RUN306")
def _action_first(driver: Driver) -> Iterable[Change]:
    """If adding the action fails, it unlinks what was never linked."""
    first, last = next(
        pair for pair in roles.sections(driver) if pair[0].function == roles.attach(driver)
    )
    call = driver.calls("devm_add_action_or_reset")[0]
    text = first.file.text
    start = first.file.line_range(first.start, first.end)[0]
    between = text[start : call.statement.start].rstrip()
    yield Change(first.file.path, start, call.statement.end,
                 f"\tif ({call})\n\t\treturn -ENOMEM;\n\n{between}\n\n\treturn 0;")  # fmt: skip
    assert last.end > first.start


@operator(
    "drop-init-of-member",
    RESOURCES,
    "KERN131 KERN115 KERN148 SPEC007 SPEC008 RUN301 RUN302 RUN303 RUN306",
    elsewhere=BACK,
)
def _member(driver: Driver) -> Iterable[Change]:
    """A member that others read is 0, or whatever stood in memory."""
    for place in _assigned(driver, "base|capability|events|sys_off|dev"):
        if "&=" not in str(place):
            name = re.findall(r"->(\w+)", str(place))[0]
            yield place.drop_lines(name)


add("kmalloc-for-kzalloc", RESOURCES, "KERN131 RUN306 RUN309",
    "Members start as whatever stood in memory.",
    callee("devm_kzalloc", "devm_kmalloc"),
    absent=dict.fromkeys(MAINLINE, "does not clear the instance"),
    equivalent={"ours:.*": "every member is set before the instance is published: nothing reads "
                "what zeroing did"})  # fmt: skip
add("list-never-initialised", RESOURCES, "KERN131 RUN306 RUN309",
    "The first walk follows a null pointer.",
    dropped("INIT_LIST_HEAD"), absent=STATIC, elsewhere=BACK)  # fmt: skip
add("lock-never-initialised", RESOURCES, "KERN131 RUN306 RUN309",
    "Debug kernels complain; RT kernels crash.",
    dropped("spin_lock_init"), absent=STATIC, elsewhere=BACK)  # fmt: skip
add("list-defined-bare", RESOURCES, "KERN131 RUN306 RUN309",
    "The first walk follows a null pointer.",
    lambda driver: [
        Change(file.path, match.start(), match.end(), f"struct list_head {match[1]};")
        for file in driver.units
        for match in re.finditer(r"\bLIST_HEAD\((\w+)\);", file.text)
    ], absent=DYNAMIC, elsewhere=BACK)  # fmt: skip
add("lock-defined-bare", RESOURCES, "KERN131 RUN306 RUN309", "The mutex has no wait list.",
    lambda driver: [
        Change(file.path, match.start(), match.end(), f"struct mutex {match[1]};")
        for file in driver.units
        for match in re.finditer(r"\bDEFINE_MUTEX\((\w+)\);", file.text)
    ], absent=DYNAMIC, elsewhere=BACK)  # fmt: skip


@operator("register-before-init", RESOURCES, "KERN115 KERN131 RUN306 RUN309", absent=STATIC)
def _register_first(driver: Driver) -> Iterable[Change]:
    """A panic right after the registration walks a list that does not exist yet."""
    for call in driver.calls("atomic_notifier_chain_register"):
        first = roles.body_start(driver, call.function)
        text = call.file.text[first.start : call.statement.start].rstrip()
        yield Change(call.file.path, first.start, call.statement.end,
                     f"{call.statement}\n\n\t{text}")  # fmt: skip


add("iomem-dereferenced", RESOURCES, "KERN125 RUN302",
    "A port is no memory, and the compiler may read once, twice or never.",
    lambda driver: [
        *[call.replace(f"*(volatile u8 *){call.arguments[0]}", "read")
          for call in driver.calls(roles.READ)],
        *[call.replace(f"*(volatile u8 *){call.arguments[1]} = {call.arguments[0]}", "write")
          for call in driver.calls(roles.WRITE)],
    ])  # fmt: skip
add("memory-accessor", RESOURCES, "KERN125 RUN302", "A port that was mapped is accessed as memory.",
    lambda driver: [*callee("ioread8", "readb")(driver), *callee("iowrite8", "writeb")(driver)]
    )  # fmt: skip
add("iomem-lost", RESOURCES, "KERN124", "Nothing warns any more when registers are dereferenced.",
    lambda driver: [
        Change(file.path, match.start(), match.end(), "", _around(file.path.name, number))
        for file in driver.files if file.path.suffix in {".c", ".h"}
        for number, match in enumerate(re.finditer(r"(?<=void) __iomem\b", file.text), 1)
    ])  # fmt: skip


def _around(name: str, number: int) -> str:
    return f"{name}-{number}"
