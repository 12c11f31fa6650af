# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the diff as text: for the commands, and for docs/diff-rules.md."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from gen.diff.policy import affected, diff_rules, elsewhere, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.diff.records import DiffRule

WIDTH = 96
DOCUMENT = Path("docs/diff-rules.md")
HEAD = """\
# Rules of the diff

Made from `gen/diff/rules.yaml` by `python -m gen.diff.catalogue`; change that file. How a change is
found and judged is in [diff.md](diff.md).
"""


def overview(rules: Iterable[DiffRule]) -> str:
    """One line for each rule."""
    return "\n".join(f"{rule.id:32}  {rule.severity:10}  {rule.title}" for rule in rules)


def _body(rule: DiffRule) -> list[str]:
    who = ", ".join(affected(rule)) or "nobody"
    stable = "takes it" if rule.stable else "does not take it"
    mirror = f"Mirror: {rule.mirror}." if rule.mirror else f"No mirror: {rule.waiver}"
    judged = "; ".join(" ".join(filter(None, on)) for on in rule.on) or "what no other rule judges"
    return [
        f"Concerns {who}; a stable tree {stable}. {mirror}", "",
        *textwrap.wrap(rule.why, WIDTH), "",
        *textwrap.wrap(f"Judges: {judged}", WIDTH), "",
        f"Reference: {rule.reference}", "",
        f"Promise: {rule.promise}",
    ]  # fmt: skip


def explanation(rule: DiffRule) -> str:
    """A rule's whole record."""
    return "\n".join([f"{rule.id}: {rule.title} ({rule.severity})", "", *_body(rule)])


def document() -> str:
    """The text of docs/diff-rules.md."""
    lines = [HEAD]
    for rule in diff_rules().values():
        lines += [f"## {rule.id}: {rule.title}", "", f"Severity {rule.severity}.", ""]
        lines += [*_body(rule), ""]
    lines += ["## Changes that have another name here", ""]
    lines += [f"* {name}: {why}" for name, why in elsewhere().items()]
    lines += ["", "## Changes that two specs cannot show", ""]
    lines += [f"* {name}: {why}" for name, why in unreachable().items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write docs/diff-rules.md."""
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
