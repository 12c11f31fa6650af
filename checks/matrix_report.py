# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of the matrix as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from checks.matrix import STEPS, End, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = ("ROW", "KERNEL", *map(str.upper, STEPS), "WARNINGS", "SCENARIOS", "SECONDS", "RESULT")


def as_json(results: Sequence[Result]) -> str:
    """All rows, in the order in which they are in the table."""
    return json.dumps({"rows": [result.data() for result in results]}, indent=2) + "\n"


def table(results: Sequence[Result]) -> str:
    """A line for each row; below, why a row did not pass and where its logs are."""
    cells = [HEADINGS, *map(_cells, results)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([*lines, *_notes(results), _summary(results)])


def _cells(result: Result) -> tuple[str, ...]:
    steps = [str(result.steps.get(step, "-")) for step in STEPS]
    return (
        str(result.row),
        result.release or "-",
        *steps,
        "-" if result.warnings is None else str(result.warnings),
        f"{result.passed}/{result.played}" if result.played else "-",
        f"{result.seconds:.0f}",
        str(result.end),
    )


def _notes(results: Sequence[Result]) -> list[str]:
    notes = []
    for result in results:
        if result.end is End.INAPPLICABLE:
            notes.append(f"{result.row}: {result.reason}")
        elif result.end is not End.PASS:
            notes.append(f"{result.row}: {result.reason} (logs in {result.logs})")
    return notes


def _summary(results: Sequence[Result]) -> str:
    counts = [(end, sum(result.end is end for result in results)) for end in End]
    words = ", ".join(f"{count} {end}" for end, count in counts if count)
    return f"{len(results)} rows: {words}"
