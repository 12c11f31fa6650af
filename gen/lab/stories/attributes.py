# SPDX-License-Identifier: GPL-2.0-or-later
"""The sysfs attributes: what they show, and what they take."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab.bench import submasks
from gen.lab.machine import Machine
from gen.lab.scenario import Scenario
from gen.lab.stores import refusals, spelling, spellings
from gen.model import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.lab.bench import Bench
    from gen.lab.present import Bound
    from gen.lab.stage import Stage
    from gen.model import Attribute


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """One machine with a device for each mask serves all of them."""
    others = [bench.able(frontend) for frontend in bench.frontends(Bus.PLATFORM)]
    masked = [bench.attach(f, mask) for f in bench.frontends(Bus.PCI)[:1] for mask in bench.masks]
    machine = Machine((*others, *masked))
    shown = bench.obstacle(masks=True)
    chosen = bench.obstacle(masks=True, writable=True)
    yield Scenario(
        "attributes", "content and mode, devices with every mask", machine, _shown, obstacle=shown
    )
    yield Scenario(
        "attributes-read-only",
        "what is not for writing refuses writes",
        machine,
        _read_only,
        obstacle=shown,
    )
    yield Scenario(
        "stores-refused",
        "each bad store gets its error and changes nothing",
        machine,
        _refused,
        obstacle=chosen,
    )
    yield Scenario(
        "stores-accepted", "each good store in every spelling", machine, _accepted, obstacle=chosen
    )
    yield Scenario(
        "stores-apart", "a store changes its own device only", machine, _apart, obstacle=chosen
    )


def _capability(stage: Stage, index: int) -> int:
    """What a device can do: the events that both it and the driver know."""
    return (stage.machine.devices[index].mask or 0) & stage.bench.known


def _text(attribute: Attribute, value: int) -> str:
    """How an attribute shows a number: C's and Python's conversions agree."""
    return repr(attribute.format % value)


async def _shown(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    for index, device in enumerate(bound):
        mask = stage.machine.devices[index].mask or 0
        for attribute in stage.bench.device.sysfs:
            name = f"{attribute.name} of {device.name} (mask {mask:#x})"
            mode = await stage.shell.run(f"stat -c %a {device.path}/{attribute.name}")
            stage.note(f"mode of {name}", f"{attribute.mode:o}", mode)
            expected = _text(attribute, _capability(stage, index))
            stage.note(name, expected, await stage.content(device, attribute))


async def _read_only(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    for attribute in stage.bench.device.sysfs:
        if attribute.store is None:
            told = await stage.store(bound[0], attribute, [b"0"])
            stage.note(f"a store to {attribute.name}", [f"open {errno.EACCES}"], told)


def _chosen(stage: Stage) -> tuple[Attribute, int]:
    attribute = stage.bench.writable()
    if attribute is None or attribute.store is None:
        raise ValueError("no attribute chooses events")
    return attribute, attribute.store.base


async def _refused(stage: Stage) -> None:
    """The attribute is looked at after each store; it starts as something that no text asks for."""
    attribute, base = _chosen(stage)
    for index, device in enumerate(stage.picked(await stage.load())):
        capability = _capability(stage, index)
        start = capability & (capability - 1) if capability else 0
        await stage.choose(device, start)
        legal = start if attribute.store and attribute.store.within is Mask.ENABLED else capability
        for bad in refusals(legal, base):
            told = await stage.store(device, attribute, [bad.text])
            after = await stage.content(device, attribute)
            name = errno.errorcode[bad.errno]
            stage.note(
                f"{bad.text!r:.24} ({bad.why}) to {device.name} (mask {capability:#x})",
                f"{name}, shows {_text(attribute, start)}",
                f"{_named(told)}, shows {after}",
            )
        await _unchanged(stage, device, capability)


def _named(told: list[str]) -> str:
    """The helper's answer with the name of the errno in place of its number."""
    match [line.split() for line in told]:
        case [["write", number]]:
            return errno.errorcode.get(int(number), number)
        case _:
            return ", ".join(told)


async def _unchanged(stage: Stage, device: Bound, capability: int) -> None:
    """Note that a device still shows what it is able to do."""
    for attribute in stage.bench.device.sysfs:
        if attribute.shows is Mask.CAPABILITY:
            text = await stage.content(device, attribute)
            stage.note(f"{attribute.name} of {device.name}", _text(attribute, capability), text)


async def _accepted(stage: Stage) -> None:
    """Every spelling on a device that can do all; the plain one for each mask of the others."""
    attribute, base = _chosen(stage)
    for index, device in enumerate(stage.picked(await stage.load())):
        capability = _capability(stage, index)
        for value in reversed(submasks(capability)):
            plain = [spelling(value, base).encode()]
            texts = (
                spellings(value, base) if capability == stage.bench.known and index < 1 else plain
            )
            for text in texts:
                told = await stage.store(device, attribute, [text])
                after = await stage.content(device, attribute)
                stage.note(
                    f"{text!r} to {device.name} (mask {capability:#x})",
                    f"ok {len(text)}, shows {_text(attribute, value)}",
                    f"{', '.join(told)}, shows {after}",
                )
        await _unchanged(stage, device, capability)


async def _apart(stage: Stage) -> None:
    """Nothing is enabled on one device; the next ones keep what they had."""
    attribute, _ = _chosen(stage)
    bound = stage.picked(await stage.load())
    for index, device in enumerate(bound):
        await stage.choose(device, 0)
        for other, neighbour in enumerate(bound):
            value = _capability(stage, other) if other > index else 0
            text = await stage.content(neighbour, attribute)
            stage.note(f"{attribute.name} of {neighbour.name}", _text(attribute, value), text)
