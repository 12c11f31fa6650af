# SPDX-License-Identifier: GPL-2.0-or-later
"""All scenarios once for each answer that a value of which nothing is known may give.

What is shown whatever the answers are, is a defect. What one answer shows and another one does not
is told as open, with the call that decides it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.execution.opaque import State
from checks.execution.world import TOTAL

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from checks.execution.explorer import Shown
    from checks.execution.opaque import Question, Site
    from checks.execution.scenarios import Scenarios
    from gen.source import Span

    Key = tuple[str, Span]
    Open = tuple[str, str, Span | None]

# Runs beside the first one: each costs as much as that, and all together no more than one may.
RUNS = 8
TELLS = {
    State.ZERO: "returns zero", State.VALID: "returns no error", State.ERROR: "returns an error",
}  # fmt: skip


@dataclass
class Outcome:
    """What one run has shown, and cost; `cut`: an answer kept some of it from being run."""

    shown: dict[Key, Shown]
    unknown: dict[str, Span | None]
    asked: dict[Hashable, Question]
    open: list[Open]
    cut: bool
    cost: int


@dataclass(frozen=True)
class _Answered:
    """A run with another answer to one question."""

    key: Hashable
    state: State
    outcome: Outcome

    def speaks_against(self, place: Key, item: Shown) -> bool:
        """Whether what rests on that question is not shown with this answer."""
        rests = self.key in item.depends and not self.outcome.cut
        return rests and place not in self.outcome.shown


@dataclass
class Decided:
    """What all runs together say; `open` has what rests on a value, by rule.

    `assumed` has the functions without a model that were called, `undefined` names of nothing.
    """

    shown: dict[Key, Shown]
    unknown: dict[str, Span | None]
    open: list[Open] = field(default_factory=list)
    assumed: list[Site] = field(default_factory=list)
    undefined: list[str] = field(default_factory=list)


def run_all(scenarios: Scenarios) -> Decided:
    """Run a driver with every answer in turn."""
    given: dict[Hashable, State] = {}
    first = _run(scenarios, given, TOTAL)
    left, may_cost = RUNS, TOTAL - first.cost
    for key, state in list(_others(first))[:left] if first.cut else ():
        # The usual answer ends it all: another one tells more.
        left -= 1
        other = _run(scenarios, {key: state}, may_cost)
        may_cost -= other.cost
        if not other.cut:
            given, first = {key: state}, other
            break
    tried = [(key, state) for key, state in _others(first) if key not in given]
    runs: list[_Answered] = []
    for key, state in tried[: min(left, max(may_cost, 0) // max(first.cost, 1))]:
        outcome = _run(scenarios, {**given, key: state}, may_cost)
        runs.append(_Answered(key, state, outcome))
        may_cost -= outcome.cost
    found = Decided({}, dict(first.unknown), list(first.open))
    program = scenarios.core.program
    found.assumed, found.undefined = list(program.strangers.values()), sorted(program.undefined)
    untried = {key for key, _ in tried[len(runs) :]}
    for place, item in first.shown.items():
        against = [run.key for run in runs if run.speaks_against(place, item)]
        against += [key for key in untried if key in item.depends]
        if against:
            question = first.asked[against[0]]
            _open(found, item, question.site, TELLS[question.usual])
        else:
            found.shown[place] = item
    for run in runs:
        site = first.asked[run.key].site
        for why, span in run.outcome.unknown.items():
            found.unknown.setdefault(why, span)
        found.open += [word for word in run.outcome.open if word not in found.open]
        for place, item in run.outcome.shown.items():
            if place not in first.shown:
                _open(found, item, site, TELLS[run.state])
    _limits(found, first, untried)
    return found


def _limits(found: Decided, first: Outcome, untried: set[Hashable]) -> None:
    """What was not run at all."""
    if first.cut:
        for question in list(first.asked.values())[:1]:
            why = f"what {question.site.what} gives decides whether the driver works at all"
            found.unknown.setdefault(f"{why}: {question.site.why}", question.site.span())
    for key in untried:
        site = first.asked[key].site
        why = f"more calls decide than the checker has time for, as {site.what}"
        found.unknown.setdefault(f"{why}: {site.why}", site.span())


def _run(scenarios: Scenarios, given: dict[Hashable, State], may_cost: int) -> Outcome:
    questions = scenarios.world.questions
    questions.given, questions.asked = given, {}
    scenarios.begin(may_cost)
    scenarios.run()
    return Outcome(
        scenarios.shown, scenarios.unknown, questions.asked, scenarios.open, scenarios.cut,
        may_cost - scenarios.world.left,
    )  # fmt: skip


def _others(first: Outcome) -> Iterator[tuple[Hashable, State]]:
    """The answers that were not given, one to each question first."""
    asked = [(key, sorted(item.others, key=_name)) for key, item in first.asked.items()]
    for number in range(len(State)):
        yield from ((key, others[number]) for key, others in asked if number < len(others))


def _name(state: State) -> str:
    return state.name


def _open(found: Decided, item: Shown, site: Site, tells: str) -> None:
    word = (item.rule, f"{item.message}, if {site.what} {tells}: {site.why}", site.span())
    if word not in found.open:
        found.open.append(word)
