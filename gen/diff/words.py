# SPDX-License-Identifier: GPL-2.0-or-later
"""What reports for people have in common: counts, who breaks, and what was rendered."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from gen.diff.policy import affected
from gen.diff.records import Action, Severity
from gen.wrap import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.baseline import Entry
    from gen.diff.compare import Comparison
    from gen.diff.records import Also, DiffRule, Finding, Share, Unknown

LEFTOVER = "hunks of the rendered files that no change accounts for by itself"


def summary(result: Comparison) -> str:
    """The counts that close a report."""
    severities = [one.rule.severity for one in result.findings]
    counts = [(one, severities.count(one)) for one in reversed(Severity)]
    words = [f"{count} {one}" for one, count in counts if count]
    if number := len(result.accepted):
        words.append(f"{number} accepted finding{'' if number == 1 else 's'}")
    told, number = ", ".join(words), len(result.unknown)
    parts = sum(len(one.names) for one in result.also)
    more = [f"{number} thing{'' if number == 1 else 's'} unknown"] if number else []
    more += [f"{parts} part{'' if parts == 1 else 's'} of the C changed"] if parts else []
    if not more:
        return told or "no change"
    if told:
        return "; ".join([told, *more])
    where = "in what could be read" if number else "seen in the contract"
    return f"no change {where}: {'; '.join(more)}"


def unknown(one: Unknown) -> str:
    """What is told of what a driver's C does not tell."""
    return f"unknown, so not compared: {one.what}: {one.why}"


def also(one: Also) -> str:
    """What is told of parts of C that differ without a finding."""
    return f"changed as well, and no finding has its place there: {listing(one.names)}"


def accepted(one: Finding, by: Entry) -> str:
    """What is told of a finding that a review has accepted."""
    return f"accepted {one.rule.id} ({one.fingerprint}): {one.message}; {by.reason}"


def stable_trees(one: Finding) -> str:
    """What stable trees make of a change; of what comes, the spec may say which have it."""
    item = one.change.pair.new if one.change.pair else None
    have = item.facts.get("stable") if item else None
    if have and one.change.action is Action.ADDED and "." not in one.change.subject:
        return f"stable trees have it: {have.value}"
    return f"a stable tree {'takes it' if one.rule.stable else 'does not take it'}"


def who(rule: DiffRule) -> str:
    """Who breaks, in words."""
    return ", ".join(affected(rule)) or "nobody"


def concern(rule: DiffRule) -> str:
    """What to call those whom a rule is about."""
    return "who breaks" if rule.severity.weight > Severity.COMPATIBLE.weight else "concerns"


def indented(hunks: Iterable[str]) -> Iterator[str]:
    """Hunks as lines below a finding."""
    return (f"  {line}" for patch in patches(hunks) for line in patch.split("\n"))


def patches(hunks: Iterable[str]) -> Iterator[str]:
    """The hunks of each file below one header."""
    parts = ([*hunk.rstrip("\n").split("\n")] for hunk in hunks)
    for head, group in groupby(parts, key=lambda lines: tuple(lines[:2])):
        yield "\n".join([*head, *(line for lines in group for line in lines[2:])])


def shared(one: Finding, kernel: str, told: dict[Share, str]) -> Iterator[str]:
    """What a change does to the rendered files, once for all findings that have it in common."""
    share = one.share
    if share is None:
        return
    # Of changes that were rendered together each names the others, and all have the same hunks.
    key = replace(share, together=tuple(sorted({one.change.path, *share.together})))
    if key in told and share.hunks:
        yield f"rendered: as for {told[key]} above"
        return
    told[key] = one.rule.id
    yield f"{_rendering(share, kernel)}{':' if share.hunks else ''}"
    yield from indented(share.hunks)


def _rendering(share: Share, kernel: str) -> str:
    """What was rendered to see a change's share of the files."""
    what = f"rendered for Linux {kernel}"
    if share.together:
        what += f", together with {', '.join(share.together)}"
    return what if share.hunks else f"{what}: no line differs"


def stale(entry: Entry) -> str:
    """What is told of an acceptance."""
    return f"accepts {entry.rule} ({entry.fingerprint}), which is not found: remove it"
