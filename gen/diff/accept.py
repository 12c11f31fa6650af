# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of a diff that a review has accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.baseline import BaselineError, baseline_text, read_baseline
from gen.diagnostics import Diagnostics, did_you_mean
from gen.diff.policy import diff_rules

if TYPE_CHECKING:
    from pathlib import Path

    from gen.baseline import Entry
    from gen.diff.compare import Comparison

NAME = ".pvgen-diff.yaml"


def read_accepted(path: Path) -> tuple[Entry, ...]:
    """The entries of a baseline, each of a rule that there is, and with a reason.

    Raises:
        BaselineError: it has others, or it is no baseline.
    """
    entries, diagnostics = read_baseline(path), Diagnostics()
    for entry in entries:
        if entry.rule not in diff_rules():
            advice = did_you_mean(entry.rule, diff_rules())
            message = f"there is no rule '{entry.rule}'"
            diagnostics.error("FORM004", message, entry.rule_at, help=advice)
        if not entry.reason:
            diagnostics.error("FORM002", "this accepts nothing: it has no reason", entry.at)
    if diagnostics.failed:
        raise BaselineError(f"{path} accepts what it cannot", diagnostics)
    return entries


def accepted_text(result: Comparison, old: tuple[Entry, ...], reason: str) -> str:
    """The text of a baseline that accepts everything that a comparison found."""
    found = [*result.findings, *(one for one, _ in result.accepted)]
    rows = [(one.fingerprint, one.rule.id, one.change.path) for one in found]
    return baseline_text("pvgen diff", sorted(rows, key=lambda row: row[1:]), old, reason)
