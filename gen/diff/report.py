# SPDX-License-Identifier: GPL-2.0-or-later
"""A comparison as text, markdown, JSON, SARIF 2.1.0 or GitHub annotations."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gen.diagnostics import Diagnostic, Related, format_text, visible
from gen.diagnostics import Severity as Level
from gen.diff.items import items
from gen.diff.markdown import as_markdown
from gen.diff.policy import affected, diff_rules
from gen.diff.records import Severity, Side, TreeSide
from gen.diff.words import (
    LEFTOVER,
    accepted,
    also,
    concern,
    indented,
    shared,
    stable_trees,
    stale,
    summary,
    unknown,
    who,
)
from gen.serial import github_line, json_text, place, sarif_location, sarif_log, tool_version
from gen.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen.diff.compare import Comparison
    from gen.diff.records import Change, Finding, Share
    from gen.source import Span

STALE = "ACCEPTED_STALE"
UNKNOWN = "UNKNOWN"
ALSO = "CHANGED_AS_WELL"
_LEVELS = {
    Severity.BREAK: Level.ERROR,
    Severity.RISKY: Level.WARNING,
    Severity.COMPATIBLE: Level.NOTE,
    Severity.DOC: Level.NOTE,
}


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
        parts += [f"  {visible(line)}" for line in shared(one, result.kernel, told)]
    if result.leftover:
        parts.append(f"{LEFTOVER}:")
        parts += [f"  {visible(line)}" for line in indented(result.leftover)]
    parts += [f"{one.change.at}: note: {visible(accepted(one, by))}" for one, by in result.accepted]
    parts += [f"{entry.at}: note: {stale(entry)}" for entry in result.stale]
    parts += [f"{one.at}: note: {visible(unknown(one))}" for _, one in result.unknown]
    parts += [f"{one.at}: note: {visible(also(one))}" for one in result.also]
    return "\n".join([*parts, summary(result)])


def _diagnostic(one: Finding) -> Diagnostic:
    change = one.change
    other = change.old_at if change.new_at else None
    related = (Related(other, "before"),) if other else ()
    return Diagnostic(one.rule.id, one.message, change.at, _LEVELS[one.rule.severity],
                      related=related)  # fmt: skip


def _details(one: Finding) -> Iterator[str]:
    yield f"{concern(one.rule)}: {who(one.rule)}; {stable_trees(one)}; {one.fingerprint}"
    for witness in one.witnesses:
        yield f"{witness.what}:"
        yield from (f"  - {line}" for line in witness.before)
        yield from (f"  + {line}" for line in witness.after)


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
        "unknown": [
            {"side": side, "path": one.path, "key": one.key, "why": one.why, "place": place(one.at)}
            for side, one in result.unknown
        ],
        "also": [
            {"file": one.file, "names": list(one.names), "place": place(one.at)}
            for one in result.also
        ],
        "complete": result.complete,
        "kernel": result.kernel or None,
        "leftover": list(result.leftover),
    }
    return json_text(data)


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
             "message": {"text": stale(one)}, "locations": [sarif_location(one.at)]}
            for one in result.stale
        ]  # fmt: skip
    told = [
        {
            "level": "warning",
            "message": {"text": unknown(one)},
            "locations": [sarif_location(one.at)],
        }
        for _, one in result.unknown
    ]
    told += [
        {
            "level": "note",
            "message": {"text": also(one)},
            "locations": [sarif_location(one.at)],
        }
        for one in result.also
    ]
    return sarif_log(rows, results, executed=result.complete, told=told)


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
        github_line(
            words[_LEVELS[one.rule.severity]],
            _file(one.change, result.new),
            one.rule.id,
            visible(f"{one.message}; {concern(one.rule)}: {who(one.rule)}"),
        )
        for one in result.findings
    ]
    lines += [github_line("notice", one.at, STALE, stale(one)) for one in result.stale]
    # What is unknown of one side may have its place in the other, which has what is in question.
    sides = (result.old, result.new)
    lines += [
        github_line("notice", _plain(one.at, *sides), UNKNOWN, unknown(one))
        for _, one in result.unknown
    ]
    lines += [github_line("notice", _plain(one.at, *sides), ALSO, also(one)) for one in result.also]
    return "\n".join(lines)


def _file(change: Change, side: Side | TreeSide) -> Span:
    """A change's place by the path of its file in the new side."""
    at = change.new_at or _where_it_was(change, side)
    if isinstance(side, Side) and side.file:
        return Source(side.file, at.source.text).span(at.line, at.column, at.length)
    return _plain(at, side)


def _plain(at: Span, *sides: Side | TreeSide) -> Span:
    """A place by the path of its file, to which the name of a revision does not belong."""
    name = at.source.name
    for side in (one for one in sides if isinstance(one, TreeSide)):
        name = name.removeprefix(f"{side.label.partition(':')[0]}:")
    file = PurePosixPath(name).as_posix()
    return Source(file, at.source.text).span(at.line, at.column, at.length)


def _where_it_was(change: Change, new: Side | TreeSide) -> Span:
    """The place on the new side of what went: its owner, or others of its kind, or the device."""
    went = change.pair.old if change.pair else None
    there = list(items(new.device)) if isinstance(new, Side) else list(new.items)
    nearest = [one for one in there if went and one.path == went.owner]
    nearest += [one for one in there if went and one.kind == went.kind and not went.owner]
    nearest += [one for one in there if one.kind == "device"]
    return nearest[0].at if nearest else change.at


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
