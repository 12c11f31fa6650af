# SPDX-License-Identifier: GPL-2.0-or-later
"""kbuild Makefiles to facts: which objects are built for which configuration option.

Only what drivers of this class need is read: assignments to obj-y, obj-m, obj-$(CONFIG_X) and to
the parts of composite objects. Conditions count as true, so that all lines are seen. A line that
builds something in a way that is not understood is a problem, not silence.
"""

from __future__ import annotations

import itertools
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
_BRACKET = re.compile(r"[(){}]")
_WORD = re.compile(r"[^\s]+")
# Bounds of the Makefiles of a driver: objects and options; of a line with those that it goes on in,
# characters and levels of brackets.
MAX_OBJECTS, MAX_OPTIONS, MAX_LINE, MAX_LEVELS = 2_000, 100, 8_192, 100
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
        lines, beyond = _read_lines(file)
        problems += beyond
        for line, text in lines:
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
    inner = (
        MakeObject(part, item.option, span, item.name)
        for item in objects
        for part, span in parts.get(item.name, ())
    )
    found = tuple(itertools.islice(itertools.chain(objects, inner), MAX_OBJECTS + 1))
    if len(found) > MAX_OBJECTS:
        told = f"not analysed: more than {MAX_OBJECTS} objects in the Makefiles"
        problems.append(Problem("KERN133", told, found[MAX_OBJECTS].span))
    return found[:MAX_OBJECTS], problems


def read_options(files: tuple[TreeFile, ...]) -> tuple[tuple[MakeOption, ...], list[Problem]]:
    """The options that Makefiles set by a condition on others; other ways are left out.

    What is beyond the bounds of a line is told with the objects.
    """
    found: list[MakeOption] = []
    for file in files:
        for line, text in _read_lines(file)[0]:
            match = _OPTION.match(text)
            condition = _condition(match["value"]) if match else None
            if match is None or not condition:
                continue
            span = file.source.span(line, match.start("value") + 1, len(match["value"]))
            if len(found) == MAX_OPTIONS:
                told = f"not analysed: more than {MAX_OPTIONS} options set in the Makefiles"
                return tuple(found), [Problem("KERN133", told, span)]
            found.append(MakeOption(match["name"], condition, span))
    return tuple(found), []


def _condition(text: str) -> str | None:
    """What `$(if A,m)`, `$(and A,B)`, `$(or A,B)` and `$(CONFIG_X)` are in Kconfig."""
    text = text.strip()
    option = re.fullmatch(r"\$[({]CONFIG_(\w+)[)}]", text)
    call = re.fullmatch(r"\$\((if|and|or)\s(.*)\)", text, re.DOTALL)
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
    ends, depth = [-1], 0
    for at, letter in enumerate(text):
        depth += (letter in "({") - (letter in ")}")
        if letter == "," and depth == 0:
            ends.append(at)
    return [text[a + 1 : b] for a, b in itertools.pairwise([*ends, len(text)])]


def _unclear(word: str, span: Span) -> Problem:
    return Problem("KERN133", f"not analysed: '{word}' in a Makefile", span)


def _read_lines(file: TreeFile) -> tuple[list[tuple[int, str]], list[Problem]]:
    """Lines with their continuations, each with its first number; and what is beyond bounds."""
    within, problems = [], []
    for line, text in _logical_lines(file.source):
        why = _beyond(text) if text else None
        if why is None:
            within.append((line, text))
        else:
            span = file.source.span(line, 1, len(file.source.line(line)))
            problems.append(Problem("KERN133", f"not analysed: {why}", span))
    return within, problems


def _beyond(text: str) -> str | None:
    """Which bound a line breaks."""
    if len(text) > MAX_LINE:
        return f"a line of more than {MAX_LINE} characters"
    levels = itertools.accumulate(1 if one in "({" else -1 for one in _BRACKET.findall(text))
    return "nested too deeply" if max(levels, default=0) > MAX_LEVELS else None


def _logical_lines(source: Source) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, without comments; the number is the first line's."""
    pending, start = list[str](), 0
    for number, line in enumerate(source.lines, 1):
        text = re.sub(r"(?<!\\)#.*", "", line)
        start = start or number
        pending.append(text.removesuffix("\\"))
        if not text.endswith("\\"):
            # A newline keeps the column of what follows known.
            yield start, "\n".join(pending)
            pending, start = [], 0
    if pending:
        yield start, "\n".join(pending)


def _words(source: Source, line: int, text: str, start: int) -> Iterator[tuple[str, Span]]:
    row, first = text.count("\n", 0, start), text.rfind("\n", 0, start) + 1
    for match in _WORD.finditer(text, start):
        row += text.count("\n", first, match.start())
        first = max(first, text.rfind("\n", first, match.start()) + 1)
        yield match[0], source.span(line + row, match.start() - first + 1, len(match[0]))
