# SPDX-License-Identifier: GPL-2.0-or-later
"""What came out of a torture: a line per act, a table with the drivers side by side, JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.torture.drivers import OURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.torture.acts import Result

HEADINGS = (
    *("ACT", "SERIES", "DRIVER", "OPERATIONS"),
    *("REPORTS", "LOST", "INVENTED", "SECONDS", "RESULT"),
)
# With what the names of the acts begin that show that a detector speaks.
DETECTOR = "detector: "


@dataclass(frozen=True)
class Choice:
    """How much is done of what, and the seed of it."""

    panics: int
    seconds: float
    rounds: int
    seed: int
    acts: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """One driver in one kernel; `seconds` with building and booting."""

    series: str
    driver: str
    release: str
    results: tuple[Result, ...]
    seconds: float


def line(result: Result) -> str:
    """One act, for the progress."""
    if result.passed:
        return f"{result.act}: pass, {result.operations} operations, {result.seconds:.1f} s"
    words = [result.problem] if result.problem else []
    if result.lost or result.invented:
        words.append(f"{result.lost} events lost, {result.invented} invented")
    if result.reports:
        words.append(f"{len(result.reports)} reports, first: {result.reports[0]}")
    return f"{result.act}: FAIL, {'; '.join(words)}"


def family(result: Result) -> str:
    """The row of the table that an act belongs to."""
    return family_of(result.act)


def family_of(act: str) -> str:
    """What an act's name begins with."""
    return act.partition(" seed ")[0].partition(":")[0]


def table(runs: Sequence[Run]) -> str:
    """The acts of one family summed, the drivers under each other, then what failed."""
    families = list(dict.fromkeys(family(r) for run in runs for r in run.results))
    rows: list[tuple[str, ...]] = [HEADINGS]
    for name in families:
        for run in runs:
            own = [r for r in run.results if family(r) == name]
            if own:
                rows.append(_row(name, run, own))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    failed = [
        f"{run.series} {run.driver}: {line(r)}" for run in runs for r in run.results if not r.passed
    ]
    return "\n".join([*lines, *failed])


def _row(name: str, run: Run, results: Sequence[Result]) -> tuple[str, ...]:
    good = sum(r.passed for r in results)
    return (
        name,
        run.series,
        run.driver,
        str(sum(r.operations for r in results)),
        str(sum(len(r.reports) for r in results)),
        str(sum(r.lost for r in results)),
        str(sum(r.invented for r in results)),
        f"{sum(r.seconds for r in results):.0f}",
        f"{good}/{len(results)}",
    )


def as_json(runs: Sequence[Run], chosen: Choice) -> str:
    """Everything."""
    return (
        json.dumps({"choice": asdict(chosen), "runs": [asdict(run) for run in runs]}, indent=2)
        + "\n"
    )


def exit_status(runs: Sequence[Run]) -> int:
    """3 if a detector was dumb or nothing was done, 1 if our driver failed, else 0.

    What mainline's driver does wrong is told, and is no failure of ours.
    """
    everything = [(run.driver, r) for run in runs for r in run.results]
    dumb = any(r.act.startswith(DETECTOR) and not r.passed for _, r in everything)
    if dumb or not everything:
        return 3
    return int(any(d == OURS and not r.passed for d, r in everything))
