# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules' records as text: for the commands and for docs/rules.md."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.rule import Example, Rule

WIDTH = 96
HEAD = """\
# Rules of the checker

Made from `checks/rules*.yaml` by `python -m checks.catalogue`; change those files. How a rule comes
to its verdict, and what the exit status says, is in [checker.md](checker.md).
"""


def overview(rules: Iterable[Rule]) -> str:
    """One line for each rule."""
    return "\n".join(
        f"{rule.id:8}  {rule.severity:7}  {rule.confidence:6}  {rule.title}" for rule in rules
    )


def explanation(rule: Rule) -> str:
    """A rule's whole record."""
    lines = [f"{rule.id}: {rule.title} ({rule.severity}, confidence {rule.confidence})", ""]
    lines += textwrap.wrap(rule.why, WIDTH)
    lines += ["", f"Reference: {rule.reference}"]
    for example in rule.examples[:1]:
        lines += ["", "Bad:", *_code(example.bad), "", "Good:", *_code(example.good)]
    return "\n".join(lines)


def _code(text: str) -> list[str]:
    """Indented code; an empty text means that it is missing."""
    text = textwrap.dedent(text.strip("\n")) or "(nothing)"
    return [f"    {line}".rstrip() for line in text.split("\n")]


def _example(example: Example) -> list[str]:
    return [
        f"In `{example.file}`, bad:",
        "",
        *_code(example.bad),
        "",
        "good:",
        "",
        *_code(example.good),
        "",
    ]


def document(rules: Iterable[Rule]) -> str:
    """The text of docs/rules.md."""
    lines = [HEAD]
    for rule in rules:
        lines += [f"## {rule.id}: {rule.title}", ""]
        lines += [f"Severity {rule.severity}, confidence {rule.confidence}.", ""]
        lines += [*textwrap.wrap(rule.why, WIDTH), "", f"Reference: {rule.reference}", ""]
        for example in rule.examples[:1]:
            lines += _example(example)
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write docs/rules.md."""
    from pathlib import Path  # noqa: PLC0415 (only this entry point touches files)

    from checks.rule import rules  # noqa: PLC0415 (as above)

    path = Path(__file__).resolve().parent.parent / "docs" / "rules.md"
    path.write_text(document(rules().values()), encoding="utf-8")


if __name__ == "__main__":
    main()
