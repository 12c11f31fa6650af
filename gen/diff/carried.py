# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of a spec that a driver's C carries, in the form in which it is read back out of C."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import kconfiglib

from gen.diff.items import items
from gen.diff.records import Fact
from gen.kconfig import parse_dependency

if TYPE_CHECKING:
    from gen.diff.records import Item
    from gen.model import Device

# By kind of item, `*` for all: the keys that a driver's C does not carry, and why.
NOT_IN_C = {
    "*": {
        "since": "a tree is one state, without its history",
        "stable": "a tree is one state, without its history",
        "upstream": "a tree is one state, without its history",
        "upstream.header": "a tree is one state, without its history",
        "upstream.driver": "a tree is one state, without its history",
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
        "attributes.since": "a tree is one state, without its history",
        "attributes.stable": "a tree is one state, without its history",
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


def in_c(device: Device) -> tuple[Item, ...]:
    """The part of a device that C carries, in the form in which it is read back."""
    return tuple(_carried(item, device) for item in items(device) if item.kind not in NOT_READ)


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
        # Each module says its own.
        facts["module-license"] = Fact(device.module_license, device.at["module-license"])
    return replace(item, facts={key: _plain(key, fact) for key, fact in facts.items()})


def _plain(key: str, fact: Fact) -> Fact:
    """A fact as it is read back: dependencies are in one spelling."""
    if key != "depends":
        return fact
    return replace(fact, value=kconfiglib.expr_str(parse_dependency(fact.value)))
