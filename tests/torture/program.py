# SPDX-License-Identifier: GPL-2.0-or-later
"""Which acts are played on a driver, in which order, and how often."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.torture import acts, panics, plugging, poweroff
from tests.torture.arena import BARE, CALM, FIRE, FIRE_APART

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from tests.torture.acts import Result
    from tests.torture.arena import Arena

DETECTOR = "detector"
LOAD = "load"
FAMILIES = (
    *(DETECTOR, "allocations", "calls", "attributes", "reload", "hotplug", "power-off", "panic"),
)
# One guest does so many rounds, so that a run that is ended loses little.
RELOADS = 50
PLUGS = 3
# A family that failed so often is given up, unless its acts differ by their moment.
GIVE_UP = 5


@dataclass(frozen=True)
class Choice:
    """How much is done of what, and the seed of it."""

    panics: int
    operations: int
    seconds: float
    rounds: int
    plugs: int
    power_offs: int
    seed: int
    families: tuple[str, ...]


@dataclass(frozen=True)
class Act:
    """A name that stays the same from run to run, a saved state, and what is done in it."""

    name: str
    state: str
    play: Callable[[Arena], Awaitable[Result]]

    @property
    def family(self) -> str:
        """What its name begins with."""
        return family_of(self.name)


def family_of(name: str) -> str:
    """The row of the table that an act belongs to."""
    return name.partition(" #")[0].partition(":")[0]


def _act(name: str, state: str, play: Callable[..., Awaitable[Result]], **words: object) -> Act:
    return Act(name, state, functools.partial(play, name=name, **words))


def program(
    sanitizer: str,
    functions: dict[str, int],
    failing: dict[str, int],
    chosen: Choice,
    done: Callable[[], Sequence[Result]],
) -> Iterator[Act]:
    """The acts in their order, the detectors first; numbers count on from the seed.

    Attributes are used until the results in `done` say that enough was done to them.
    """
    for act in _numbered(sanitizer, functions, failing, chosen):
        if act.family.split()[0] in chosen.families:
            yield act
    number = chosen.seed
    while "attributes" in chosen.families and not given_up("attributes", done()):
        if _used(done()) >= chosen.operations:
            return
        name = f"attributes #{number}: {chosen.seconds:g} s"
        yield _act(name, CALM, acts.attributes, seconds=chosen.seconds, seed=number)
        number += 1


def _used(results: Sequence[Result]) -> int:
    return sum(r.operations for r in results if family_of(r.act) == "attributes")


def _numbered(
    sanitizer: str, functions: dict[str, int], failing: dict[str, int], chosen: Choice
) -> Iterator[Act]:
    """The acts whose number is known beforehand."""
    for which, pattern in acts.DEFECTS[sanitizer].items():
        name = f"{DETECTOR}: {which}"
        yield _act(name, CALM, acts.defect, which=which, pattern=pattern)
    yield _act(f"{DETECTOR}: lost event", CALM, panics.lost_event)
    yield _act(f"{DETECTOR}: extra event", CALM, panics.extra_event)
    if sanitizer == "kasan":
        yield _act("allocations", CALM, acts.allocations)
        yield _act("calls", CALM, acts.calls, failing=failing)
    first = chosen.seed
    for number in range(first, first + -(-chosen.rounds // RELOADS)):
        rounds = min(RELOADS, chosen.rounds - (number - first) * RELOADS)
        yield _act(f"reload #{number}: {rounds} rounds", CALM, acts.reload, rounds=rounds)
    for number in range(first, first + -(-chosen.plugs // PLUGS)):
        rounds = min(PLUGS, chosen.plugs - (number - first) * PLUGS)
        yield _act(f"hotplug #{number}: {rounds} rounds", FIRE, plugging.hotplug, rounds=rounds)
    for number in range(first, first + chosen.panics):
        yield _panic(number, functions)
    for number in range(first, first + chosen.power_offs):
        yield _act(f"power-off #{number}", BARE, poweroff.power_off, seed=number)


def _panic(number: int, functions: dict[str, int]) -> Act:
    """Moments take turns; all of them under both kinds of fire."""
    moments = panics.MOMENTS
    moment = moments[number % len(moments)]
    state = (FIRE, FIRE_APART)[number // len(moments) % 2]
    name = f"panic {moment} #{number}"
    return _act(name, state, panics.panic, moment=moment, seed=number, functions=functions)


def given_up(family: str, results: Sequence[Result]) -> bool:
    """Whether a family's acts, which repeat the same, failed too often to go on."""
    failed = sum(family_of(r.act) == family and not r.passed for r in results)
    return failed >= GIVE_UP and family in {"attributes", "reload", "hotplug"}
