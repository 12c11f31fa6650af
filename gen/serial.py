# SPDX-License-Identifier: GPL-2.0-or-later
"""What reports in JSON, SARIF 2.1.0 and GitHub's workflow commands have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gen.diagnostics import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.source import Span

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def tool_version() -> str:
    """The installed version, or 0 where nothing is installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (slow to load)

    try:
        return version("pvgen")
    except PackageNotFoundError:
        return "0"


def place(span: Span) -> dict[str, Any]:
    """A place as JSON has it."""
    return {
        "path": span.source.name,
        "line": span.line,
        "column": span.column,
        "length": span.length,
    }


def sarif_location(span: Span, number: int | None = None, text: str = "") -> dict[str, Any]:
    """A SARIF location; a related one has a number and a text."""
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(span.source.name, errors="surrogateescape")},
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


def sarif_log(
    rules: list[dict[str, Any]],
    results: list[dict[str, Any]],
    *,
    executed: bool,
    told: Sequence[dict[str, Any]] = (),
) -> str:
    """A SARIF log of one run; `executed` tells whether all was looked at, `told` what was not."""
    invocation: dict[str, Any] = {"executionSuccessful": executed}
    if told:
        invocation["toolExecutionNotifications"] = list(told)
    run = {
        "tool": {"driver": {"name": "pvgen", "version": tool_version(), "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": results,
    }
    data = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(data)


def json_text(data: object) -> str:
    """Data as JSON that a terminal can show: what is not printable is escaped, as JSON allows."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return "".join(char if char == "\n" or char.isprintable() else _unit(char) for char in text)


def _unit(char: str) -> str:
    """An unprintable character as one or two of JSON's escapes."""
    return json.dumps(char)[1:-1]


def _escape(text: str, *, value: bool = False) -> str:
    """GitHub's escapes; a property's value needs two more than a message."""
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A")]
    pairs += [(":", "%3A"), (",", "%2C")] if value else []
    for plain, escaped in pairs:
        text = text.replace(plain, escaped)
    return "".join(char if char.isprintable() else visible(char) for char in text)


def github_line(word: str, span: Span, title: str, message: str) -> str:
    """A workflow command that GitHub shows beside a line; `word` is error, warning or notice."""
    properties = {
        "file": span.source.name,
        "line": str(span.line),
        "col": str(span.column),
        "endColumn": str(span.column + span.length),
        "title": title,
    }
    given = ",".join(f"{key}={_escape(text, value=True)}" for key, text in properties.items())
    return f"::{word} {given}::{_escape(message)}"
