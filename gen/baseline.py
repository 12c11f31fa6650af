# SPDX-License-Identifier: GPL-2.0-or-later
"""Accepted findings in a file of their own, by fingerprint and each with a reason.

    baseline: 1
    findings:
      - fingerprint: 0123456789abcdef
        rule: KERN104
        path: NAME.c
        reason: "why it is accepted"

`path` is there for the reader. `pvgen check` and `pvgen diff` have one such file each. It is never
changed except by --write-baseline, which keeps the reasons that are given, adds what is new and
drops what is gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.conflict import MESSAGE as CONFLICT
from gen.conflict import conflict
from gen.diagnostics import Diagnostics
from gen.serial import json_text
from gen.source import UnreadableSourceError, read_source
from gen.yamltree import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gen.source import Span
    from gen.yamltree import Node

DIGITS = 16
_KEYS = {"fingerprint", "rule", "path", "reason"}


class BaselineError(Exception):
    """The file is no baseline; where and why is in `diagnostics`, or in the message."""

    def __init__(self, message: str, diagnostics: Diagnostics | None = None) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics or Diagnostics()


@dataclass(frozen=True)
class Entry:
    """One accepted finding. The rule may be unknown and the reason empty: whoever asks decides."""

    fingerprint: str
    rule: str
    reason: str
    at: Span
    rule_at: Span


def refuse_link(path: Path) -> None:
    """See that a baseline that nobody named is where it seems to be: it may be a stranger's.

    Raises:
        BaselineError: it is a symbolic link, which would be read, or written, elsewhere.
    """
    if path.is_symlink():
        raise BaselineError(f"{path}: a symbolic link is not followed; name its file by --baseline")


def read_baseline(path: Path) -> tuple[Entry, ...]:
    """The entries of a baseline.

    Raises:
        BaselineError: it cannot be read, is no YAML, or has another form.
    """
    try:
        source = read_source(path)
    except UnreadableSourceError as error:
        raise BaselineError(f"{path}: {error}") from None
    diagnostics = Diagnostics()
    if mark := conflict(source):
        diagnostics.error("YAML001", CONFLICT, mark)
        raise BaselineError(f"{path} is no baseline", diagnostics)
    root = read_yaml(source, diagnostics)
    entries = _entries(root, diagnostics) if root is not None else []
    if root is None or diagnostics.failed:
        raise BaselineError(f"{path} is no baseline", diagnostics)
    return tuple(entries)


def _entries(root: Node, diagnostics: Diagnostics) -> list[Entry]:
    top = root.value if isinstance(root.value, dict) else {}
    rows = top["findings"].value if "findings" in top else None
    if set(top) != {"baseline", "findings"} or top["baseline"].value != 1:
        message = "a baseline has the keys 'baseline: 1' and 'findings'"
        diagnostics.error("YAML001", message, root.head)
        return []
    if not isinstance(rows, list):
        diagnostics.error("FORM003", "'findings' is a list", top["findings"].span)
        return []
    return [entry for node in rows if (entry := _entry(node, diagnostics))]


def _entry(node: Node, diagnostics: Diagnostics) -> Entry | None:
    fields = node.value
    if not isinstance(fields, dict) or not {"fingerprint", "rule"} <= set(fields) <= _KEYS:
        keys = ", ".join(sorted(_KEYS))
        diagnostics.error("FORM002", f"an accepted finding has the keys {keys}", node.head)
        return None
    words = {key: item.value for key, item in fields.items()}
    fingerprint, reason = words["fingerprint"], words.get("reason")
    if not isinstance(fingerprint, str) or not re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", fingerprint):
        message = f"a fingerprint is {DIGITS} hexadecimal digits in quotes"
        diagnostics.error("FORM006", message, fields["fingerprint"].span)
        return None
    text = " ".join(reason.split()) if isinstance(reason, str) else ""
    places = fields["fingerprint"].span, fields["rule"].span
    return Entry(fingerprint, str(words["rule"]), text, *places)


def baseline_text(
    command: str, rows: Iterable[tuple[str, str, str]], old: Iterable[Entry], reason: str
) -> str:
    """The text of a baseline that accepts findings, with the reasons of the old one.

    Args:
        command: whose findings they are, such as `pvgen check`.
        rows: of each finding its fingerprint, rule and path.
        old: the entries of the baseline as it is.
        reason: of those that it does not have.
    """
    reasons = {entry.fingerprint: entry.reason for entry in old}
    head = f"# Findings of `{command}` that are accepted; --write-baseline brings them up to date."
    lines = [head, "baseline: 1"]
    items = list(dict.fromkeys(rows))
    lines.append("findings:" if items else "findings: []")
    for fingerprint, rule, path in items:
        # A fingerprint may look like a number; JSON's quotes are YAML's, too.
        lines += [
            f"  - fingerprint: {json_text(fingerprint)}",
            f"    rule: {rule}",
            f"    path: {json_text(path)}",
            f"    reason: {json_text(reasons.get(fingerprint, reason))}",
        ]
    return "\n".join(lines) + "\n"
