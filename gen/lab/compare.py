# SPDX-License-Identifier: GPL-2.0-or-later
"""Two drivers' notes side by side, and the reviewed list of where they may differ."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from gen.form import check_form
from gen.resources import spec_file
from gen.source import Source, UnreadableSourceError, read_source
from gen.yamltree import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gen.diagnostics import Diagnostics
    from gen.lab.scenario import Check, Outcome
    from gen.source import Span

SCHEMA = "differences.schema.json"
ABSENT = "nothing"
HEADINGS = ("SERIES", "KERNEL", "COMPARED", "LISTED", "UNLISTED", "STALE", "SECONDS", "RESULT")


@dataclass(frozen=True, order=True)
class Place:
    """Where something was seen: the scenario, what was looked at, and the how-manieth time."""

    scenario: str
    what: str
    number: int = 0


@dataclass(frozen=True)
class Difference:
    """What each of two drivers showed in one place."""

    place: Place
    mainline: str
    ours: str


@dataclass(frozen=True)
class Listed:
    """A difference that is meant, on which series, in which scenarios, and why.

    `mainline` matches all that mainline's driver shows there, `ours` is what ours shows.
    """

    series: frozenset[str]
    scenarios: tuple[str, ...]
    what: str
    mainline: re.Pattern[str]
    ours: str
    reason: str
    span: Span

    def covers(self, difference: Difference) -> bool:
        """Whether it is this one."""
        place = difference.place
        here = place.scenario in self.scenarios and place.what == self.what
        both = difference.ours == self.ours and self.mainline.fullmatch(difference.mainline)
        return here and bool(both)


@dataclass(frozen=True)
class Stale:
    """An entry, and a scenario of it that was played and in which it covered nothing."""

    entry: Listed
    scenario: str


@dataclass(frozen=True)
class Comparison:
    """The result: how much was compared, and the differences, sorted into meant and not meant."""

    compared: int
    unlisted: tuple[Difference, ...]
    listed: tuple[tuple[Difference, Listed], ...]
    stale: tuple[Stale, ...]


@dataclass(frozen=True)
class Row:
    """One series: its comparison, or why there is none."""

    series: str
    release: str
    comparison: Comparison | None
    seconds: float
    error: str = ""

    @property
    def status(self) -> int:
        """0 equal or listed, 1 not, 3 not answered."""
        found = self.comparison
        return 3 if found is None else 1 if found.unlisted or found.stale else 0

    @property
    def result(self) -> str:
        """The status in words."""
        return {0: "equal or listed", 1: "DIFFERS", 3: "ERROR"}[self.status]


def observations(outcomes: Iterable[Outcome]) -> dict[Place, str]:
    """All that was seen, and how each scenario ended, where that was not with its checks."""
    found: dict[Place, str] = {}
    for outcome in outcomes:
        found[Place(outcome.name, "how it ended")] = outcome.reason or "played to its end"
        found |= places(outcome.name, outcome.checks)
    return found


def places(scenario: str, checks: Iterable[Check]) -> dict[Place, str]:
    """What was seen, by place."""
    times: Counter[str] = Counter()
    found = {}
    for check in checks:
        found[Place(scenario, check.what, times[check.what])] = check.seen
        times[check.what] += 1
    return found


def compare(
    mainline: Mapping[Place, str], ours: Mapping[Place, str], listed: Sequence[Listed]
) -> Comparison:
    """Hold two drivers against each other, in the order of scenario and place.

    An entry of the list is stale in each of its scenarios that was played and where it covers
    nothing.
    """
    every = list(dict.fromkeys([*mainline, *ours]))
    pairs = (Difference(p, mainline.get(p, ABSENT), ours.get(p, ABSENT)) for p in every)
    found = [pair for pair in pairs if pair.mainline != pair.ours]
    entries = {pair: next((e for e in listed if e.covers(pair)), None) for pair in found}
    covered = {(entry, pair.place.scenario) for pair, entry in entries.items() if entry}
    played = {place.scenario for place in every}
    pieces = [(entry, name) for entry in listed for name in entry.scenarios if name in played]
    return Comparison(
        len(every),
        tuple(pair for pair, entry in entries.items() if entry is None),
        tuple((pair, entry) for pair, entry in entries.items() if entry is not None),
        tuple(Stale(*piece) for piece in pieces if piece not in covered),
    )


def read_list(path: Path, series: str, diagnostics: Diagnostics) -> list[Listed] | None:
    """The entries that count for one series.

    Returns:
        None when the file cannot be read or has not the form of the schema; `diagnostics` has why.
    """
    try:
        source = read_source(path, str(path))
    except UnreadableSourceError as error:
        nowhere = Source(str(path), "").span(1, 1)
        diagnostics.error("YAML006", f"the list cannot be read: {error}", nowhere)
        return None
    root = read_yaml(source, diagnostics)
    if root is None or not check_form(root, diagnostics, SCHEMA) or diagnostics.failed:
        return None
    entries = cast("dict[str, list[dict[str, Any]]]", root.plain())["differences"]
    nodes = [root.find(["differences", index]) for index in range(len(entries))]
    listed = [
        Listed(
            series=frozenset(entry["series"]),
            scenarios=tuple(entry["scenarios"]),
            what=entry["what"],
            mainline=_pattern(entry["mainline"], node.find(["mainline"]).span, diagnostics),
            ours=entry["ours"],
            reason=entry["reason"],
            span=node.head,
        )
        for entry, node in zip(entries, nodes, strict=True)
    ]
    return None if diagnostics.failed else [entry for entry in listed if series in entry.series]


def _pattern(text: str, span: Span, diagnostics: Diagnostics) -> re.Pattern[str]:
    """The regular expression; one that is wrong is told, and matches nothing."""
    try:
        return re.compile(text)
    except re.error as error:
        diagnostics.error("FORM006", f"this is no regular expression: {error}", span)
        return re.compile(r"(?!)")


def default_list() -> Path:
    """The project's own list."""
    return spec_file("mainline/differences.yaml")


def as_json(rows: Sequence[Row]) -> str:
    """The comparisons for programs."""
    return json.dumps({"series": [_series(row) for row in rows]}, indent=2) + "\n"


def _series(row: Row) -> dict[str, object]:
    head: dict[str, object] = {
        "series": row.series,
        "kernel": row.release or None,
        "result": row.result,
        "seconds": round(row.seconds, 1),
        "error": row.error or None,
    }
    found = row.comparison
    if found is None:
        return head
    return head | {
        "compared": found.compared,
        "unlisted": [_data(one) for one in found.unlisted],
        "listed": [_data(one) | {"reason": entry.reason} for one, entry in found.listed],
        "stale": [
            {"entry": str(stale.entry.span), "scenario": stale.scenario} for stale in found.stale
        ],
    }


def _data(difference: Difference) -> dict[str, str | int]:
    sides = {"mainline": difference.mainline, "ours": difference.ours}
    return asdict(difference.place) | sides


def overview(rows: Sequence[Row]) -> str:
    """A line for each series, and below why one could not be compared."""
    cells = [HEADINGS, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([*lines, *(f"{row.series}: {row.error}" for row in rows if row.error)])


def _cells(row: Row) -> tuple[str, ...]:
    found = row.comparison
    counts = (
        (found.compared, len(found.listed), len(found.unlisted), len(found.stale)) if found else ()
    )
    numbers = [str(count) for count in counts] or ["-"] * 4
    return (row.series, row.release or "-", *numbers, f"{row.seconds:.0f}", row.result)


def table(comparison: Comparison) -> str:
    """Differences that nobody listed, entries that cover nothing, and a summary."""
    lines = []
    for difference in comparison.unlisted:
        place = difference.place
        again = f" (time {place.number + 1})" if place.number else ""
        lines += [
            f"{place.scenario}: {place.what}{again}",
            f"    mainline  {difference.mainline}",
            f"    ours      {difference.ours}",
        ]
    lines += [
        f"{stale.entry.span}: stale: '{stale.entry.what}' does not differ so in {stale.scenario}"
        for stale in comparison.stale
    ]
    reasons = Counter(entry.reason for _, entry in comparison.listed)
    lines += [f"listed, {count} times: {reason}" for reason, count in reasons.items()]
    lines.append(
        f"{comparison.compared} things compared: {len(comparison.unlisted)} differ unlisted, "
        f"{len(comparison.listed)} differ as listed, {len(comparison.stale)} stale entries"
    )
    return "\n".join(lines)
