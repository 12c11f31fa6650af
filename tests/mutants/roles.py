# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is who in a driver: functions and objects by what the kernel is told about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants.text import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutants.text import Driver

READ = r"ioread(?:8|16|32)|read[bwl]|in[bwl]"
WRITE = r"iowrite(?:8|16|32)|write[bwl]|out[bwl]"
LOCK = r"(?:mutex_lock|spin_lock(?:_irq|_irqsave|_bh)?|rcu_read_lock)"
UNLOCK = r"(?:mutex_unlock|spin_unlock(?:_irq|_irqrestore|_bh)?|rcu_read_unlock)"
TABLES = ("pci_device_id", "acpi_device_id", "of_device_id")


def setting(driver: Driver, member: str) -> list[Place]:
    """The initialisers of a member, such as `.probe = f`."""
    return [
        place
        for place in driver.nodes("initializer_pair")
        if str(place).startswith(f".{member}") and str(place.field("designator")) == f".{member}"
    ]


def value(pair: Place) -> Place:
    """The right side of an initialiser."""
    return pair.field("value")


def panic_callback(driver: Driver) -> str:
    """The function that a panic calls."""
    return str(value(setting(driver, "notifier_call")[0]))


def power_off_callback(driver: Driver) -> str | None:
    """The function that powering off calls, if there is one."""
    calls = driver.calls("(devm_)?register_sys_off_handler")
    return (
        str(next(a for a in calls[0].arguments if str(a) in driver.functions())) if calls else None
    )


def sender(driver: Driver) -> str:
    """The function that writes the register."""
    return driver.calls(WRITE)[0].function


def attach(driver: Driver) -> str:
    """The function that reads the register: what the frontends' probes share."""
    return driver.calls(READ)[0].function


def detach(driver: Driver) -> str:
    """The action that undoes `attach`."""
    call = driver.calls("devm_add_action(_or_reset)?")[0]
    return str(call.arguments[1])


def probes(driver: Driver) -> list[str]:
    """The frontends' probe functions."""
    return [str(value(pair)) for pair in setting(driver, "probe")]


def store(driver: Driver) -> str:
    """The function that writes an attribute."""
    return next(name for name in driver.functions() if name.endswith("_store"))


def shows(driver: Driver) -> list[str]:
    """The functions that read attributes."""
    return [name for name in driver.functions() if name.endswith("_show")]


def updater(driver: Driver) -> str | None:
    """The function that registers and unregisters the power-off handler."""
    calls = driver.calls("register_sys_off_handler")
    return calls[0].function if calls else None


def lock_name(driver: Driver) -> str:
    """The lock of the list, as locking calls name it."""
    call = driver.calls("mutex_lock|spin_lock")[0]
    return str(call.arguments[0])


def list_name(driver: Driver) -> str:
    """The list of devices, as adding to it names it."""
    return str(driver.calls("list_add(_tail)?(_rcu)?")[0].arguments[1])


def objects(driver: Driver, type_: str) -> Iterator[Place]:
    """The file-scope objects that have an initialiser and whose type matches."""
    for place in driver.nodes("init_declarator"):
        around = place.up("declaration")
        if around is None or around.node.parent is None or around.function:
            continue
        head = place.file.text[around.start : place.start]
        if re.search(rf"\b(?:{type_})\b", head):
            yield place


def name_of(declarator: Place) -> str:
    """The name of an object."""
    match = re.match(r"[*\s]*(\w+)", str(declarator))
    return match[1] if match else ""


def sections(driver: Driver) -> list[tuple[Place, Place]]:
    """Each taking of a lock and the release that follows it in the same block."""
    found = []
    for taken in driver.calls(LOCK):
        around = taken.statement
        parent = around.node.parent
        for release in driver.calls(UNLOCK, taken.function):
            other = release.statement
            if other.node.parent == parent and other.start > around.start:
                found.append((around, other))
                break
    return found


def statements(place: Place) -> list[Place]:
    """The statements and declarations of a function's body."""
    body = place.field("body")
    return [Place(place.file, node) for node in body.node.named_children]


def body_start(driver: Driver, function: str) -> Place:
    """The first statement of a function that is no declaration."""
    inside = statements(driver.functions()[function])
    return next(item for item in inside if item.node.type not in {"declaration", "comment"})


def region(first: Place, last: Place) -> tuple[int, int]:
    """The offsets of the whole lines from one statement to another."""
    start, _ = first.file.line_range(first.start, first.end)
    _, end = last.file.line_range(last.start, last.end)
    return start, end
