# SPDX-License-Identifier: GPL-2.0-or-later
"""What came out of a torture: a line per act, a table with the drivers side by side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.lab.journal import ALARMS
from tests.torture.drivers import OURS
from tests.torture.program import DETECTOR, family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.torture.acts import Result
    from tests.torture.record import Record

HEADINGS = (
    *("ACT", "KERNEL", "DRIVER", "OPERATIONS"),
    *("REPORTS", "LOST", "INVENTED", "SECONDS", "PASSED"),
)

# In what reports of one kind differ: addresses, offsets, processors, devices.
_NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|[0-9a-f]*\d[0-9a-f]*)\b")
# How many kinds of reports a line shows.
_KINDS = 4


def line(result: Result) -> str:
    """One act, for the progress."""
    detail = f" ({result.detail})" if result.detail else ""
    if result.passed:
        return f"{result.act}{detail}: pass, {result.operations} operations, {result.seconds:.1f} s"
    words = [" | ".join(result.problem.splitlines())] if result.problem else []
    if result.lost or result.invented:
        words.append(f"{result.lost} events lost, {result.invented} invented")
    if result.reports:
        words.append(_reports(result.reports))
    return f"{result.act}{detail}: FAIL, {'; '.join(words)}"


def _reports(reports: Sequence[str]) -> str:
    """How many reports there are, and one of each kind, the detectors' first."""
    kinds: dict[str, list[str]] = {}
    for report in reports:
        kinds.setdefault(_NUMBER.sub("", report), []).append(report)
    of_a_kind = sorted(kinds.values(), key=lambda same: not ALARMS.search(same[0]))
    words = [f"{len(same)} times {same[0]}" for same in of_a_kind[:_KINDS]]
    more = len(of_a_kind) - _KINDS
    return f"{len(reports)} reports: {'; '.join(words)}" + (f"; {more} more kinds" * (more > 0))


def table(records: Sequence[Record]) -> str:
    """The acts of one family summed, the drivers under each other; then the sums of all."""
    families = dict.fromkeys(family_of(r.act) for record in records for r in record.results)
    rows: list[tuple[str, ...]] = [HEADINGS]
    for name in families:
        for record in records:
            own = [r for r in record.results if family_of(r.act) == name]
            if own:
                rows.append(_row(name, record, own))
    rows += [_row("all", record, record.results) for record in records if record.results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join(lines)


def failures(records: Sequence[Record]) -> list[str]:
    """A line for each act that failed."""
    return [
        f"{record.subject.name}: {line(r)}"
        for record in records
        for r in record.results
        if not r.passed
    ]


def _row(name: str, record: Record, results: Sequence[Result]) -> tuple[str, ...]:
    subject = record.subject
    return (
        name,
        f"{subject.series} {subject.sanitizer}",
        subject.driver,
        str(sum(r.operations for r in results)),
        str(sum(len(r.reports) for r in results)),
        str(sum(r.lost for r in results)),
        str(sum(r.invented for r in results)),
        f"{sum(r.seconds for r in results):.0f}",
        f"{sum(r.passed for r in results)}/{len(results)}",
    )


def exit_status(records: Sequence[Record]) -> int:
    """3 if a detector was dumb or nothing was done, 1 if our driver failed, else 0.

    What mainline's driver does wrong is told, and is no failure of ours.
    """
    everything = [(record.subject.driver, r) for record in records for r in record.results]
    dumb = any(family_of(r.act) == DETECTOR and not r.passed for _, r in everything)
    if dumb or not everything:
        return 3
    return int(any(driver == OURS and not r.passed for driver, r in everything))
