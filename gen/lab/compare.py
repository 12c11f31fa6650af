# SPDX-License-Identifier: GPL-2.0-or-later
"""Two drivers' notes side by side, and the reviewed list of where they may differ."""

from __future__ import annotations

import json
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
    """A difference that is meant, on which series, and why."""

    series: frozenset[str]
    scenario: str
    what: str
    mainline: str
    ours: str
    reason: str
    span: Span

    def covers(self, difference: Difference) -> bool:
        """Whether it is exactly this one."""
        place = difference.place
        return (self.scenario, self.what, self.mainline, self.ours) == (
            place.scenario,
            place.what,
            difference.mainline,
            difference.ours,
        )


@dataclass(frozen=True)
class Comparison:
    """The result: how much was compared, and the differences, sorted into meant and not meant."""

    compared: int
    unlisted: tuple[Difference, ...]
    listed: tuple[tuple[Difference, Listed], ...]
    stale: tuple[Listed, ...]


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

    An entry of the list is stale when its scenario was played and it covers nothing.
    """
    every = list(dict.fromkeys([*mainline, *ours]))
    pairs = (Difference(p, mainline.get(p, ABSENT), ours.get(p, ABSENT)) for p in every)
    found = [pair for pair in pairs if pair.mainline != pair.ours]
    entries = {pair: next((e for e in listed if e.covers(pair)), None) for pair in found}
    used = {entry for entry in entries.values() if entry is not None}
    played = {place.scenario for place in every}
    return Comparison(
        len(every),
        tuple(pair for pair, entry in entries.items() if entry is None),
        tuple((pair, entry) for pair, entry in entries.items() if entry is not None),
        tuple(e for e in listed if e.scenario in played and e not in used),
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
    listed = [
        Listed(
            series=frozenset(entry["series"]),
            scenario=entry["scenario"],
            what=entry["what"],
            mainline=entry["mainline"],
            ours=entry["ours"],
            reason=entry["reason"],
            span=root.find(["differences", index]).head,
        )
        for index, entry in enumerate(entries)
    ]
    return [entry for entry in listed if series in entry.series]


def default_list() -> Path:
    """The project's own list."""
    return spec_file("mainline/differences.yaml")


def as_json(series: str, comparison: Comparison) -> str:
    """The comparison for programs."""
    listed = [_data(one) | {"reason": entry.reason} for one, entry in comparison.listed]
    document = {
        "series": series,
        "compared": comparison.compared,
        "unlisted": [_data(one) for one in comparison.unlisted],
        "listed": listed,
        "stale": [str(entry.span) for entry in comparison.stale],
    }
    return json.dumps(document, indent=2) + "\n"


def _data(difference: Difference) -> dict[str, str | int]:
    sides = {"mainline": difference.mainline, "ours": difference.ours}
    return asdict(difference.place) | sides


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
    lines += [f"{e.span}: stale: nothing differs in '{e.what}' any more" for e in comparison.stale]
    reasons = Counter(entry.reason for _, entry in comparison.listed)
    lines += [f"listed, {count} times: {reason}" for reason, count in reasons.items()]
    lines.append(
        f"{comparison.compared} things compared: {len(comparison.unlisted)} differ unlisted, "
        f"{len(comparison.listed)} differ as listed, {len(comparison.stale)} stale entries"
    )
    return "\n".join(lines)
