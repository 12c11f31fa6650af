# SPDX-License-Identifier: GPL-2.0-or-later
"""kbuild Makefiles to facts: which objects are built for which configuration option.

Only what drivers of this class need is read: assignments to obj-y, obj-m, obj-$(CONFIG_X) and to
the parts of composite objects. Conditions count as true, so that all lines are seen. A line that
builds something in a way that is not understood is a problem, not silence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.facts import MakeObject
from checks.tree import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.tree import TreeFile
    from gen.source import Source, Span

_OBJ = re.compile(r"^(?P<head>obj-(?P<which>y|m|\$[({]CONFIG_(?P<option>\w+)[)}]))\s*[:+?]?=")
_PART = re.compile(r"^(?P<name>[\w-]+?)-(?:y|m|objs|\$[({]CONFIG_\w+[)}])\s*[:+?]?=")
_WORD = re.compile(r"[^\s]+")
# Variables of kbuild that look like a composite object's parts and are none.
_FLAGS = frozenset(
    {"ccflags", "asflags", "ldflags", "subdir", "subdir-ccflags", "always", "hostprogs"}
)


def read_makefile(
    files: tuple[TreeFile, ...],
) -> tuple[tuple[MakeObject, ...] | None, list[Problem]]:
    """The objects of all Makefiles, None when there is none; parts count for their whole."""
    if not files:
        return None, []
    objects: list[MakeObject] = []
    problems: list[Problem] = []
    parts: dict[str, list[tuple[str, Span]]] = {}
    for file in files:
        for line, text in _logical_lines(file.source):
            match = _OBJ.match(text)
            part = _PART.match(text)
            if match:
                words = list(_words(file.source, line, text, match.end()))
                objects += [MakeObject(word, match["option"], span) for word, span in words]
                problems += [_unclear(word, span) for word, span in words if "$" in word]
            elif part and part["name"] not in _FLAGS:
                words = list(_words(file.source, line, text, part.end()))
                parts.setdefault(f"{part['name']}.o", []).extend(words)
            elif re.match(r"^obj-\S*\s*[:+?]?=", text):
                span = file.source.span(line, 1, len(file.source.line(line)))
                problems.append(_unclear(text.split("=")[0].strip(), span))
    whole = [item for item in objects if item.name in parts]
    inner = [MakeObject(n, item.option, s) for item in whole for n, s in parts[item.name]]
    return (*objects, *inner), problems


def _unclear(word: str, span: Span) -> Problem:
    return Problem("KERN133", f"not analysed: '{word}' in a Makefile", span)


def _logical_lines(source: Source) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, without comments; the number is the first line's."""
    pending, start = "", 0
    for number, line in enumerate(source.lines, 1):
        text = re.sub(r"(?<!\\)#.*", "", line)
        start = start or number
        if text.endswith("\\"):
            # A newline keeps the column of what follows known.
            pending += text[:-1] + "\n"
            continue
        yield start, pending + text
        pending, start = "", 0
    if pending:
        yield start, pending


def _words(source: Source, line: int, text: str, start: int) -> Iterator[tuple[str, Span]]:
    for match in _WORD.finditer(text, start):
        before = text[: match.start()]
        row = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1) + 1
        yield match[0], source.span(line + row, column, len(match[0]))
