# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of a diff that a review has accepted, by fingerprint and each with its reason.

accepted: 1
findings:
  - {fingerprint: 0123456789abcdef, rule: HOST_BIT_DELETED, reason: "no host ever had it"}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.diagnostics import Diagnostics, did_you_mean
from gen.diff.policy import diff_rules
from gen.diff.sides import SideError
from gen.source import UnreadableSourceError, read_source
from gen.yamltree import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from gen.source import Span
    from gen.yamltree import Node

NAME = ".pvgen-diff.yaml"
_KEYS = {"fingerprint", "rule", "reason"}


@dataclass(frozen=True)
class Accepted:
    """An accepted finding and the place that accepts it."""

    fingerprint: str
    rule: str
    reason: str
    at: Span


def read_accepted(path: Path) -> tuple[Accepted, ...]:
    """Read the file.

    Raises:
        SideError: it cannot be read or has another form; every error has its place.
    """
    diagnostics = Diagnostics()
    try:
        root = read_yaml(read_source(path), diagnostics)
    except UnreadableSourceError as error:
        raise SideError(f"{path}: {error}", 2) from None
    entries: list[Accepted] = []
    if root is not None:
        top = root.value if isinstance(root.value, dict) else {}
        rows = top["findings"].value if "findings" in top else None
        if set(top) != {"accepted", "findings"} or not isinstance(rows, list):
            message = "a file of accepted findings has the keys 'accepted: 1' and 'findings'"
            diagnostics.error("YAML001", message, root.head)
        else:
            entries = [one for node in rows if (one := _entry(node, diagnostics))]
    if diagnostics.failed:
        raise SideError(f"{path} does not load", 2, diagnostics)
    return tuple(entries)


def _entry(node: Node, diagnostics: Diagnostics) -> Accepted | None:
    fields = node.value if isinstance(node.value, dict) else {}
    words = {key: str(one.value or "").strip() for key, one in fields.items()}
    if set(words) != _KEYS or not all(words.values()):
        message = "an accepted finding has 'fingerprint', 'rule' and 'reason', none of them empty"
        diagnostics.error("FORM002", message, node.head)
        return None
    if words["rule"] not in diff_rules():
        advice = did_you_mean(words["rule"], diff_rules())
        message = f"there is no rule '{words['rule']}'"
        diagnostics.error("FORM004", message, fields["rule"].span, help=advice)
        return None
    return Accepted(words["fingerprint"], words["rule"], words["reason"], node.head)
