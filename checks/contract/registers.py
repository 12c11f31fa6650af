# SPDX-License-Identifier: GPL-2.0-or-later
"""The registers of a driver: one at each offset, whatever the widths of its accesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diff.occasions import SEPARATOR
from gen.diff.records import Fact, Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from checks.contract.observed import Access
    from gen.source import Span


def register_items(
    registers: Mapping[Access, Span], deaf: Sequence[str], *, heeded: bool
) -> Iterator[Item]:
    """The registers, by their offset.

    Args:
        registers: the places of all accesses.
        deaf: the events that are sent though a device says that it takes none.
        heeded: whether any event is not.
    """
    for offset in sorted({offset for _, offset, _ in registers}):
        reads, writes = (accessed(registers, way, offset) for way in ("read", "write"))
        at = next(iter((writes or reads).values()))
        way = "read-write" if reads and writes else "read-only" if reads else "write-only"
        facts = {"offset": Fact(str(offset), at), "width": width_of(reads, writes),
                 "access": Fact(way, at)}  # fmt: skip
        if reads and heeded:
            # Reading it without heeding what it says is no question.
            place = next(iter(reads.values()))
            facts["read"] = Fact("capability", place)
            if deaf:
                facts["unheeded"] = Fact(SEPARATOR.join(deaf), place)
        if writes:
            facts["write"] = Fact("event", next(iter(writes.values())))
        yield Item("register", f"{offset:#x}", at, facts)


def shifted(touched: Mapping[str, Mapping[Access, Span | None]]) -> dict[str, int]:
    """How many bytes farther than others a driver accesses the same registers, where it does.

    Args:
        touched: the accesses to its devices, by a driver's name.
    """
    first = {name: min(offset for _, offset, _ in seen) for name, seen in touched.items() if seen}
    alike = {
        frozenset((way, offset - first[name], width) for way, offset, width in touched[name])
        for name in first
    }
    if len(alike) != 1:
        return {}  # other registers, then, and not the same at another place
    least = min(first.values())
    return {name: offset - least for name, offset in first.items() if offset > least}


def in_common(
    registers: Mapping[Access, Span], touched: Mapping[str, Mapping[Access, Span | None]]
) -> dict[Access, Span]:
    """The accesses without those that only a driver makes that has all of them farther on."""
    far = shifted(touched)
    theirs = {access for name in far for access in touched[name]}
    others = {access for name, seen in touched.items() if name not in far for access in seen}
    return {access: at for access, at in registers.items() if access not in theirs - others}


def accessed(registers: Mapping[Access, Span], way: str, offset: int) -> dict[int, Span]:
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
    parts = [(f"{way} {width}", at) for way, widths in (("read", reads), ("written", writes))
             for width, at in widths.items()]  # fmt: skip
    told = f"read {read}, written {written}" if read and written and read != written else ""
    at = next(iter((reads if told else writes or reads).values()))
    return Fact(told or written or read, at, tuple(parts))
