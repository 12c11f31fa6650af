# SPDX-License-Identifier: GPL-2.0-or-later
"""A report as text, JSON, SARIF 2.1.0 or GitHub annotations; none of them decides anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.rule import rules
from gen.diagnostics import Severity, format_text, summary, visible
from gen.serial import github_line, json_text, place, sarif_location, sarif_log, tool_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checks.rule import Judgement, Rule
    from checks.run import Report
    from checks.suppress import Allowed
    from gen.diagnostics import Diagnostic

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def as_text(report: Report, *, colour: bool = False) -> str:
    """Messages with source lines and carets, then the count, also of rules that stay open."""
    parts = [format_text(item, colour=colour) for item in report.findings]
    hidden = f" ({len(report.suppressed)} suppressed)" if report.suppressed else ""
    count = len(report.undecided) if report.status != 1 else 0  # errors come first
    undecided = f"; {count} rule{'' if count == 1 else 's'} undecided" if count else ""
    return "\n".join([*parts, summary(report.findings) + hidden + undecided])


def verdict_table(judgements: Iterable[Judgement]) -> str:
    """One line for each rule."""
    return "\n".join(
        visible(f"{item.rule.id:8}  {item.verdict:14}  {item.why or item.rule.title}")
        for item in judgements
    )


def _finding(item: Diagnostic, fingerprint: str) -> dict[str, Any]:
    return {
        "rule": item.rule,
        "fingerprint": fingerprint,
        "severity": str(item.severity),
        "message": item.message,
        "place": place(item.span),
        "help": item.help,
        "related": [{"text": r.text, "place": place(r.span)} for r in item.related],
    }


def as_json(report: Report) -> str:
    """The form of checks/report.schema.json."""
    data = {
        "format": 1,
        "tool": {"name": "pvgen", "version": tool_version()},
        "status": report.status,
        "findings": [
            _finding(item, mark)
            for item, mark in zip(report.findings, report.fingerprints, strict=True)
        ],
        "suppressed": [
            {
                **_finding(one.finding.item, one.finding.fingerprint),
                "suppression": {
                    "kind": one.allowed.kind,
                    "reason": one.allowed.reason,
                    "place": place(one.allowed.span),
                },
            }
            for one in report.suppressed
        ],
        "verdicts": [
            {"rule": item.rule.id, "verdict": str(item.verdict), "why": item.why}
            for item in report.judgements
        ],
    }
    return json_text(data)


def _sarif_result(
    item: Diagnostic, fingerprint: str, indexes: dict[str, int], allowed: Allowed | None = None
) -> dict[str, Any]:
    text = f"{item.message} ({item.help})" if item.help else item.message
    related = [sarif_location(r.span, n, r.text) for n, r in enumerate(item.related, 1)]
    return {
        "ruleId": item.rule,
        "ruleIndex": indexes[item.rule],
        "level": _LEVELS[item.severity],
        "message": {"text": text},
        "locations": [sarif_location(item.span)],
        **({"relatedLocations": related} if related else {}),
        **({"partialFingerprints": {"pvgen/v1": fingerprint}} if fingerprint else {}),
        "suppressions": [_sarif_suppression(allowed)] if allowed else [],
    }


def _sarif_suppression(allowed: Allowed) -> dict[str, Any]:
    return {
        "kind": allowed.kind,
        "justification": allowed.reason,
        "location": sarif_location(allowed.span),
    }


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\nReference: {rule.reference}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"precision": "very-high" if rule.confidence == "high" else "medium"},
    }


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0 with one run."""
    table = list(rules().values())
    indexes = {rule.id: index for index, rule in enumerate(table)}
    results = [
        *(
            _sarif_result(item, mark, indexes)
            for item, mark in zip(report.findings, report.fingerprints, strict=True)
        ),
        *(
            _sarif_result(one.finding.item, one.finding.fingerprint, indexes, one.allowed)
            for one in report.suppressed
        ),
    ]
    rows = [_sarif_rule(rule) for rule in table]
    return sarif_log(rows, results, executed=report.status in {0, 1})


def as_github(report: Report) -> str:
    """Workflow commands that GitHub shows beside the lines of a change."""
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
    lines = []
    for item in report.findings:
        message = f"{item.message} ({item.help})" if item.help else item.message
        lines.append(github_line(words[item.severity], item.span, item.rule, message))
    return "\n".join(lines)


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
