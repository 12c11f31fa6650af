# SPDX-License-Identifier: GPL-2.0-or-later
"""A device as items with facts, so that every part of it is matched and compared alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diff.records import Fact, Item
from gen.frontend import PciFrontend, PlatformFrontend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.frontend import Frontend
    from gen.model import Attribute, Device, Event, Hook, KconfigSymbol, Places, Register
    from gen.release import Arrival


def _facts(at: Places, **values: object) -> dict[str, Fact]:
    """Facts by key, without those that are absent; a place is that of the key's value."""
    return {
        key.replace("_", "-"): Fact(str(value), at[key.replace("_", "-")])
        for key, value in values.items()
        if value is not None
    }


def items(device: Device) -> Iterator[Item]:
    """Everything in a device that can change."""
    yield _whole(device)
    yield from (_register(one) for one in device.registers)
    yield from (_event(one) for one in device.macros)
    for kind, hook in (
        ("panic-notifier", device.hooks.panic_notifier),
        ("sys-off", device.hooks.sys_off),
    ):
        if hook:
            yield _hook(kind, hook)
    for front in device.frontends:
        yield from _frontend(front)
    yield from (_attribute(one) for one in device.sysfs)
    yield _kconfig(device.kconfig, "")
    uapi = device.uapi
    facts = _facts(uapi.at, path=uapi.path, license=uapi.license, guard=uapi.guard)
    yield Item("uapi", "", uapi.at.item, facts)
    for doc in device.documents:
        facts = _facts(doc.at, kind=doc.kind, license=doc.license)
        yield Item("document", doc.path, doc.at["path"], facts, ("kind",))
    for ref in device.references:
        yield Item("reference", ref.url, ref.at["url"], _facts(ref.at, title=ref.title))


def _whole(device: Device) -> Item:
    facts = _facts(
        device.at,
        name=device.name,
        title=device.title,
        summary=device.summary,
        license=device.license,
        module_license=device.module_license,
        author=device.author,
        description=device.description,
    )
    return Item("device", "", device.at.item, facts)


def _register(one: Register) -> Item:
    facts = _facts(
        one.at,
        offset=one.offset,
        width=one.width,
        access=one.access,
        read=one.read,
        write=one.write,
        description=one.description,
    )
    return Item("register", one.name, one.at["name"], facts, ("offset", "read", "write", "width"))


def _event(one: Event) -> Item:
    facts = _facts(one.at, bit=one.bit, trigger=one.trigger, description=one.description)
    facts |= _arrival(one.arrival)
    if one.upstream:
        facts |= {f"upstream.{key}": fact for key, fact in _facts(
            one.upstream.at, header=one.upstream.header,
            driver=one.upstream.driver).items()}  # fmt: skip
    if one.host:
        facts |= {f"qemu.{key}": fact for key, fact in _facts(
            one.host.at, qmp=one.host.qmp, since=one.host.since).items()}  # fmt: skip
    marks = ("trigger", "qemu.qmp")
    return Item("event", one.name, one.at["name"], facts, ("bit", *marks), marks=marks)


def _hook(kind: str, hook: Hook) -> Item:
    return Item(kind, "", hook.at.item, _facts(
        hook.at, priority=hook.priority, why=hook.why, upstream=hook.upstream))  # fmt: skip


def _attribute(one: Attribute) -> Item:
    facts = _facts(
        one.at,
        mode=f"{one.mode:04o}",
        shows=one.shows,
        format=one.format,
        abi=one.abi,
        date=one.date,
        contact=one.contact,
        description=one.description,
    )
    facts |= _arrival(one.arrival)
    if one.store:
        stores = _facts(one.store.at, base=one.store.base, within=one.store.within)
        facts |= {f"store.{key}": fact for key, fact in stores.items()}
    identity = ("mode", "shows", "format", "description")
    return Item("attribute", one.name, one.at["name"], facts, identity)


def _kconfig(one: KconfigSymbol, owner: str) -> Item:
    # There is one symbol per owner, so that its name is a fact and not what it is matched by.
    facts = _facts(
        one.at,
        symbol=one.symbol,
        type=one.type,
        prompt=one.prompt,
        depends=one.depends,
        help=one.help,
    )
    return Item("kconfig", "", one.at.item, facts, owner=owner)


def _frontend(front: Frontend) -> Iterator[Item]:
    facts = _facts(
        front.at,
        bus=front.bus,
        description=front.description,
        author=front.author,
    )
    facts |= _arrival(front.arrival)
    facts |= _shown(front)
    if isinstance(front, PciFrontend):
        facts |= _facts(front.at, bar=front.bar, length=front.length)
        for key, one in (("vendor", front.vendor), ("device", front.device)):
            if one.macro:
                facts[f"{key}.macro"] = Fact(one.macro, one.at["macro"])
    if front.host:
        host = _facts(
            front.host.at, device=front.host.device, bus=front.host.bus, since=front.host.since
        )
        facts |= {f"qemu.{key}": fact for key, fact in host.items()}
    ids = list(_ids(front))
    # What a driver binds to is what it is; a rename of its module leaves that.
    facts["ids"] = Fact(" ".join(sorted(one.name for one in ids)), front.at["name"])
    facts["kconfig"] = Fact(front.kconfig.symbol, front.at["name"])
    identity = ("ids", "bus", "kconfig", "description", "qemu.device")
    owner = Item("frontend", front.name, front.at["name"], facts, identity)
    yield owner
    yield from ids
    if isinstance(front, PlatformFrontend):
        for res in front.resources:
            known = _facts(res.at, length=res.length)
            yield Item("resource", f"{res.kind}", res.at["kind"], known, owner=owner.path)
    yield _kconfig(front.kconfig, owner.path)


def _arrival(one: Arrival) -> dict[str, Fact]:
    return _facts(one.at, since=one.since, stable=_trees(one) or None, upstream=one.upstream)


def _trees(one: Arrival) -> str:
    return " ".join(sorted(str(release) for release in one.stable))


def _shown(front: Frontend) -> dict[str, Fact]:
    """Whether the devices show the sysfs attributes; since when, if not since the frontend."""
    shown, at = front.attributes, front.at["attributes"]
    if shown is None:
        return {"attributes": Fact("not shown", at)}
    facts = {"attributes": Fact("shown", at)}
    if (shown.since, _trees(shown)) != (front.arrival.since, _trees(front.arrival)):
        facts["attributes.since"] = Fact(str(shown.since), shown.at["since"])
        facts["attributes.stable"] = Fact(_trees(shown), shown.at["stable"])
    return facts


def _ids(front: Frontend) -> Iterator[Item]:
    owner = f"frontend[{front.name}]"
    if isinstance(front, PciFrontend):
        for pair in front.ids:
            # The device's own id is as old as the frontend.
            facts = _arrival(pair.arrival) if pair.at is not front.at else {}
            yield Item("pci", str(pair), pair.device.at["id"], facts, owner=owner)
    if isinstance(front, PlatformFrontend):
        for kind, texts in (("acpi", front.acpi), ("of", front.of)):
            for index, text in enumerate(texts):
                yield Item(kind, text, front.at[f"{kind}[{index}]"], owner=owner)
