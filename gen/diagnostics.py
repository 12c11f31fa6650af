# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages about a place in a source: what they hold and how a terminal shows them.

Collecting is apart from showing: stages append `Diagnostic` records to a `Diagnostics` list and go
on, so that one run reports everything it found; only the command line prints.
"""

from __future__ import annotations

import difflib
import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.source import Span


class Severity(enum.StrEnum):
    """How much a message weighs: only an error decides an exit status."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Related:
    """A second place that a message points to, such as the spec's line behind a finding in C."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One message: a stable rule id, one sentence, the exact place, and what helps."""

    rule: str
    message: str
    span: Span
    severity: Severity = Severity.ERROR
    help: str | None = None
    related: tuple[Related, ...] = ()

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of a report: by place, then by rule, so that equal input gives equal output."""
        return (self.span.source.name, self.span.line, self.span.column, self.rule, self.message)


@dataclass
class Diagnostics:
    """A growing list of messages that the stages of one run share."""

    items: list[Diagnostic] = field(default_factory=list)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self.items, key=Diagnostic.sort_key))

    def __len__(self) -> int:
        return len(self.items)

    def error(
        self,
        rule: str,
        message: str,
        span: Span,
        *,
        help: str | None = None,  # noqa: A002 (the word that the report prints)
        related: tuple[Related, ...] = (),
    ) -> None:
        """Add an error."""
        self.items.append(Diagnostic(rule, message, span, help=help, related=related))

    @property
    def failed(self) -> bool:
        """Whether an error is among them."""
        return any(item.severity is Severity.ERROR for item in self.items)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help sentence naming the known word that is close to `word`, if one is."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else None


# Up to the character that is escaped so that the command is none.
_COMMAND = re.compile(r"(?m:^)\s*:(?=:)|#(?=#\[)")
_IN_C = {"\n": "\\n", "\r": "\\r"}
# A longer source line is shown cut around the span.
EXCERPT = 120

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def visible(text: str) -> str:
    """The text with what would be more than text made visible, for safe printing.

    Control and bidirectional characters mean something to a terminal; `::` at the start of a line
    and `##[` anywhere begin commands to the runner of a GitHub workflow, which reads all output.
    """
    return "".join(_seen(text))


def _seen(text: str) -> list[str]:
    """What stands for each character of a line."""
    shown = [char if char == "\t" or char.isprintable() else _escaped(char) for char in text]
    for match in _COMMAND.finditer(text):
        at = match.end() - 1
        shown[at] = _escaped(text[at])
    return shown


def _escaped(char: str) -> str:
    """A character as C writes it, or by its number."""
    return _IN_C.get(char) or f"\\u{{{ord(char):x}}}"


def _excerpt(span: Span, colour: bool, code: str) -> list[str]:
    """The source line and a caret line under the span; tabs keep the carets aligned."""
    line = span.source.line(span.line)
    if not line.strip():
        return []
    start = span.column - 1
    cut = max(start - EXCERPT // 2, 0) if start + span.length > EXCERPT else 0
    shown = _seen(line[cut : cut + EXCERPT])
    before, marked = shown[: start - cut], shown[start - cut : start - cut + span.length]
    pad = "".join("\t" if seen == "\t" else " " * len(seen) for seen in before)
    carets = "^" * max(len("".join(marked)), 1)
    head, tail = ("…" if cut else ""), ("…" if cut + EXCERPT < len(line) else "")
    caret_line = " " * len(head) + pad + _paint(carets, code, colour)
    return [f"  {head}{''.join(shown)}{tail}", f"  {caret_line}"]


def format_text(item: Diagnostic, *, colour: bool = False) -> str:
    """One message as terminal text, in the form `path:line:col: error[RULE-ID]: sentence`."""
    code = _COLOURS[item.severity]
    label = _paint(f"{item.severity}[{item.rule}]", code, colour)
    lines = [f"{visible(str(item.span))}: {label}: {visible(item.message)}"]
    lines += _excerpt(item.span, colour, code)
    for related in item.related:
        note = _paint("note", _COLOURS[Severity.NOTE], colour)
        lines.append(f"{visible(str(related.span))}: {note}: {visible(related.text)}")
        lines += _excerpt(related.span, colour, _COLOURS[Severity.NOTE])
    if item.help:
        lines.append(f"  help: {visible(item.help)}")
    return "\n".join(lines)


def summary(items: Iterable[Diagnostic]) -> str:
    """The count that closes a report, such as `2 errors, 1 warning`."""
    severities = [item.severity for item in items]
    counts = [(severity, severities.count(severity)) for severity in Severity]
    words = [f"{n} {severity}{'s' if n > 1 else ''}" for severity, n in counts if n]
    return ", ".join(words) or "no findings"
