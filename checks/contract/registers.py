# SPDX-License-Identifier: GPL-2.0-or-later
"""The registers of a driver: one at each offset, whatever the widths of its accesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diff.occasions import SEPARATOR
from gen.diff.records import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.source import Span


def accessed(
    registers: Mapping[tuple[str, int, int], Span], way: str, offset: int
) -> dict[int, Span]:
    """The widths in which a register is read or written, from narrow to wide, each with a place.

    Args:
        registers: the places of all accesses, by direction, offset and width.
        way: the direction that is asked for.
        offset: which register it is.
    """
    found = {width: at for (how, where, width), at in registers.items()
             if (how, where) == (way, offset)}  # fmt: skip
    return dict(sorted(found.items()))


def width_of(reads: dict[int, Span], writes: dict[int, Span]) -> Fact:
    """The width of a register; of one that is read and written in different ones, both."""
    read, written = (SEPARATOR.join(map(str, widths)) for widths in (reads, writes))
    if read and written and read != written:
        return Fact(f"read {read}, written {written}", next(iter(reads.values())))
    return Fact(written or read, next(iter((writes or reads).values())))
