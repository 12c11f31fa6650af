# SPDX-License-Identifier: GPL-2.0-or-later
"""What user space can see of a loaded driver, noted without an opinion.

The scenario judges nothing: what one driver shows is compared with what another one shows. Which
attributes and modules are looked at comes from the spec.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.lab.journal import ALARMS, STAMP
from gen.lab.kernel import module_names
from gen.lab.machine import Machine
from gen.lab.present import driver_directory
from gen.lab.process import run
from gen.lab.scenario import Check, Scenario
from gen.lab.stores import refusals, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gen.lab.bench import Bench
    from gen.lab.present import Bound
    from gen.lab.stage import Stage
    from gen.model import Attribute, Device

NAME = "surface"
# Of a device's directory, besides the spec's attributes: what buses say of how it was matched.
BUS_FILES = ("uevent", "modalias", "resource")
# modinfo(8) fields that tell files and builds apart, not drivers.
BUILD_FIELDS = frozenset({"filename", "srcversion", "intree"})
# Texts for stores that no parser's rules suggest; the long one does not fit into a page.
ODD_TEXTS = (
    b"",
    b"0",
    b"1\n",
    b"0x1",
    b"4",
    b"ff",
    b"4294967295",
    b"-1",
    b"100000000",
    b"\0",
    b"1\0",
    b"\x001",
    b"1\n\0",
    b"\t1",
    b"1\r\n",
    b"\xff",
    b"0" * 5000,
)
# How much of a text its name quotes.
QUOTED = 24
# Kernel messages of this level and above (KERN_WARNING) are compared.
WARNINGS = "dmesg -r | grep '^<[0-4]>'; true"
RAW_LEVEL = re.compile(r"^<\d+>")


def scenario(bench: Bench) -> Scenario:
    """Load every frontend with a device of each, and note all that is to be seen."""
    return Scenario(
        NAME,
        "what user space sees of the loaded driver",
        Machine(bench.one_of_each()),
        _observe,
        obstacle=bench.obstacle(),
    )


def modules(device: Device, directory: Path) -> list[Check]:
    """What modinfo tells of each built module, one entry per field and value.

    Raises:
        LabError: modinfo is missing, or a file is no module.
    """
    checks = []
    for name in module_names(device):
        text = run(["modinfo", "-0", (directory / f"{name}.ko").absolute()])
        for line in filter(None, text.split("\0")):
            # The file's name stands behind a colon, all that the module says behind a "=".
            field, value = re.split("[:=]", line, maxsplit=1)
            if field == "depends":
                value = ",".join(sorted(value.strip().split(",")))
            if field not in BUILD_FIELDS:
                checks.append(_seen(f"modinfo of {name}: {field} {value.strip()}", "there"))
    return checks


def _seen(what: str, seen: str) -> Check:
    """A note that expects what it saw."""
    return Check(what, seen, seen)


async def _observe(stage: Stage) -> None:
    await stage.shell.run("dmesg -c")
    bound = await stage.load()
    _note(stage, [_seen("bound devices", " ".join(device.name for device in bound))])
    for name in module_names(stage.bench.device):
        directory = f"/sys/module/{name.replace('-', '_')}"
        await _tree(stage, directory, "! -path './sections*' ! -path './notes*'")
        await _contents(stage, directory, ("refcnt", "initstate", "taint"))
    for frontend in stage.bench.device.frontends:
        await _tree(stage, driver_directory(frontend))
    for device in bound:
        await _tree(stage, device.path)
        names = [*BUS_FILES, *(attribute.name for attribute in stage.bench.device.sysfs)]
        await _contents(stage, device.path, names)
        for attribute in stage.bench.device.sysfs:
            await _stores(stage, device, attribute)
    await _resources(stage)
    names = [*module_names(stage.bench.device), *(device.name for device in bound)]
    _note(stage, warnings(await stage.shell.run(WARNINGS), names))


def warnings(text: str, names: Iterable[str]) -> list[Check]:
    """The lines of a raw kernel log that name one of ours, or are alarms.

    Others, such as a clock's on a busy host, come and go by themselves.
    """
    spelled = {form for name in names for form in (name, name.replace("-", "_"))}
    ours = re.compile("|".join(map(re.escape, sorted(spelled))))
    lines = [STAMP.sub("", RAW_LEVEL.sub("", line)) for line in text.splitlines()]
    told = [line for line in lines if ours.search(line) or ALARMS.search(line)]
    return [_seen("kernel warning", line) for line in told]


def _note(stage: Stage, checks: Iterable[Check]) -> None:
    stage.checks.extend(checks)


async def _tree(stage: Stage, directory: str, but: str = "") -> None:
    """Names, types, modes and targets of links, two levels deep."""
    script = f"cd {directory}/ && find . -maxdepth 2 {but} -exec stat -c '%A %N' {{}} + | sort -k 2"
    for line in (await stage.shell.run(script)).splitlines():
        mode, _, rest = line.partition(" ")
        name, arrow, target = rest.replace("'", "").partition(" -> ")
        _note(stage, [_seen(f"{directory}: {name}", f"{mode}{arrow}{target}")])


async def _contents(stage: Stage, directory: str, names: Iterable[str]) -> None:
    for name in names:
        ran = await stage.shell.attempt(f"[ ! -e {directory}/{name} ] || cat {directory}/{name}")
        _note(stage, [_seen(f"content of {directory}/{name}", f"{ran.output!r}")])


def store_texts(known: int, base: int) -> list[bytes]:
    """Every text to be stored: what a parser should take, should refuse, and odd ones."""
    refused = [one.text for one in refusals(known, base)]
    return list(dict.fromkeys([*ODD_TEXTS, *spellings(1, base), *spellings(known, base), *refused]))


async def _stores(stage: Stage, device: Bound, attribute: Attribute) -> None:
    """The result of a store, and what the attribute shows next."""
    base = attribute.store.base if attribute.store else 0
    path = f"{device.path}/{attribute.name}"
    for text in store_texts(stage.bench.known, base):
        told = await stage.shell.run(f"helper write {path} '{text.hex()}'; cat {path}")
        shown = repr(text[:QUOTED]) + (f" ({len(text)} bytes)" if len(text) > QUOTED else "")
        seen = ", then ".join(told.splitlines())
        _note(stage, [_seen(f"store {shown} to {attribute.name} of {device.name}", seen)])


async def _resources(stage: Stage) -> None:
    """Who holds which addresses; where the kernel itself was put differs from boot to boot."""
    for file in ("/proc/ioports", "/proc/iomem"):
        for line in (await stage.shell.run(f"cat {file}")).splitlines():
            place, _, owner = line.partition(" : ")
            if not owner.startswith("Kernel "):
                _note(stage, [_seen(f"{file}: {place.strip()}", owner)])
