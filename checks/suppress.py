# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings that the source itself allows: comments that name a rule and give a reason.

    /* pvgen: allow KERN104 because the caller holds a lock that the facts do not know */

Such a comment holds for the line it stands on; if it stands alone, for the next line that is not
empty; with `in this file` after the rule, for the whole file. In Kconfig and Makefiles it begins
with `#`. One that names no known rule or gives no reason allows nothing and is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.rule import rules
from gen.diagnostics import Diagnostic, did_you_mean
from gen.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.tree import TreeFile
    from gen.source import Span

STALE, MALFORMED = "CTRL401", "CTRL402"
CONTROL = (STALE, MALFORMED)
# What could not be read at all cannot be waved through, nor can a remark about a suppression.
NEVER = frozenset({"PARSE001", *CONTROL})
MARK = "pvgen:"
FORM = "write 'pvgen: allow RULE because REASON'"

# What is not closed is taken to its end: each of many would be looked for anew.
_COMMENT = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.){0,16}')"""
    r"|(?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*)",
    re.DOTALL,
)
_HASH = re.compile(r"(?P<comment>(?<!\\)\#[^\n]*)")
_ALLOW = re.compile(r"pvgen:\s*allow\s([\w,\s]*)")
_BECAUSE = re.compile(r"\sbecause\b")
_WHOLE = ["in", "this", "file"]


@dataclass(frozen=True)
class Allowed:
    """Why a finding does not count: `kind` inSource or external, as SARIF calls it."""

    kind: str
    reason: str
    span: Span


@dataclass(frozen=True)
class Comment:
    """An inline suppression of one rule on some lines, on all of them when `lines` is None."""

    rule: str
    lines: frozenset[int] | None
    allowed: Allowed

    def covers(self, item: Diagnostic) -> bool:
        """Whether it is about this finding."""
        span = self.allowed.span
        return (
            item.rule == self.rule
            and item.span.source is span.source
            and (self.lines is None or item.span.line in self.lines)
        )


def comments(files: Iterable[TreeFile]) -> tuple[list[Comment], list[Diagnostic]]:
    """The suppressions in the files, and what is wrong with those that allow nothing."""
    found: list[Comment] = []
    problems: list[Diagnostic] = []
    for file in files:
        source = file.source
        if MARK in source.text:
            pattern = _COMMENT if file.path.suffix in {".c", ".h"} else _HASH
            for span, lines, text in _marked(source, pattern):
                _read(text, span, lines, found, problems)
    return found, problems


def _marked(source: Source, pattern: re.Pattern[str]) -> Iterator[tuple[Span, set[int], str]]:
    """Comments with the mark: its place, the lines that it holds for, the text from it on."""
    text = source.text.replace("\r\n", "\n")
    plain = Source(source.name, text)
    for match in pattern.finditer(text):
        comment = match["comment"]
        if not comment or MARK not in comment:
            continue
        first, last = (plain.place(at).line for at in match.span())
        lines = set(range(first, last + 1))
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not before.strip():
            lines.add(_next(source, last))
        at = plain.place(match.start() + comment.index(MARK))
        rest = comment[comment.index(MARK) :].removesuffix("*/")
        length = len(rest.split("\n")[0].rstrip())
        yield source.span(at.line, at.column, length), lines, rest


def _next(source: Source, line: int) -> int:
    """The next line with something on it."""
    rest = range(line + 1, len(source.lines) + 1)
    return next((number for number in rest if source.line(number).strip()), line)


def _read(
    text: str, span: Span, lines: set[int], found: list[Comment], problems: list[Diagnostic]
) -> None:
    because = _BECAUSE.search(text)
    head, tail = (text[: because.start()], text[because.end() :]) if because else (text, "")
    match = _ALLOW.fullmatch(f"{head} ")
    words = match[1].split() if match else []
    whole = words[-3:] == _WHOLE
    names = re.findall(r"\w+", " ".join(words[:-3] if whole else words))
    reason = " ".join(re.sub(r"\n\s*\*", " ", tail).split())
    if match is None or not names or not reason:
        lacks = "names no rule" if match and because and not names else "gives no reason"
        problems.append(malformed(f"this allows nothing: it {lacks}", span, FORM))
        return
    for name in names:
        problem = unusable(name, span)
        if problem is not None:
            problems.append(problem)
            continue
        where = None if whole else frozenset(lines)
        found.append(Comment(name, where, Allowed("inSource", reason, span)))


def unusable(rule: str, span: Span) -> Diagnostic | None:
    """What keeps a rule from being suppressed, if anything does."""
    if rule not in rules():
        return malformed(f"there is no rule '{rule}'", span, did_you_mean(rule, rules()))
    if rule in NEVER:
        return malformed(f"{rule} cannot be suppressed", span, None)
    return None


def malformed(message: str, span: Span, help_: str | None) -> Diagnostic:
    """A suppression that suppresses nothing, because of what it says."""
    return Diagnostic(MALFORMED, message, span, rules()[MALFORMED].severity, help_)


def stale(rule: str, span: Span) -> Diagnostic:
    """A suppression of something that is not found any more."""
    message = f"this suppresses nothing: there is no such finding of {rule}"
    return Diagnostic(STALE, message, span, rules()[STALE].severity, "remove it")
