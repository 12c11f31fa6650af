# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract that was read: items as `pvgen diff` compares them, and what is not known.

An item has only the facts that were determined. Every other one that C could have told is in
`unknown`, with the reason. What C never tells (`NOT_IN_C` in `gen/diff/carried.py`) is in neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.diff.carried import in_c

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.diff.records import Item, Unknown
    from gen.model import Device


@dataclass(frozen=True)
class Contract:
    """What a driver implements; `name` is the device's."""

    name: str
    items: tuple[Item, ...]
    unknown: tuple[Unknown, ...]

    def rows(self) -> dict[tuple[str, str], str]:
        """Every known fact as text, by path and key; an item itself has the key ''."""
        return dict(_rows(self.items))


def rows(device: Device) -> dict[tuple[str, str], str]:
    """The facts of `in_c` as `Contract.rows` has them."""
    return dict(_rows(in_c(device)))


def _rows(found: tuple[Item, ...]) -> Iterator[tuple[tuple[str, str], str]]:
    for item in found:
        yield (item.path, ""), item.name
        yield from (((item.path, key), fact.value) for key, fact in item.facts.items())
