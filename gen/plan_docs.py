# SPDX-License-Identifier: GPL-2.0-or-later
"""Decisions about the documents that are rendered beside the driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from gen.frontend import PlatformFrontend, ResourceKind
from gen.wrap import wrap

if TYPE_CHECKING:
    from gen.model import Attribute, Device, Document, DocumentKind
    from gen.release import PointRelease

ABI_WIDTH = 64
BINDING_WIDTH = 76
# Any address will do in an example; this one is free on the machines that QEMU emulates.
EXAMPLE_ADDRESS = 0x9060000
# What a written number looks like, by the base that kstrtouint() is given.
_STORED = {
    0: "Takes a number in C's notation: decimal, 0x for hexadecimal, 0 for octal.",
    8: "Takes an octal number.",
    10: "Takes a decimal number.",
    16: "Takes a hexadecimal number.",
}


@dataclass(frozen=True)
class AbiEntry:
    """An attribute: where it appears, since when, and its description broken into lines."""

    paths: tuple[str, ...]
    date: str
    since: str
    contact: str
    description: tuple[str, ...]


@dataclass(frozen=True)
class AbiPlan:
    """The file for Documentation/ABI."""

    path: str
    license: str
    entries: tuple[AbiEntry, ...]


@dataclass(frozen=True)
class BindingPlan:
    """The device tree binding, in the schema language of devicetree.org."""

    path: str
    identity: str
    license: str
    title: str
    maintainer: str
    description: tuple[str, ...]
    registers: str
    compatibles: tuple[str, ...]
    reg_length: int
    node: str
    address: int


def plan_abi(
    device: Device, document: Document | None, tree: PointRelease | None = None
) -> AbiPlan | None:
    """The sysfs ABI document; None where it is not wanted or there is nothing to tell.

    Args:
        device: the device.
        document: where the document goes.
        tree: the release of the kernel tree that it is to stand in, if there is one.
    """
    if document is None or not device.sysfs:
        return None
    entries = tuple(_abi_entry(device, attribute, tree) for attribute in device.sysfs)
    return AbiPlan(document.path, document.license or device.license, entries)


def _abi_entry(device: Device, attribute: Attribute, tree: PointRelease | None) -> AbiEntry:
    paths = tuple(
        f"/sys/bus/{frontend.bus}/drivers/{frontend.name}/.../{attribute.name}"
        for frontend in device.frontends
        if frontend.attributes
    )
    access = "Read-write" if attribute.store else "Read-only"
    text = f"{access}. Format: {attribute.format.strip()}. {attribute.description}"
    if attribute.store:
        text += (
            f" {_STORED[attribute.store.base]} A bit outside the capability is refused with EINVAL."
        )
    # The path exists no earlier than the first driver that has it.
    first = min(frontend.arrival.since for frontend in device.frontends)
    since = max(attribute.arrival.since, first)
    told = str(since)
    if tree is not None and tree.series < since:
        told += f"; backported to {tree.series}"
    lines = [*wrap(text, ABI_WIDTH), ""]
    for event in device.events:
        bit = f"- {event.value:#x}: {event.description}"
        lines += wrap(bit, ABI_WIDTH, hanging="  ")
    return AbiEntry(paths, attribute.date, told, attribute.contact, tuple(lines))


def plan_binding(device: Device, document: Document | None) -> BindingPlan | None:
    """The device tree binding; None where it is not wanted or no frontend has a compatible."""
    frontends = [f for f in device.frontends if isinstance(f, PlatformFrontend) and f.of]
    if document is None or not frontends:
        return None
    lengths = [r.length for f in frontends for r in f.resources if r.kind is ResourceKind.MEMORY]
    length = max(lengths, default=device.event_register.end)
    below = document.path.removeprefix("Documentation/devicetree/bindings/")
    return BindingPlan(
        path=document.path,
        identity=below,
        license=document.license or device.license,
        title=_yaml_text(device.title),
        maintainer=_yaml_text(device.author),
        description=_yaml_paragraph(device.summary),
        registers=_binding_registers(device, length),
        compatibles=tuple(text for f in frontends for text in f.of),
        reg_length=length,
        node=device.name.replace("_", "-"),
        address=EXAMPLE_ADDRESS,
    )


def _binding_registers(device: Device, length: int) -> str:
    """Where the registers stand, and how long the region is where it goes on behind them."""
    registers = ", ".join(
        f"{register.name} at offset {register.offset}, {register.width} bits"
        for register in device.registers
    )
    longer = length > max(register.end for register in device.registers)
    return f"{registers}; the region has {length} bytes" if longer else registers


def _yaml_text(text: str) -> str:
    """A text as a YAML value on one line: plain where that reads back as itself, else quoted.

    What does not begin with a letter may be a number to one version of YAML and a word to another.
    """
    try:
        plain = (
            text[0].isalpha()
            and yaml.safe_load(text) == text
            and yaml.safe_load(f"- {text}") == [text]
        )
    except yaml.YAMLError:
        plain = False
    return text if plain else f'"{text}"'


def _yaml_paragraph(text: str) -> tuple[str, ...]:
    """The lines of a YAML value that starts on the line after its key, to be indented."""
    return tuple(wrap(_yaml_text(text), BINDING_WIDTH))


def document_of(device: Device, kind: DocumentKind) -> Document | None:
    """The document of a kind, if the spec wants one."""
    return next((doc for doc in device.documents if doc.kind is kind), None)
