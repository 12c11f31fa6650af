# SPDX-License-Identifier: GPL-2.0-or-later
"""kbuild Makefiles to facts: which objects are built for which configuration option.

Only what drivers of this class need is read: assignments to obj-y, obj-m, obj-$(CONFIG_X) and to
the parts of composite objects. Conditions count as true, so that all lines are seen. A line that
builds something in a way that is not understood is a problem, not silence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.facts import MakeObject, MakeOption
from checks.tree import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.tree import TreeFile
    from gen.source import Source, Span

_OBJ = re.compile(
    r"^(?P<head>obj-(?P<which>y|m|\$[({]CONFIG_(?P<option>\w+)[)}]))\s*(?P<how>[:+?]?)="
)
_OPTION = re.compile(r"^CONFIG_(?P<name>\w+)\s*:?=\s*(?P<value>\$\(if .*\))\s*$", re.DOTALL)
_ALTERNATIVE = re.compile(r"^\s*(?:else|endif)\b")
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
        before = False  # whether a line that a plain assignment would replace came before
        for line, text in _logical_lines(file.source):
            match = _OBJ.match(text)
            before = before and not _ALTERNATIVE.match(text)
            part = _PART.match(text)
            if match:
                words = list(_words(file.source, line, text, match.end()))
                head = file.source.span(line, 1, match.end())
                lost = head if before and match["how"] in {"", ":"} else None
                before = True
                objects += [MakeObject(w, match["option"], s, None, lost) for w, s in words]
                problems += [_unclear(word, span) for word, span in words if "$" in word]
            elif part and part["name"] not in _FLAGS:
                words = list(_words(file.source, line, text, part.end()))
                parts.setdefault(f"{part['name']}.o", []).extend(words)
            elif re.match(r"^obj-\S*\s*[:+?]?=", text):
                span = file.source.span(line, 1, len(file.source.line(line)))
                problems.append(_unclear(text.split("=")[0].strip(), span))
    whole = [item for item in objects if item.name in parts]
    inner = [
        MakeObject(part, item.option, span, item.name)
        for item in whole
        for part, span in parts[item.name]
    ]
    return (*objects, *inner), problems


def read_options(files: tuple[TreeFile, ...]) -> tuple[MakeOption, ...]:
    """The options that Makefiles set by a condition on others; other ways are left out."""
    found = []
    for file in files:
        for line, text in _logical_lines(file.source):
            match = _OPTION.match(text)
            condition = _condition(match["value"]) if match else None
            if match and condition:
                span = file.source.span(line, match.start("value") + 1, len(match["value"]))
                found.append(MakeOption(match["name"], condition, span))
    return tuple(found)


def _condition(text: str) -> str | None:
    """What `$(if A,m)`, `$(and A,B)`, `$(or A,B)` and `$(CONFIG_X)` are in Kconfig."""
    text = text.strip()
    option = re.fullmatch(r"\$[({]CONFIG_(\w+)[)}]", text)
    call = re.fullmatch(r"\$\((if|and|or)\s+(.*)\)", text, re.DOTALL)
    if option:
        return option[1]
    if call is None:
        return None
    items = _arguments(call[2])
    if call[1] == "if":
        return _condition(items[0]) if [item.strip() for item in items[1:]] == ["m"] else None
    inner = [_condition(item) for item in items]
    sign = " && " if call[1] == "and" else " || "
    return f"({sign.join(item for item in inner if item)})" if all(inner) else None


def _arguments(text: str) -> list[str]:
    """The arguments of a make function: split at the commas outside all brackets."""
    items, depth = [""], 0
    for letter in text:
        depth += (letter in "({") - (letter in ")}")
        if letter == "," and depth == 0:
            items.append("")
        else:
            items[-1] += letter
    return items


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
    row, first = text.count("\n", 0, start), text.rfind("\n", 0, start) + 1
    for match in _WORD.finditer(text, start):
        row += text.count("\n", first, match.start())
        first = text.rfind("\n", first, match.start()) + 1 or first
        yield match[0], source.span(line + row, match.start() - first + 1, len(match[0]))
