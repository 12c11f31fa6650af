# SPDX-License-Identifier: GPL-2.0-or-later
"""Outcomes as a table for people, as JSON for programs, and as an exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gen.lab.scenario import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen.lab.bench import Bench

COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.ERROR: "red",
    Verdict.UNAVAILABLE: "yellow",
    Verdict.INAPPLICABLE: "yellow",
}
HEADINGS = ("SCENARIO", "VERDICT", "WHAT", "EXPECTED", "SEEN")
# Characters of a cell where all is well. What went wrong is shown whole.
CELL = 46
UNANSWERED = 3

Cells = tuple[str, str, str]


def exit_status(outcomes: Sequence[Outcome], *, allow_unavailable: bool) -> int:
    """1 if the driver failed; 3 if something could not be answered, or nothing was; else 0."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if Verdict.FAIL in verdicts:
        return 1
    if Verdict.ERROR in verdicts or Verdict.PASS not in verdicts:
        return UNANSWERED
    unavailable = Verdict.UNAVAILABLE in verdicts and not allow_unavailable
    return UNANSWERED if unavailable else 0


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
    """For each scenario what failed, whole; else what it is about, cut to the column."""
    names = [outcome.name for outcome in outcomes]
    widths = (max(map(len, ["SCENARIO", *names])), max(map(len, Verdict)), CELL, CELL)
    lines = [_line(HEADINGS, widths)]
    for outcome in outcomes:
        lines += _lines(outcome, widths, colour=colour)
    lines += [
        f"{outcome.name}: console log in {outcome.log / 'console.log'}"
        for outcome in outcomes
        if outcome.log is not None
    ]
    return "\n".join([*lines, summary(outcomes)])


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many scenarios ended how, and how much was looked at."""
    counts = [(v, sum(outcome.verdict is v for outcome in outcomes)) for v in Verdict]
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    checks = sum(len(outcome.checks) for outcome in outcomes)
    return f"{len(outcomes)} scenarios: {words or 'none'}; {checks} checks"


def _lines(outcome: Outcome, widths: Sequence[int], *, colour: bool) -> Iterator[str]:
    verdict = outcome.verdict.value.ljust(widths[1])
    if colour:
        verdict = click.style(verdict, fg=COLOURS[outcome.verdict], bold=True)
    head = f"{outcome.name.ljust(widths[0])}  {verdict}  "
    blank = " " * (widths[0] + widths[1] + 4)
    for number, cells in enumerate(_cells(outcome)):
        yield ((blank if number else head) + _line(cells, widths[2:])).rstrip()


def _cells(outcome: Outcome) -> Iterator[Cells]:
    failed = [check for check in outcome.checks if not check.passed]
    if outcome.reason:
        yield (outcome.reason, "", "")
    for check in failed:
        yield (check.what, check.expected, check.seen)
    told = [] if failed else [check for check in outcome.checks if check.main]
    for check in told:
        yield (_cut(check.what), _cut(check.expected), _cut(check.seen))
    rest = len(outcome.checks) - len(failed) - len(told)
    if rest:
        what = f"{rest} more" if told or failed else f"{rest} things"
        yield (what, "", "as expected")


def _cut(text: str) -> str:
    return text if len(text) <= CELL else text[: CELL - 3] + "..."


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, *cells[len(widths) :]]).rstrip()
