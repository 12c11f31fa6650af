# SPDX-License-Identifier: GPL-2.0-or-later
"""A report as text, JSON, SARIF 2.1.0 or GitHub annotations; none of them decides anything."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from checks.rule import rules
from gen.diagnostics import Severity, format_text, summary, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checks.rule import Judgement, Rule
    from checks.run import Report
    from checks.suppress import Allowed
    from gen.diagnostics import Diagnostic
    from gen.source import Span

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def tool_version() -> str:
    """The installed version, or 0 where nothing is installed."""
    try:
        return version("pvgen")
    except PackageNotFoundError:
        return "0"


def as_text(report: Report, *, colour: bool = False) -> str:
    """Messages with source lines and carets, then the count."""
    parts = [format_text(item, colour=colour) for item in report.findings]
    hidden = f" ({len(report.suppressed)} suppressed)" if report.suppressed else ""
    return "\n".join([*parts, summary(report.findings) + hidden])


def verdict_table(judgements: Iterable[Judgement]) -> str:
    """One line for each rule."""
    return "\n".join(
        visible(f"{item.rule.id:8}  {item.verdict:14}  {item.why or item.rule.title}")
        for item in judgements
    )


def _place(span: Span) -> dict[str, Any]:
    return {
        "path": span.source.name,
        "line": span.line,
        "column": span.column,
        "length": span.length,
    }


def _finding(item: Diagnostic, fingerprint: str) -> dict[str, Any]:
    return {
        "rule": item.rule,
        "fingerprint": fingerprint,
        "severity": str(item.severity),
        "message": item.message,
        "place": _place(item.span),
        "help": item.help,
        "related": [{"text": r.text, "place": _place(r.span)} for r in item.related],
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
                    "place": _place(one.allowed.span),
                },
            }
            for one in report.suppressed
        ],
        "verdicts": [
            {"rule": item.rule.id, "verdict": str(item.verdict), "why": item.why}
            for item in report.judgements
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _sarif_location(span: Span, number: int | None = None, text: str = "") -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(span.source.name)},
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endColumn": span.column + span.length,
            },
        }
    }
    if number is not None:
        location |= {"id": number, "message": {"text": text}}
    return location


def _sarif_result(
    item: Diagnostic, fingerprint: str, indexes: dict[str, int], allowed: Allowed | None = None
) -> dict[str, Any]:
    text = f"{item.message} ({item.help})" if item.help else item.message
    related = [_sarif_location(r.span, n, r.text) for n, r in enumerate(item.related, 1)]
    return {
        "ruleId": item.rule,
        "ruleIndex": indexes[item.rule],
        "level": _LEVELS[item.severity],
        "message": {"text": text},
        "locations": [_sarif_location(item.span)],
        **({"relatedLocations": related} if related else {}),
        **({"partialFingerprints": {"pvgen/v1": fingerprint}} if fingerprint else {}),
        "suppressions": [_sarif_suppression(allowed)] if allowed else [],
    }


def _sarif_suppression(allowed: Allowed) -> dict[str, Any]:
    return {
        "kind": allowed.kind,
        "justification": allowed.reason,
        "location": _sarif_location(allowed.span),
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
    driver = {
        "name": "pvgen",
        "version": tool_version(),
        "rules": [_sarif_rule(rule) for rule in table],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": report.status in {0, 1}}],
        "results": [
            *(
                _sarif_result(item, mark, indexes)
                for item, mark in zip(report.findings, report.fingerprints, strict=True)
            ),
            *(
                _sarif_result(one.finding.item, one.finding.fingerprint, indexes, one.allowed)
                for one in report.suppressed
            ),
        ],
    }
    data = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(data, indent=2, ensure_ascii=False)


def _escape(text: str, *, value: bool = False) -> str:
    """GitHub's escapes; a property's value needs two more than a message."""
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A")]
    pairs += [(":", "%3A"), (",", "%2C")] if value else []
    for plain, escaped in pairs:
        text = text.replace(plain, escaped)
    return text


def as_github(report: Report) -> str:
    """Workflow commands that GitHub shows beside the lines of a change."""
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
    lines = []
    for item in report.findings:
        span = item.span
        properties = {
            "file": span.source.name,
            "line": str(span.line),
            "col": str(span.column),
            "endColumn": str(span.column + span.length),
            "title": item.rule,
        }
        given = ",".join(f"{key}={_escape(text, value=True)}" for key, text in properties.items())
        message = f"{item.message} ({item.help})" if item.help else item.message
        lines.append(f"::{words[item.severity]} {given}::{_escape(message)}")
    return "\n".join(lines)


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
