# SPDX-License-Identifier: GPL-2.0-or-later
"""What a consumer would see of a change, computed from both sides.

A side that was read out of C has the same views as a spec; a line needs facts that both sides
tell, so that what is only unknown is never shown as lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen.diff.apart import apart
from gen.diff.records import Action, Pair, Witness
from gen.diff.views import VIEWS, aliases, heard, of_kind, sent_to_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.diff.records import Change, DiffRule, Finding, Item
    from gen.diff.views import View


def witnesses(
    change: Change,
    rule: DiffRule,
    rules: Sequence[DiffRule],
    old: Sequence[Item],
    new: Sequence[Item],
) -> tuple[Witness, ...]:
    """What a consumer sees of one change by itself, as far as it concerns whom the rule is about.

    `rules` are all that judge the change: what none of them is about is seen at each.
    """
    # A fact of a nested item: of `frontend[x].kconfig.depends` it is the kconfig that counts.
    kind = change.subject.partition(".")[0]
    left, right = apart(change, old, new)
    found = [
        Witness(what, *_only(*_seen(view, change, (left, right), old)))
        for what, view in VIEWS.get(change.subject, VIEWS.get(kind, ()))
        # Of the ids of a driver that comes or goes, each is told by itself.
        if not (view is aliases and change.subject == kind == "frontend" and _half(change))
        and (_CONCERNS[what] in rule.breaks or not any(_CONCERNS[what] in r.breaks for r in rules))
    ]
    if change.subject in _CONFIGURES:
        found.append(_olddefconfig(change, old, new))
    return tuple(one for one in found if one.before != one.after)


def told_once(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings without the witnesses that one before them has.

    Of what comes or goes that is each line: a new attribute of a new driver is seen at one of them.
    """
    told: set[tuple[str, bool, str]] = set()
    kept = []
    for one in found:
        seen = []
        for witness in one.witnesses:
            before = [(witness.what, False, line) for line in witness.before]
            after = [(witness.what, True, line) for line in witness.after]
            if _half(one.change):
                left, right = (
                    tuple(key[2] for key in side if key not in told) for side in (before, after)
                )
                seen.append(replace(witness, before=left, after=right))
            elif not told.issuperset([*before, *after]):
                seen.append(witness)
            told.update(before, after)
        kept.append(replace(one, witnesses=tuple(x for x in seen if x.before or x.after)))
    return tuple(kept)


def _half(change: Change) -> bool:
    """Whether a whole item comes or goes."""
    return change.pair is not None and None in (change.pair.old, change.pair.new)


def _seen(
    view: View, change: Change, sides: tuple[Sequence[Item], Sequence[Item]], old: Sequence[Item]
) -> tuple[list[str], list[str]]:
    """A view of both sides; to the host, all that counts is what a host that is there knows."""
    left, right = sides
    if view is not sent_to_host:
        return view(left), view(right)
    if change.action is Action.REUSED and change.pair and change.pair.old and change.pair.new:
        # What the host hears of both events, as each side has it.
        return sent_to_host([change.pair.old]), sent_to_host([change.pair.new])
    if change.subject.startswith("event.qemu"):
        return sent_to_host(left), sent_to_host(right)
    # Of what comes, the host knows what the new side says, but what it knew it takes for that.
    known = heard(right) | heard(old) if _half(change) else heard(left)
    return sent_to_host(left, known), sent_to_host(right, known)


def _only(old: list[str], new: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines that the other side lacks."""
    return tuple(x for x in old if x not in new), tuple(x for x in new if x not in old)


_CONCERNS = {
    "module aliases": "AUTOLOAD",
    "drivers": "USER",
    "sysfs": "USER",
    "contents": "USER",
    "parameters": "USER",
    "the host": "HOST",
    "macros": "USER",
    "modules": "AUTOLOAD",
    "registers": "HOST",
    "regions": "HOST",
    "hooks": "HOST",
    "sent all the same": "HOST",
}
_CONFIGURES = frozenset({"kconfig", "kconfig.symbol", "kconfig.type", "kconfig.depends"})


def _olddefconfig(change: Change, old: Sequence[Item], new: Sequence[Item]) -> Witness:
    """An old .config in which what the change takes away is on, and what is left of that.

    Where it only allows more: a .config that has what is new, and what there was of that before.
    """
    from gen.diff.config import carry_on  # noqa: PLC0415 (kconfiglib takes long to load)

    more = change.direction == "loosened"
    what = "a .config" if more else "an old .config after olddefconfig"
    if change.pair is None:
        return Witness(what, (), ())
    # The symbol of the whole device first, on which the others depend.
    left, right = (sorted(of_kind(side, "kconfig"), key=lambda one: one.owner != "") for side in
                   (old, new))  # fmt: skip
    if more:
        after, before, assumed = carry_on(right, left, Pair(change.pair.new, change.pair.old))
    else:
        before, after, assumed = carry_on(left, right, change.pair)
    if assumed:
        values = ", ".join(f"{name}={'y' if value else 'n'}" for name, value in assumed.items())
        what = what.replace(".config", f".config with {values}")
    return Witness(what, *_only(list(before), list(after)))
