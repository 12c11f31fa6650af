# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's ABI documents to facts: entries of tagged fields, as Documentation/ABI/README says.

A field begins with its tag at the start of a line and goes on in lines that are indented. An entry
begins with `What:`; it may have several of them, and several paths in each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.facts import AbiFact, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.tree import TreeFile

WHAT = "what"
_TAG = re.compile(r"(?P<tag>[A-Za-z]+(?: +[A-Za-z]+)*)[ \t]*:(?:\s+|$)")
_PATH = re.compile(r"(?<!\S)/[^\s,]+")


def read_abi(files: tuple[TreeFile, ...]) -> tuple[AbiFact, ...]:
    """The entries of all documents, in their order."""
    return tuple(entry for file in files for entry in _entries(file))


def _entries(file: TreeFile) -> Iterator[AbiFact]:
    paths: list[Value] = []
    fields: dict[str, Value] = {}
    for tag, value in _fields(file):
        if tag == WHAT and fields:
            yield AbiFact(file, tuple(paths), fields)
            paths, fields = [], {}
        if tag == WHAT:
            paths += _paths(value)
        elif paths:
            fields.setdefault(tag, value)
    if paths:
        yield AbiFact(file, tuple(paths), fields)


def _fields(file: TreeFile) -> Iterator[tuple[str, Value]]:
    """Each field's tag in lower case and its text, whose place is the tag's line."""
    lines = file.source.lines
    starts = [
        (number, match) for number, line in enumerate(lines, 1) if (match := _TAG.match(line))
    ]
    ends = [number for number, _ in starts[1:]] + [len(lines) + 1]
    for (number, match), end in zip(starts, ends, strict=True):
        # What is neither indented nor a tag is a comment or a heading.
        more = [line for line in lines[number : end - 1] if not line.strip() or line[0] in " \t"]
        first = lines[number - 1]
        span = file.source.span(number, 1, len(match["tag"]))
        text = "\n".join([" " * match.end() + first[match.end() :], *more])
        yield match["tag"].lower(), Value(span, match["tag"], text=text)


def _paths(what: Value) -> Iterator[Value]:
    """The paths of a `What:`; words beside them are remarks."""
    source, line = what.span.source, what.span.line
    for number, text in enumerate((what.text or "").split("\n"), line):
        for match in _PATH.finditer(text):
            span = source.span(number, match.start() + 1, len(match[0]))
            yield Value(span, match[0], text=match[0])
