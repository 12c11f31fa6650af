# SPDX-License-Identifier: GPL-2.0-or-later
"""How the time to render and to check a driver grows with its device.

A register of the spec language has at most 32 bits, so a device with more events cannot be written
down. One is made here, for the checker alone: the rendered driver with masks of type unsigned long.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from checks.run import check_paths
from gen.frontend import PciFrontend, PlatformFrontend
from gen.generate import find_target, read_device
from gen.output import write
from gen.plan import Target, make_plan
from gen.render import render
from gen.resources import template_directory

if TYPE_CHECKING:
    from gen.frontend import Frontend
    from gen.kernel import Kernel
    from gen.model import Device

EVENTS = (1, 2, 4, 8, 16, 32, 64)
# The language's widest register. What goes beyond is made of the records and of the rendered C.
WIDEST = 32
WIDE = (
    ("unsigned int", "unsigned long"),
    ("ioread32", "readq"),
    ("iowrite32", "writeq"),
    ("kstrtouint", "kstrtoul"),
    ("%x", "%lx"),
)
FRONTENDS = (1, 2, 5, 10, 20)
TRIGGERS = ("panic", "crash-kernel", "power-off", "restart")


@dataclass(frozen=True)
class Point:
    """A device's size, and the processor's seconds to render and to check the driver for it."""

    events: int
    frontends: int
    lines: int
    functions: int
    render: float
    check: float
    status: int


def spec(events: int, frontends: int) -> dict[str, Any]:
    """A made-up device with so many events and frontends, of which every other is on PCI."""
    triggers = [*TRIGGERS, *["none"] * events][: min(events, WIDEST)]
    hooks: dict[str, Any] = {"panic-notifier": {"priority": "INT_MAX"}}
    if events > TRIGGERS.index("power-off"):
        hooks["sys-off"] = {"priority": "SYS_OFF_PRIO_LOW"}
    return {
        "spec": 1,
        "device": {
            "name": "grow", "title": "Grow", "summary": "A device of any size.",
            "license": "GPL-2.0-only", "module-license": "GPL",
            "author": "Nobody <nobody@grow.example>", "description": "grow driver",
        },
        "registers": [
            {"name": "event", "offset": 0, "width": 32, "access": "read-write",
             "read": "capability", "write": "event", "description": "Takes events."}
        ],
        "events": [
            {"name": f"happened_{bit}", "bit": bit, "trigger": trigger, "since": "6.0",
             "description": f"Number {bit} happened."}
            for bit, trigger in enumerate(triggers)
        ],
        "hooks": hooks,
        "frontends": [_frontend(number) for number in range(frontends)],
        "sysfs": [
            {"name": "capability", "mode": "0444", "shows": "capability", "format": "%x\n",
             "abi": "testing", "since": "6.0", "date": "Jan 2026",
             "contact": "nobody@grow.example", "description": "What the device knows."},
            {"name": "events", "mode": "0644", "shows": "enabled", "format": "%x\n",
             "store": {"base": 16, "within": "capability"}, "abi": "testing", "since": "6.0",
             "date": "Jan 2026", "contact": "nobody@grow.example",
             "description": "What is sent."},
        ],
        "kconfig": {"symbol": "GROW", "type": "bool", "prompt": "Grow", "help": "Grow."},
        "uapi": {"path": "misc/grow.h", "license": "GPL-2.0-only WITH Linux-syscall-note",
                 "guard": "_GROW_H"},
        "documents": [
            {"kind": "sysfs-abi", "path": "Documentation/ABI/testing/sysfs-bus-grow"}
        ],
    }  # fmt: skip


def _frontend(number: int) -> dict[str, Any]:
    common: dict[str, Any] = {"since": "6.0", "description": f"grow frontend {number}"}
    symbol = {"symbol": f"GROW_F{number}", "prompt": f"Grow {number}", "help": "Grow."}
    if number % 2:
        return common | {
            "name": f"grow-f{number}", "bus": "platform", "acpi": [f"GROW{number:04}"],
            "resources": [{"kind": "memory", "length": 4}],
            "kconfig": symbol | {"depends": "GROW && ACPI"},
        }  # fmt: skip
    return common | {
        "name": f"grow-f{number}", "bus": "pci", "bar": 0, "length": 4,
        "vendor": {"id": 0x1B36},
        "device": {"id": 0x4000 + number},
        "kconfig": symbol | {"depends": "GROW && PCI"},
    }  # fmt: skip


def _more(device: Device, events: int) -> Device:
    """The device with so many events, each like the last one."""
    last = device.events[-1]
    more = [replace(last, name=f"happened_{bit}", bit=bit) for bit in range(WIDEST, events)]
    return replace(device, events=(*device.events, *more))


def _wide(device: Device) -> Device:
    """The device with a register of 64 bits."""
    return replace(
        device,
        registers=tuple(replace(one, width=2 * WIDEST) for one in device.registers),
        sysfs=tuple(replace(one, format="%lx\n") for one in device.sysfs),
        frontends=tuple(_longer(one) for one in device.frontends),
    )


def _longer(frontend: Frontend) -> Frontend:
    """The frontend with room for such a register."""
    if isinstance(frontend, PciFrontend):
        return replace(frontend, length=8)
    if isinstance(frontend, PlatformFrontend):
        longer = tuple(replace(one, length=8) for one in frontend.resources)
        return replace(frontend, resources=longer)
    return frontend


def made(place: Path, events: int, kernel: Kernel) -> tuple[Device, dict[str, str]]:
    """The device of a spec, and the rendered files for it."""
    device = _more(read_device(place), events)
    files = dict(render(make_plan(device, Target(kernel), "grow.yaml"), template_directory()))
    if events <= WIDEST:
        return device, files
    for narrow, wide in WIDE:
        files = {name: text.replace(narrow, wide) for name, text in files.items()}
    return _wide(device), files


def point(events: int, frontends: int, runs: int = 3) -> Point:
    """Render and check a device of a size; the median of some runs."""
    kernel = find_target(None, None).kernel
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        place, out = Path(name) / "grow.yaml", Path(name) / "out"
        place.write_text(yaml.safe_dump(spec(events, frontends)), encoding="utf-8")
        render, check, status = [], [], 0
        for _ in range(runs):
            begin = time.process_time()
            device, files = made(place, events, kernel)
            render.append(time.process_time() - begin)
        write(out, files)
        for _ in range(runs):
            begin = time.process_time()
            status = check_paths([out], device, kernel).status
            check.append(time.process_time() - begin)
        code = [text for path, text in files.items() if path.endswith((".c", ".h"))]
    return Point(
        events=events,
        frontends=frontends,
        lines=sum(text.count("\n") for text in code),
        functions=sum(len(re.findall(r"^\{$", text, re.MULTILINE)) for text in code),
        render=statistics.median(render),
        check=statistics.median(check),
        status=status,
    )
