# SPDX-License-Identifier: GPL-2.0-or-later
"""The execution rules: one run of all scenarios, whose defects are told by the rule they break.

They come after all other rules. A defect that another rule has told already is not told again by
its consequences: nothing is run while an error stands that changes what the driver does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.execution import older
from checks.execution.core import Core
from checks.execution.faults import SURPRISES, UnknownError
from checks.execution.outcomes import run_all
from checks.execution.scenarios import Scenarios
from checks.match import anchor, driver_type
from checks.rule import CHECKS, Assumed, Found, NotApplicable, Unknown, rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.execution.explorer import Shown
    from checks.execution.outcomes import Decided
    from checks.rule import Check, Context, Word
    from gen.diagnostics import Diagnostic
    from gen.source import Span

MEMO, TOLD = "execution", "findings"
RULES = tuple(f"RUN{number}" for number in range(301, 315))
# What their findings are about changes nothing of what a running driver does.
_NEUTRAL = frozenset({
    "PARSE002", "KERN127", "KERN128", "KERN129",
    "SPEC021", "SPEC022", "SPEC023", "SPEC026", "PORT201", "PORT203",
})  # fmt: skip
_ANALYSIS = frozenset({"PARSE001", "KERN133"})


def _words(context: Context) -> dict[str, list[Word]]:
    """What running the driver has to say, by rule."""
    if MEMO not in context.memo:
        context.memo[MEMO] = _run(context)
    words: dict[str, list[Word]] = context.memo[MEMO]
    return words


def _for_all(word: Word) -> dict[str, list[Word]]:
    return {rule: [word] for rule in RULES}


def _told(context: Context) -> list[Diagnostic]:
    """The findings of the other rules."""
    return list(context.memo.get(TOLD, ()))


def _hindrance(context: Context) -> Word | None:
    """Why the driver is not run at all, if it is not."""
    facts, table = context.facts, rules()
    problem = next((item for item in facts.problems if item.rule in _ANALYSIS), None)
    if problem is not None:
        return Unknown("not all of the source could be analysed", problem.span)
    if context.device.later:
        word = _older(context)
        if word is not None:
            return word
    elif not any(facts.objects(driver_type(item)) for item in context.device.frontends):
        return NotApplicable("no driver structure in the given files")
    for item in _told(context):
        if table[item.rule].gates and item.rule not in _NEUTRAL:
            why = f"the driver is run once the errors that others have found ({item.rule}) are gone"
            return Unknown(why, item.span)
    return None


def _older(context: Context) -> Word | None:
    """Why a driver that is older than the spec's frontends is not run, if it is not."""
    if not older.drivers(context.facts):
        return NotApplicable("no driver structure in the given files")
    for driver in older.unmatched(context):
        return Unknown("no id of the spec is seen in a table of this driver", driver.span)
    return None


def _run(context: Context) -> dict[str, list[Word]]:
    hindrance = _hindrance(context)
    if hindrance is not None:
        return _for_all(hindrance)
    found: list[Decided] = []
    try:
        kinds = older.variants(context) if context.device.later else [None]
        found.extend(run_all(_scenarios(context, variant)) for variant in kinds)
    except UnknownError as error:
        return _for_all(_unknown(context, error.why, error.span))
    except (*SURPRISES, RecursionError) as error:
        return _for_all(_unknown(context, f"a construct of an unexpected kind ({error})", None))
    strange = [item for one in found for item in (*(s.what for s in one.assumed), *one.undefined)]
    if strange and not context.facts.tree.whole:
        return _for_all(NotApplicable(f"not the whole driver is given: {strange[0]} is missing"))
    words: dict[str, list[Word]] = {rule: [] for rule in RULES}
    told: dict[tuple[str, Span], Shown] = {}
    for one in reversed(found):
        told |= one.shown
    for item in told.values():
        words[item.rule].append(_found(item))
    for one in found:
        _undecided(context, one, words)
    return words


def _undecided(context: Context, found: Decided, words: dict[str, list[Word]]) -> None:
    """What is open, and what was taken to be so."""
    for rule, why, span in found.open:
        words[rule].append(_unknown(context, why, span))
    for why, span in found.unknown.items():
        for said in words.values():
            said.append(_unknown(context, why, span))
    for site in found.assumed[:1]:
        why = f"{site.what} is taken to do nothing to the driver: {site.why}"
        for said in words.values():
            said.append(Assumed(why, site.span()))


def _scenarios(context: Context, variant: older.Variant | None) -> Scenarios:
    table = rules()
    core = Core(context, context.units, variant)
    return Scenarios(core, anchor(context), lambda rule: table[rule].gates)


def _unknown(context: Context, why: str, span: Span | None) -> Word:
    if not context.facts.tree.whole:
        return NotApplicable(f"not the whole driver is given: {why}")
    return Unknown(why, span)


def _found(shown: Shown) -> Found:
    steps = "; ".join(f"{number}. {step}" for number, step in enumerate(shown.story, 1))
    return Found(shown.message, shown.span, shown.spec, f"seen when {steps}" if steps else None)


def _check(rule: str) -> Check:
    def check(context: Context) -> Iterable[Word]:
        return _words(context)[rule]

    return check


CHECKS.update({rule: _check(rule) for rule in RULES})
