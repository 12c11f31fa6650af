# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract that was read: items as `pvgen diff` compares them, and what is not known.

An item has only the facts that were determined. Every other one that C could have told is in
`unknown`, with the reason. What C never tells (`NOT_IN_C`) is in neither.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import kconfiglib

from gen.diff.items import items
from gen.kconfig import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.diff.records import Fact, Item
    from gen.model import Device
    from gen.source import Span

# By kind of item, `*` for all: the keys that a driver's C does not carry, and why.
NOT_IN_C = {
    "*": {
        "since": "a tree is one state, without its history",
        "stable": "a tree is one state, without its history",
        "qemu.since": "the host's side",
        "qemu.qmp": "the host's side",
        "qemu.device": "the host's side",
        "qemu.bus": "the host's side",
    },
    "device": {"title": "prose", "summary": "prose"},
    "register": {"description": "prose"},
    "event": {"description": "prose"},
    "panic-notifier": {"why": "prose"},
    "sys-off": {"why": "prose"},
    "frontend": {
        "length": "a driver maps what there is, without a smallest length",
        "vendor.macro": "C always has a name or none; whether the spec gives it is not told",
        "device.macro": "C always has a name or none; whether the spec gives it is not told",
        "ids": "made for matching; the ids are items",
        "kconfig": "made for matching; the symbol is an item",
    },
    "resource": {"length": "a driver maps what there is, without a smallest length"},
    "kconfig": {"help": "prose, which rendering completes"},
    "attribute": {
        "abi": "stands in Documentation/ABI",
        "date": "stands in Documentation/ABI",
        "contact": "stands in Documentation/ABI",
        "description": "prose",
    },
}
# Whole items that are not in C: documents and references stand beside it.
NOT_READ = frozenset({"document", "reference"})


@dataclass(frozen=True)
class Unknown:
    """A fact that could not be determined: the item's path, the key (empty: all of it), why."""

    path: str
    key: str
    why: str
    at: Span | None = None


@dataclass(frozen=True)
class Contract:
    """What a driver implements; `name` is the device's."""

    name: str
    items: tuple[Item, ...]
    unknown: tuple[Unknown, ...]

    def rows(self) -> dict[tuple[str, str], str]:
        """Every known fact as text, by path and key; an item itself has the key ''."""
        return dict(_rows(self.items))


def in_c(device: Device) -> tuple[Item, ...]:
    """The part of a device that C carries, in the form in which it is read back."""
    return tuple(_carried(item, device) for item in items(device) if item.kind not in NOT_READ)


def rows(device: Device) -> dict[tuple[str, str], str]:
    """The facts of `in_c` as `Contract.rows` has them."""
    return dict(_rows(in_c(device)))


def _rows(found: tuple[Item, ...]) -> Iterator[tuple[tuple[str, str], str]]:
    for item in found:
        yield (item.path, ""), item.name
        yield from (((item.path, key), fact.value) for key, fact in item.facts.items())


def _carried(item: Item, device: Device) -> Item:
    left_out = {**NOT_IN_C["*"], **NOT_IN_C.get(item.kind, {})}
    facts = {key: fact for key, fact in item.facts.items() if key not in left_out}
    if item.kind == "register":
        # A register's name is in no C; its offset is.
        return replace(item, name=f"{int(facts['offset'].value):#x}", facts=facts)
    if item.kind == "frontend":
        hidden = facts["attributes"].value == "not shown" or not device.sysfs
        word = "not shown" if hidden else "shown"
        facts["attributes"] = replace(facts["attributes"], value=word)
    return replace(item, facts={key: _plain(key, fact) for key, fact in facts.items()})


def _plain(key: str, fact: Fact) -> Fact:
    """A fact as it is read back: dependencies are in one spelling."""
    if key != "depends":
        return fact
    return replace(fact, value=kconfiglib.expr_str(parse_dependency(fact.value)))
