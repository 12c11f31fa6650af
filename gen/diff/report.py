# SPDX-License-Identifier: GPL-2.0-or-later
"""A comparison as text, markdown, JSON, SARIF 2.1.0 or GitHub annotations."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gen.diagnostics import Diagnostic, Related, format_text, visible
from gen.diagnostics import Severity as Level
from gen.diff.policy import affected, diff_rules
from gen.diff.records import Severity
from gen.serial import github_line, place, sarif_location, sarif_log, tool_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gen.baseline import Entry
    from gen.diff.compare import Comparison
    from gen.diff.records import DiffRule, Finding, Share

LEFTOVER = "hunks of the rendered files that no change accounts for by itself"
STALE = "ACCEPTED_STALE"
_LEVELS = {
    Severity.BREAK: Level.ERROR,
    Severity.RISKY: Level.WARNING,
    Severity.COMPATIBLE: Level.NOTE,
    Severity.DOC: Level.NOTE,
}


def summary(result: Comparison) -> str:
    """The counts that close a report."""
    severities = [one.rule.severity for one in result.findings]
    counts = [(one, severities.count(one)) for one in reversed(Severity)]
    words = ", ".join(f"{count} {one}" for one, count in counts if count) or "no change"
    return words + (f" ({len(result.accepted)} accepted)" if result.accepted else "")


def _who(rule: DiffRule) -> str:
    return ", ".join(affected(rule)) or "nobody"


def as_text(result: Comparison, *, colour: bool = False) -> str:
    """Each finding at its place, with what a consumer would see, then the counts."""
    parts = []
    told: dict[Share, str] = {}
    for one in result.findings:
        item = _diagnostic(one)
        text = format_text(item, colour=colour)
        head = f"{_LEVELS[one.rule.severity]}[{one.rule.id}]"
        parts.append(text.replace(head, f"{one.rule.severity}[{one.rule.id}]", 1))
        parts += [f"  {visible(line)}" for line in _details(one)]
        parts += [f"  {visible(line)}" for line in _shared(one, result.kernel, told)]
    if result.leftover:
        parts.append(f"{LEFTOVER}:")
        parts += [f"  {visible(line)}" for line in _lines(result.leftover)]
    parts += [f"{entry.at}: note: {_stale(entry)}" for entry in result.stale]
    return "\n".join([*parts, summary(result)])


def _lines(hunks: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for patch in _patches(hunks) for line in patch.split("\n"))


def _patches(hunks: Iterable[str]) -> Iterator[str]:
    """The hunks of each file below one header."""
    parts = ([*hunk.rstrip("\n").split("\n")] for hunk in hunks)
    for head, group in groupby(parts, key=lambda lines: tuple(lines[:2])):
        yield "\n".join([*head, *(line for lines in group for line in lines[2:])])


def _shared(one: Finding, kernel: str, told: dict[Share, str]) -> Iterator[str]:
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
    yield from _lines(share.hunks)


def _rendering(share: Share, kernel: str) -> str:
    """What was rendered to see a change's share of the files."""
    what = f"rendered for Linux {kernel}"
    if share.together:
        what += f", together with {', '.join(share.together)}"
    return what if share.hunks else f"{what}: no line differs"


def _stale(entry: Entry) -> str:
    return f"accepts {entry.rule} ({entry.fingerprint}), which is not found: remove it"


def _diagnostic(one: Finding) -> Diagnostic:
    change = one.change
    other = change.old_at if change.new_at else None
    related = (Related(other, "before"),) if other else ()
    return Diagnostic(one.rule.id, one.message, change.at, _LEVELS[one.rule.severity],
                      related=related)  # fmt: skip


def _details(one: Finding) -> Iterator[str]:
    stable = "takes it" if one.rule.stable else "does not take it"
    word = "who breaks" if one.rule.severity.weight > Severity.COMPATIBLE.weight else "concerns"
    yield f"{word}: {_who(one.rule)}; a stable tree {stable}; {one.fingerprint}"
    for witness in one.witnesses:
        yield f"{witness.what}:"
        yield from (f"  - {line}" for line in witness.before)
        yield from (f"  + {line}" for line in witness.after)


def as_markdown(result: Comparison) -> str:
    """A table for a pull request or a cover letter; the details are folded below it."""
    labels = f"{_code(result.old.label)} to {_code(result.new.label)}"
    lines = [f"**Spec: {summary(result)}** ({labels})"]
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
    if result.stale:
        lines += ["", *(f"* `{one.at}` {_stale(one)}." for one in result.stale)]
    return "\n".join(lines)


def _code(text: str | None) -> str:
    """Text as code in a table's cell; none is an empty cell."""
    if text is None:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{visible(text)}{fence}"


def _row(one: Finding) -> str:
    change = one.change
    # Of what comes or goes the name is in the path.
    whole = change.about or None
    cells = [
        f"{one.rule.severity}",
        f"{one.rule.title}: {_code(change.path)}",
        _code(whole if whole and change.old is not None else change.old),
        _code(whole if whole and change.new is not None else change.new),
        _who(one.rule),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _folded(one: Finding, kernel: str, told: dict[Share, str]) -> list[str]:
    lines = [f"**{one.rule.id}** {_code(one.change.path)}: {one.rule.why}", ""]
    stable = "takes it" if one.rule.stable else "does not take it"
    tail = f"A stable tree {stable}. Fingerprint `{one.fingerprint}`."
    lines += [f"Reference: {one.rule.reference}. Promise: {one.rule.promise}. {tail}", ""]
    for witness in one.witnesses:
        body = [*(f"-{line}" for line in witness.before), *(f"+{line}" for line in witness.after)]
        lines += [f"{witness.what[0].upper()}{witness.what[1:]}:", "", "```diff", *body, "```", ""]
    shared = list(_shared(one, kernel, told))
    if shared:
        lines += [f"{shared[0][0].upper()}{shared[0][1:]}", ""]
        lines += fenced(one.share.hunks) if one.share and len(shared) > 1 else []
    return lines


def fenced(hunks: Iterable[str]) -> Iterator[str]:
    """The lines of a block of markdown for each file that has hunks."""
    for patch in _patches(hunks):
        yield from ("```diff", patch, "```", "")


def _finding(one: Finding) -> dict[str, Any]:
    change = one.change
    return {
        "rule": one.rule.id,
        "fingerprint": one.fingerprint,
        "severity": str(one.rule.severity),
        "breaks": list(affected(one.rule)),
        "stable": one.rule.stable,
        "message": one.message,
        "path": change.path,
        "action": str(change.action),
        "direction": change.direction,
        "old": {"value": change.old, "place": place(change.old_at) if change.old_at else None},
        "new": {"value": change.new, "place": place(change.new_at) if change.new_at else None},
        "why": one.rule.why,
        "reference": one.rule.reference,
        "promise": one.rule.promise,
        "witnesses": [
            {"what": w.what, "before": list(w.before), "after": list(w.after)}
            for w in one.witnesses
        ],
        "rendered": {"hunks": list(share.hunks), "together": list(share.together)}
        if (share := one.share)
        else None,
    }


def as_json(result: Comparison) -> str:
    """The form of gen/diff/report.schema.json."""
    data = {
        "format": 1,
        "tool": {"name": "pvgen", "version": tool_version()},
        "old": result.old.label,
        "new": result.new.label,
        "findings": [_finding(one) for one in result.findings],
        "accepted": [{**_finding(one), "reason": by.reason} for one, by in result.accepted],
        "stale": [
            {"rule": one.rule, "fingerprint": one.fingerprint, "place": place(one.at)}
            for one in result.stale
        ],
        "kernel": result.kernel or None,
        "leftover": list(result.leftover),
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


_SARIF = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}


def as_sarif(result: Comparison) -> str:
    """SARIF 2.1.0 with one run."""
    indexes = {name: index for index, name in enumerate(diff_rules())}
    rows = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": f"{rule.why}\n\nReference: {rule.reference}"},
            "defaultConfiguration": {"level": _SARIF[_LEVELS[rule.severity]]},
        }
        for rule in diff_rules().values()
    ]
    marked = [(one, "") for one in result.findings]
    marked += [(one, by.reason) for one, by in result.accepted]
    results = [_sarif_result(one, indexes[one.rule.id], reason) for one, reason in marked]
    if result.stale:
        rows.append(
            {"id": STALE, "shortDescription": {"text": "An acceptance of what is not found"}}
        )
        results += [
            {"ruleId": STALE, "ruleIndex": len(rows) - 1, "level": "note",
             "message": {"text": _stale(one)}, "locations": [sarif_location(one.at)]}
            for one in result.stale
        ]  # fmt: skip
    return sarif_log(rows, results, executed=True)


def _sarif_result(one: Finding, index: int, reason: str) -> dict[str, Any]:
    item = _diagnostic(one)
    related = [sarif_location(r.span, n, r.text) for n, r in enumerate(item.related, 1)]
    return {
        "ruleId": one.rule.id,
        "ruleIndex": index,
        "level": _SARIF[item.severity],
        "message": {"text": one.message},
        "locations": [sarif_location(item.span)],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {"pvgen/v1": one.fingerprint},
        "suppressions": [{"kind": "external", "justification": reason}] if reason else [],
    }


def as_github(result: Comparison) -> str:
    """Workflow commands that GitHub shows beside the lines of a change."""
    words = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
    lines = [
        github_line(words[_LEVELS[one.rule.severity]], one.change.at, one.rule.id, one.message)
        for one in result.findings
    ]
    lines += [github_line("notice", one.at, STALE, _stale(one)) for one in result.stale]
    return "\n".join(lines)


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
