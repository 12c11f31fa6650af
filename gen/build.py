# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree whose form is right to a `Device`.

`gen.form` has already made sure of every key and type, so nothing is checked here; `Item` only
gives typed access to what is known to be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.frontend import (
    Bus,
    Frontend,
    FrontendHost,
    PciFrontend,
    PciId,
    PciPair,
    PlatformFrontend,
    Resource,
    ResourceKind,
)
from gen.model import (
    Attribute,
    Device,
    Document,
    DocumentKind,
    Event,
    EventHost,
    EventUpstream,
    Hook,
    Hooks,
    KconfigSymbol,
    Mask,
    Places,
    Reference,
    Register,
    Store,
    Trigger,
    Uapi,
)
from gen.release import Arrival, PointRelease, Release

if TYPE_CHECKING:
    from gen.source import Source
    from gen.yamltree import Node


class Item:
    """Typed access to the keys of a mapping."""

    def __init__(self, node: Node) -> None:
        self.values = node.value if isinstance(node.value, dict) else {}
        spans = {name: child.span for name, child in self.values.items()}
        for name in self.values:
            spans |= {f"{name}[{i}]": child.span for i, child in enumerate(self.nodes(name))}
        self.at = Places(node.head, spans)

    def text(self, key: str) -> str:
        """A text."""
        return str(self.values[key].value)

    def text_or_none(self, key: str) -> str | None:
        """A text that may be missing."""
        return self.text(key) if key in self.values else None

    def number(self, key: str) -> int:
        """A whole number."""
        value = self.values[key].value
        if not isinstance(value, int):
            raise TypeError(f"{key}: not a whole number")
        return value

    def release(self, key: str) -> Release:
        """A release."""
        return Release.parse(self.text(key))

    def arrival(self) -> Arrival:
        """What `since` and `stable` say together."""
        stable = tuple(PointRelease.parse(text) for text in self.texts("stable"))
        upstream = self.values.get("upstream")
        one = upstream.value if upstream else None  # an event has two commits, which are its own
        commit = one if isinstance(one, str) else None
        return Arrival(self.release("since"), stable, self.at, commit)

    def item(self, key: str) -> Item:
        """A mapping."""
        return Item(self.values[key])

    def item_or_none(self, key: str) -> Item | None:
        """A mapping that may be missing."""
        return self.item(key) if key in self.values else None

    def nodes(self, key: str) -> list[Node]:
        """The nodes of a list; none where it is missing."""
        value = self.values[key].value if key in self.values else []
        return value if isinstance(value, list) else []

    def items(self, key: str) -> list[Item]:
        """The mappings of a list; none where it is missing."""
        return [Item(node) for node in self.nodes(key)]

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list; none where it is missing."""
        return tuple(str(node.value) for node in self.nodes(key))


def build_device(root: Node, source: Source) -> Device:
    """The device that a spec of the right form describes."""
    spec = Item(root)
    device = spec.item("device")
    events = tuple(_event(item) for item in spec.items("events"))
    return Device(
        name=device.text("name"),
        title=device.text("title"),
        summary=device.text("summary"),
        license=device.text("license"),
        module_license=device.text("module-license"),
        author=device.text("author"),
        description=device.text("description"),
        references=tuple(_reference(item) for item in device.items("references")),
        registers=tuple(_register(item) for item in spec.items("registers")),
        events=tuple(event for event in events if event.trigger is not Trigger.UNUSED),
        hooks=_hooks(spec.item("hooks")),
        frontends=tuple(_frontend(item, device) for item in spec.items("frontends")),
        sysfs=tuple(_attribute(item, device) for item in spec.items("sysfs")),
        kconfig=_kconfig(spec.item("kconfig")),
        uapi=_uapi(spec.item("uapi")),
        documents=tuple(_document(item) for item in spec.items("documents")),
        source=source,
        at=device.at,
        defined=tuple(event for event in events if event.trigger is Trigger.UNUSED),
    )


def _reference(item: Item) -> Reference:
    return Reference(item.text("title"), item.text("url"), item.at)


def _register(item: Item) -> Register:
    return Register(
        name=item.text("name"),
        offset=item.number("offset"),
        width=item.number("width"),
        access=item.text("access"),
        read=item.text_or_none("read"),
        write=item.text_or_none("write"),
        description=item.text("description"),
        at=item.at,
    )


def _event(item: Item) -> Event:
    host = item.item_or_none("qemu")
    return Event(
        name=item.text("name"),
        bit=item.number("bit"),
        trigger=Trigger(item.text("trigger")),
        arrival=item.arrival(),
        description=item.text("description"),
        host=EventHost(host.release("since"), host.text("qmp"), host.at) if host else None,
        at=item.at,
        upstream=_commits(item.item_or_none("upstream")),
    )


def _commits(item: Item | None) -> EventUpstream | None:
    if item is None:
        return None
    return EventUpstream(item.text_or_none("header"), item.text_or_none("driver"), item.at)


def _hook(item: Item | None) -> Hook | None:
    if item is None:
        return None
    value = item.values["priority"].value
    if not isinstance(value, int | str):
        raise TypeError("a priority that is neither a number nor a name")
    return Hook(value, item.text_or_none("why"), item.at, item.text_or_none("upstream"))


def _hooks(item: Item) -> Hooks:
    notifier, sys_off = item.item_or_none("panic-notifier"), item.item_or_none("sys-off")
    hooks = {"panic-notifier": _hook(notifier), "sys-off": _hook(sys_off)}
    # What other stages point at is the priority, not the mapping that it stands in.
    spans = {name: hook.at["priority"] for name, hook in hooks.items() if hook}
    return Hooks(hooks["panic-notifier"], hooks["sys-off"], Places(item.at.item, spans))


def _frontend(item: Item, device: Item) -> Frontend:
    host = item.item_or_none("qemu")
    author = item if "author" in item.values else device
    shown = item.item_or_none("attributes") or item
    name, since = item.text("name"), item.arrival()
    attributes = since if shown is item else shown.arrival()
    description, kconfig = item.text("description"), _kconfig(item.item("kconfig"))
    qemu = _frontend_host(host) if host else None
    if item.text("bus") == Bus.PCI:
        return PciFrontend(
            name, since, attributes, description, author.text("author"), kconfig, qemu, item.at,
            vendor=_pci_id(item.item("vendor")),
            device=_pci_id(item.item("device")),
            bar=item.number("bar"),
            length=item.number("length"),
            also=tuple(_pair(pair) for pair in item.items("also")),
        )  # fmt: skip
    return PlatformFrontend(
        name, since, attributes, description, author.text("author"), kconfig, qemu, item.at,
        acpi=item.texts("acpi"),
        of=item.texts("of"),
        resources=tuple(_resource(resource) for resource in item.items("resources")),
    )  # fmt: skip


def _frontend_host(item: Item) -> FrontendHost:
    return FrontendHost(item.release("since"), item.text("device"), item.text("bus"), item.at)


def _pair(item: Item) -> PciPair:
    ids = _pci_id(item.item("vendor")), _pci_id(item.item("device"))
    return PciPair(*ids, item.arrival(), item.at)


def _pci_id(item: Item) -> PciId:
    return PciId(item.number("id"), item.text_or_none("macro"), item.at)


def _resource(item: Item) -> Resource:
    return Resource(ResourceKind(item.text("kind")), item.number("length"), item.at)


def _attribute(item: Item, device: Item) -> Attribute:
    store = item.item_or_none("store")
    return Attribute(
        name=item.text("name"),
        mode=int(item.text("mode"), 8),
        shows=Mask(item.text("shows")),
        format=item.text("format"),
        store=Store(store.number("base"), Mask(store.text("within")), store.at) if store else None,
        abi=item.text("abi"),
        arrival=item.arrival(),
        date=item.text("date"),
        contact=item.text_or_none("contact") or device.text("author"),
        description=item.text("description"),
        at=item.at,
    )


def _kconfig(item: Item) -> KconfigSymbol:
    return KconfigSymbol(
        symbol=item.text("symbol"),
        type=item.text_or_none("type") or "tristate",
        prompt=item.text("prompt"),
        depends=item.text_or_none("depends"),
        help=item.text("help"),
        at=item.at,
    )


def _uapi(item: Item) -> Uapi:
    return Uapi(item.text("path"), item.text("license"), item.text("guard"), item.at)


def _document(item: Item) -> Document:
    return Document(
        DocumentKind(item.text("kind")), item.text("path"), item.text_or_none("license"), item.at
    )
