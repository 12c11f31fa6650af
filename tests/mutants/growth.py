# SPDX-License-Identifier: GPL-2.0-or-later
"""How the time to render and to check a driver grows with its device."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from checks.run import check_paths
from gen.generate import find_target, generate, read_device
from gen.output import write

EVENTS = (1, 2, 4, 8, 16, 32)
FRONTENDS = (1, 2, 5, 10, 20)
TRIGGERS = ("panic", "crash-kernel", "power-off", "restart")


@dataclass(frozen=True)
class Point:
    """A device's size, and seconds to render and to check the driver for it."""

    events: int
    frontends: int
    lines: int
    functions: int
    render: float
    check: float
    status: int


def spec(events: int, frontends: int) -> dict[str, Any]:
    """A made-up device with so many events and frontends, of which every other is on PCI."""
    triggers = [*TRIGGERS, *["none"] * events][:events]
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


def point(events: int, frontends: int, runs: int = 3) -> Point:
    """Render and check a device of a size; the median of some runs."""
    kernel = find_target(None, None).kernel
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        place, out = Path(name) / "grow.yaml", Path(name) / "out"
        place.write_text(yaml.safe_dump(spec(events, frontends)), encoding="utf-8")
        render, check, status = [], [], 0
        for _ in range(runs):
            begin = time.perf_counter()
            files = generate(place, None, None).files
            render.append(time.perf_counter() - begin)
        write(out, files)
        device = read_device(place)
        for _ in range(runs):
            begin = time.perf_counter()
            status = check_paths([out], device, kernel).status
            check.append(time.perf_counter() - begin)
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
