# SPDX-License-Identifier: GPL-2.0-or-later
"""What else differs between two drivers in C: parts in which no finding lies, and no unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diff.records import Also, TreeSide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.diff.records import Finding, Part, Side
    from gen.source import Span


def also(
    old: Side | TreeSide, new: Side | TreeSide, findings: Iterable[Finding], others: Iterable[Span]
) -> tuple[Also, ...]:
    """The parts that one side alone has as they are, by their file; nothing where one is a spec."""
    if not isinstance(old, TreeSide) or not isinstance(new, TreeSide):
        return ()
    places = list(others)
    for one in findings:
        places += [at for at in (one.change.old_at, one.change.new_at) if at]
    told: dict[str, Also] = {}
    for part in _differ(old.parts, new.parts, places):
        had = told.get(part.file)
        names = (*had.names, part.name) if had else (part.name,)
        told[part.file] = Also(had.at if had else part.at, part.file, tuple(dict.fromkeys(names)))
    return tuple(told.values())


def _differ(old: tuple[Part, ...], new: tuple[Part, ...], places: list[Span]) -> Iterator[Part]:
    """The new parts that the old side does not have, then those that only the old side has.

    A part that is there twice, once on each side, is told once, and not at all where something
    has been told of either.
    """
    same = {part.key for part in old} & {part.key for part in new}
    # A file of one side alone was not read on the other, or what it has there is told.
    files = {part.file for part in old} & {part.file for part in new}
    left, right = ([part for part in side if part.key not in same and part.file in files]
                   for side in (old, new))  # fmt: skip
    touched = {(part.file, part.name) for part in (*left, *right) if part.holds(places)}
    names = {(part.file, part.name) for part in right}
    for part in (*right, *(one for one in left if (one.file, one.name) not in names)):
        if (part.file, part.name) not in touched:
            yield part
