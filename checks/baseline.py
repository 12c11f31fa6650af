# SPDX-License-Identifier: GPL-2.0-or-later
"""Accepted findings in a file of their own, by fingerprint and each with a reason.

    baseline: 1
    findings:
      - fingerprint: 0123456789abcdef
        rule: KERN104
        path: NAME.c
        reason: "why it is accepted"

`path` is there for the reader. The file is never changed except by --write-baseline, which keeps
the reasons that are given, adds what is new and drops what is gone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.fingerprint import DIGITS
from checks.suppress import Allowed, malformed, unusable
from gen.diagnostics import Diagnostics
from gen.source import UnreadableSourceError, read_source
from gen.yamltree import Node, read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from checks.fingerprint import Finding
    from gen.diagnostics import Diagnostic

NAME = ".pvgen-baseline.yaml"
_KEYS = {"fingerprint", "rule", "path", "reason"}
_HEAD = """\
# Findings of `pvgen check` that are accepted. `pvgen check --write-baseline` brings it up to date.
"""


class BaselineError(Exception):
    """The file is no baseline; where and why is in `diagnostics`, or in the message."""

    def __init__(self, message: str, diagnostics: Diagnostics | None = None) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics or Diagnostics()


@dataclass(frozen=True)
class Entry:
    """One accepted finding."""

    fingerprint: str
    rule: str
    allowed: Allowed


@dataclass(frozen=True)
class Baseline:
    """The accepted findings, and what is wrong with entries that accept nothing."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: it cannot be read, is no YAML, or has another form.
    """
    try:
        source = read_source(path)
    except UnreadableSourceError as error:
        raise BaselineError(f"{path}: {error}") from None
    diagnostics = Diagnostics()
    root = read_yaml(source, diagnostics)
    if root is None or diagnostics.failed:
        raise BaselineError(f"{path} is no baseline", diagnostics)
    top = root.value
    if not isinstance(top, dict) or set(top) != {"baseline", "findings"}:
        raise BaselineError(f"{root.head}: a baseline has the keys 'baseline' and 'findings'")
    if top["baseline"].value != 1 or not isinstance(top["findings"].value, list):
        raise BaselineError(f"{root.head}: not a baseline of version 1 with a list of findings")
    entries, problems = [], []
    for node in top["findings"].value:
        entry = _entry(node)
        problem = unusable(entry.rule, entry.allowed.span)
        if problem is None and not entry.allowed.reason:
            problem = malformed("this accepts nothing: it has no reason", node.head, None)
        if problem is None:
            entries.append(entry)
        else:
            problems.append(problem)
    return Baseline(tuple(entries), tuple(problems))


def _entry(node: Node) -> Entry:
    fields = node.value
    if not isinstance(fields, dict) or not {"fingerprint", "rule"} <= set(fields) <= _KEYS:
        keys = ", ".join(sorted(_KEYS))
        raise BaselineError(f"{node.head}: an accepted finding has the keys {keys}")
    words = {key: item.value for key, item in fields.items()}
    fingerprint, reason = words["fingerprint"], words.get("reason")
    if not isinstance(fingerprint, str) or not re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", fingerprint):
        raise BaselineError(f"{fields['fingerprint'].span}: not {DIGITS} hexadecimal digits")
    text = " ".join(reason.split()) if isinstance(reason, str) else ""
    allowed = Allowed("external", text, fields["fingerprint"].span)
    return Entry(fingerprint, str(words["rule"]), allowed)


def baseline_text(findings: Sequence[Finding], old: Baseline, reason: str) -> str:
    """The text of a baseline that accepts the findings, with the reasons of the old one."""
    reasons = {entry.fingerprint: entry.allowed.reason for entry in old.entries}
    lines = [_HEAD + "baseline: 1", "findings:" if findings else "findings: []"]
    for one in findings:
        why = reasons.get(one.fingerprint, reason)
        # A fingerprint may look like a number; JSON's quotes are YAML's, too.
        lines += [
            f"  - fingerprint: {json.dumps(one.fingerprint)}",
            f"    rule: {one.item.rule}",
            f"    path: {json.dumps(one.path, ensure_ascii=False)}",
            f"    reason: {json.dumps(why, ensure_ascii=False)}",
        ]
    return "\n".join(lines) + "\n"
