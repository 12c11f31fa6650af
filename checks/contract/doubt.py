# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver of which a part is not read does not tell: all that rests on an absence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen.diff.directions import REFUSES
from gen.diff.records import Unknown
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.diff.records import Item

# For a fact that rests on an absence whatever it says.
ANYTHING = "*"
# By kind of item: the keys of which the part that was not read may tell something else.
_ABSENT = {
    "device": (("unexported", ANYTHING),),
    "register": (
        ("access", "read-only"),
        ("access", "write-only"),
        ("read", None),
        ("write", None),
    ),
    "event": (("trigger", Trigger.NONE), ("trigger", Trigger.UNUSED)),
    "frontend": (("attributes", "not shown"), ("probe", REFUSES)),
    "pci": (("autoload", "no"),),
    "acpi": (("autoload", "no"),),
    "of": (("autoload", "no"),),
    "panic-notifier": (("priority", "0"),),
    "die-notifier": (("priority", "0"),),
    "reboot-notifier": (("priority", "0"),),
    "sys-off": (("priority", "0"),),
}


def in_code(missing: list[Unknown]) -> Unknown | None:
    """The first of the parts that were not read which is C, in which anything may stand."""
    return next((m for m in missing if m.at.source.name.endswith((".c", ".h"))), None)


def doubted(items: list[Item], gap: Unknown) -> tuple[list[Item], list[Unknown]]:
    """The items without what was concluded from an absence, and what is unknown instead.

    Args:
        items: what was read.
        gap: a part that was not, which is C.
    """
    unknown: list[Unknown] = []
    kept, why = [], f"a part of the driver is not read: {gap.why}"
    for item in items:
        keys = list(dict.fromkeys(_doubtful(item)))
        unknown += [Unknown(item.path, key, why, gap.at) for key in keys]
        kept.append(replace(item, facts={k: v for k, v in item.facts.items() if k not in keys}))
    return kept, unknown


def _doubtful(item: Item) -> Iterator[str]:
    for key, value in _ABSENT.get(item.kind, ()):
        fact = item.facts.get(key)
        if (fact.value if fact else None) == value or (fact and value == ANYTHING):
            yield key
