"""Outcomes as a table for people, as JSON for programs, and as an exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gen.lab.scenario import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.lab.bench import Bench
    from gen.lab.scenario import Check

COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.ERROR: "red",
    Verdict.UNAVAILABLE: "yellow",
    Verdict.INAPPLICABLE: "yellow",
}
# Rows of a scenario's checks that are shown one by one when all is well.
ROWS = 4
HEADINGS = ("SCENARIO", "VERDICT", "WHAT", "EXPECTED", "SEEN")
Row = tuple[str, str, str, str, str]


def exit_status(outcomes: Sequence[Outcome], *, allow_unavailable: bool) -> int:
    """1 if the driver failed; 3 if something could not be answered, or nothing was; else 0."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if Verdict.FAIL in verdicts:
        return 1
    if Verdict.ERROR in verdicts or Verdict.PASS not in verdicts:
        return 3
    return 3 if Verdict.UNAVAILABLE in verdicts and not allow_unavailable else 0


def as_json(outcomes: Sequence[Outcome], bench: Bench, release: str) -> str:
    """Everything that was looked at."""
    document = {
        "device": bench.device.name,
        "kernel": release,
        "qemu": str(bench.version),
        "scenarios": [_object(outcome) for outcome in outcomes],
    }
    return json.dumps(document, indent=2) + "\n"


def _object(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.name,
        "title": outcome.title,
        "verdict": outcome.verdict.name.lower(),
        "reason": outcome.reason or None,
        "seconds": round(outcome.seconds, 1),
        "log": str(outcome.log) if outcome.log else None,
        "checks": [
            {"what": c.what, "expected": c.expected, "seen": c.seen, "passed": c.passed}
            for c in outcome.checks
        ],
    }


def table(outcomes: Sequence[Outcome], *, colour: bool) -> str:
    """A row for each check that failed, for each of a few that did not, and a count of the rest."""
    rows = [row for outcome in outcomes for row in _rows(outcome)]
    widths = [max(len(row[column]) for row in [HEADINGS, *rows]) for column in range(4)]
    widths[3] = min(widths[3], 60)
    lines = [_line(HEADINGS, widths)]
    lines += [_painted(row, widths, colour=colour) for row in rows]
    for outcome in outcomes:
        if outcome.log is not None:
            lines.append(f"{outcome.name}: console log in {outcome.log / 'console.log'}")
    return "\n".join([*lines, summary(outcomes)])


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many scenarios ended how, and how much was looked at."""
    counts = [(v, sum(outcome.verdict is v for outcome in outcomes)) for v in Verdict]
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    checks = sum(len(outcome.checks) for outcome in outcomes)
    return f"{len(outcomes)} scenarios: {words}; {checks} checks"


def _rows(outcome: Outcome) -> list[Row]:
    details = _details(outcome)
    first, *rest = details or [("", "", "")]
    return [
        (outcome.name, outcome.verdict.value, *first),
        *(("", "", *detail) for detail in rest),
    ]


def _details(outcome: Outcome) -> list[tuple[str, str, str]]:
    failed = [check for check in outcome.checks if not check.passed]
    told = _telling(outcome.checks)
    shown = failed or told
    details = [(check.what, check.expected, check.seen) for check in shown]
    hidden = sum(check.passed for check in outcome.checks) - (0 if failed else len(told))
    if hidden > 0:
        details.append((f"and {hidden} more as expected", "", ""))
    if outcome.reason:
        details.insert(0, (outcome.reason, "", ""))
    return details


def _telling(checks: Sequence[Check]) -> list[Check]:
    """The checks that say what happened, if they are few; a long list is only counted."""
    return list(checks) if len(checks) <= ROWS else list(checks[-ROWS:-1])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def _painted(row: Row, widths: Sequence[int], *, colour: bool) -> str:
    line = _line(row, widths)
    if not colour or not row[1]:
        return line
    start = widths[0] + 2
    painted = click.style(row[1], fg=COLOURS[Verdict(row[1])], bold=True)
    return line[:start] + painted + line[start + len(row[1]) :]
