# SPDX-License-Identifier: GPL-2.0-or-later
"""A comparison as markdown, for a pull request or a cover letter: short first, details folded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.diagnostics import visible
from gen.diff.records import Action, TreeSide
from gen.diff.words import (
    LEFTOVER,
    accepted,
    also,
    patches,
    shared,
    stable_trees,
    stale,
    summary,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.diff.compare import Comparison
    from gen.diff.records import Finding, Share


def as_markdown(result: Comparison) -> str:
    """A table for a pull request or a cover letter; the details are folded below it."""
    labels = f"{_code(result.old.label)} to {_code(result.new.label)}"
    in_c = isinstance(result.old, TreeSide) or isinstance(result.new, TreeSide)
    lines = [f"**{'Contract' if in_c else 'Spec'}: {summary(result)}** ({labels})"]
    told: dict[Share, str] = {}
    if result.findings:
        lines += ["", "| severity | what | before | after | concerns |", "|---|---|---|---|---|"]
        lines += [_row(one) for one in result.findings]
        lines += ["", "<details><summary>Why, and what a consumer sees</summary>", ""]
        for one in result.findings:
            lines += _folded(one, result.kernel, told)
        lines += ["</details>"]
    if result.leftover:
        lines += ["", f"<details><summary>{LEFTOVER.capitalize()}</summary>", ""]
        lines += [*fenced(result.leftover), "</details>"]
    if result.accepted:
        lines += ["", *(f"* {visible(accepted(one, by))}." for one, by in result.accepted)]
    if result.stale:
        lines += ["", *(f"* `{one.at}` {stale(one)}." for one in result.stale)]
    if result.unknown:
        lines += ["", "<details><summary>Unknown, so not compared</summary>", ""]
        lines += [
            f"* {_code(one.what)}: {visible(one.why)} ({_code(str(one.at))})"
            for _, one in result.unknown
        ]
        lines += ["", "</details>"]
    if result.also:
        lines += ["", *(f"* `{one.at}`: {visible(also(one))}." for one in result.also)]
    return "\n".join(lines)


def _code(text: str | None) -> str:
    """Text as code in a table's cell; none is an empty cell."""
    if text is None:
        return ""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, room = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{room}{visible(text)}{room}{fence}"


def _row(one: Finding) -> str:
    change = one.change
    # Of what comes or goes the name is in the path.
    whole = change.about or None
    cells = [
        f"{one.rule.severity}",
        f"{one.rule.title}: {_code(change.path)}",
        _code(whole if whole and change.action is Action.REMOVED else change.old),
        _code(whole if whole and change.action is Action.ADDED else change.new),
        who(one.rule),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _folded(one: Finding, kernel: str, told: dict[Share, str]) -> list[str]:
    lines = [f"**{one.rule.id}** {_code(one.change.path)}: {one.rule.why}", ""]
    trees = stable_trees(one)
    tail = f"{trees[0].upper()}{trees[1:]}. At `{one.change.at}`. Fingerprint `{one.fingerprint}`."
    lines += [f"Reference: {one.rule.reference}. Promise: {one.rule.promise}. {tail}", ""]
    for witness in one.witnesses:
        body = [*(f"-{line}" for line in witness.before), *(f"+{line}" for line in witness.after)]
        lines += [
            f"{witness.what[0].upper()}{witness.what[1:]}:",
            "",
            "```diff",
            *map(visible, body),
            "```",
            "",
        ]
    told_of = list(shared(one, kernel, told))
    if told_of:
        lines += [f"{told_of[0][0].upper()}{told_of[0][1:]}", ""]
        lines += fenced(one.share.hunks) if one.share and len(told_of) > 1 else []
    return lines


def fenced(hunks: Iterable[str]) -> Iterator[str]:
    """The lines of a block of markdown for each file that has hunks."""
    for patch in patches(hunks):
        yield from ("```diff", *map(visible, patch.split("\n")), "```", "")
