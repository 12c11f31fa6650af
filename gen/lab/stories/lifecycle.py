# SPDX-License-Identifier: GPL-2.0-or-later
"""Modules and devices that come and go, and finding the right module for a device."""

from __future__ import annotations

import errno
import itertools
from typing import TYPE_CHECKING

from gen.frontend import Bus
from gen.lab.machine import Machine
from gen.lab.scenario import Scenario
from gen.lab.stage import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.lab.bench import Bench
    from gen.lab.present import Bound
    from gen.lab.stage import Stage

ROUNDS = 10


def scenarios(bench: Bench) -> Iterator[Scenario]:
    """All leave the guest as they found it, and share a boot where their machines are equal."""
    pair = tuple(bench.able(frontend) for frontend in bench.frontends(Bus.PCI))
    machine = Machine((*bench.one_of_each(), *pair))
    plain = bench.obstacle()
    chosen = bench.obstacle(writable=True)
    stories = (
        ("reload", f"the modules go and come {ROUNDS} times", machine, _reload, chosen),
        ("rebind", "each device is unbound and bound again", machine, _rebind, chosen),
        ("autoload", "modprobe finds the frontend of each device", machine, _autoload, plain),
        ("load-order", "frontends are loaded and unloaded in every order", machine, _orders, plain),
        ("no-device", "the modules without any device", Machine(), _no_device, None),
    )
    for name, title, where, play, obstacle in stories:
        yield Scenario(name, title, where, play, obstacle=obstacle)


def _names(bound: Iterable[Bound]) -> str:
    return listed(sorted(device.name for device in bound))


async def _defaults(stage: Stage, device: Bound) -> None:
    """Note that a device shows what it shows at first: all that it is able to do."""
    for attribute in stage.bench.device.sysfs:
        expected = repr(attribute.format % stage.bench.known)
        text = await stage.content(device, attribute)
        stage.note(f"{attribute.name} of {device.name}", expected, text)


async def _reload(stage: Stage) -> None:
    first = stage.picked(await stage.load())
    for number in range(ROUNDS):
        for device in first:
            await stage.choose(device, 0)
        await stage.unload()
        stage.note(f"modules left, round {number}", [], await stage.loaded())
        stage.note(f"devices bound, round {number}", listed([]), _names(await stage.bound()))
        again = await stage.load()
        stage.note(f"devices bound again, round {number}", _names(first), _names(again))
    for device in first:
        await _defaults(stage, device)


async def _rebind(stage: Stage) -> None:
    bound = stage.picked(await stage.load())
    for device in bound:
        await stage.choose(device, 0)
        word = device.name.encode().hex()
        await stage.shell.run(f"helper write {device.driver}/unbind {word}")
        rest = [other for other in bound if other is not device]
        stage.note(f"bound without {device.name}", _names(rest), _names(await stage.bound()))
        files = (await stage.shell.run(f"ls {device.path}")).split()
        left = [a.name for a in stage.bench.device.sysfs if a.name in files]
        stage.note(f"attributes of {device.name}", listed([]), listed(left))
        twice = await stage.shell.run(f"helper write {device.driver}/unbind {word}")
        stage.note(f"{device.name} unbound twice", f"write {errno.ENODEV}", twice)
        await stage.shell.run(f"echo {device.name} >{device.driver}/bind")
        stage.note(f"bound with {device.name}", _names(bound), _names(await stage.bound()))
        await _defaults(stage, device)


async def _autoload(stage: Stage) -> None:
    for device in stage.picked(await stage.load()):
        await stage.unload()
        await stage.shell.run(f'modprobe "$(cat {device.path}/modalias)"')
        expected = sorted([device.frontend.name, stage.bench.device.name])
        loaded = sorted(await stage.loaded())
        stage.note(f"loaded for {device.name}", [n.replace("-", "_") for n in expected], loaded)
        bound = [other.name for other in await stage.bound()]
        stage.note(
            f"{device.name} is bound", device.name, listed(n for n in bound if n == device.name)
        )


async def _orders(stage: Stage) -> None:
    names = [frontend.name for frontend in stage.bench.device.frontends]
    everything = _names(await stage.load())
    await stage.unload()
    for order in itertools.islice(itertools.permutations(names), 6):
        for name in order:
            await stage.shell.run(f"modprobe {name}")
        stage.note(f"bound after {listed(order)}", everything, _names(await stage.bound()))
        ran = await stage.shell.attempt(f"rmmod {stage.bench.device.name}")
        told = "unloaded" if ran.status == 0 else "refused"
        stage.note("unloading the core under its frontends", "refused", told)
        for name in order:
            await stage.shell.run(f"rmmod {name}")
        stage.note(
            "modules left", [stage.bench.device.name.replace("-", "_")], await stage.loaded()
        )
        await stage.unload()


async def _no_device(stage: Stage) -> None:
    for _ in range(ROUNDS):
        stage.note("devices bound", listed([]), _names(await stage.load()))
        await stage.unload()
        stage.note("modules left", [], await stage.loaded())
