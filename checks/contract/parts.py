# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver's files as parts that can be compared by name: functions, objects, options, lines.

Comments and white space count for nothing, and neither do help texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.tree import Role
from gen.diff.records import Part
from gen.source import UnreadableSourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from checks.tree import SourceTree, TreeFile

# A comment or a string that is not closed is one to the end: each of many would be looked for anew.
_TOKEN = re.compile(
    r"(?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*)|(?P<line>(?m:^)[ \t]*\#(?:\\\n|[^\n])*)"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n])*+'?)|(?P<word>\w+)|(?P<sign>[^\s\w])",
    re.DOTALL,
)
_CODE = frozenset({Role.UNIT, Role.HEADER, Role.UAPI})
_ENTRY = re.compile(r"^\s*(?:config|menuconfig|menu|choice|if|endif|endmenu|endchoice|source)\b")
_DEFINE = re.compile(r"#\s*define\s+\w+")
_ENDS, _HEAD_ENDS = frozenset({";"}), frozenset("(=[{;")
_ABOVE = ("Kconfig", "Makefile", "Kbuild")
_OPEN, _CLOSE = frozenset("({["), frozenset(")}]")


def parts(tree: SourceTree) -> tuple[Part, ...]:
    """The parts of all files, each with the lines that it takes."""
    return tuple(part for file in tree.files for part in _parts(file))


def around(root: Path, tree: SourceTree, called: str) -> tuple[Part, ...]:
    """What the directory above a driver's says of it: whether it is built and offered at all.

    Args:
        root: the directory that was given; nothing outside is read.
        tree: the driver that was found in it.
        called: how the names of its files begin in messages.
    """
    home = next((file.path.parent for file in tree.files if file.role is Role.UNIT), None)
    if home is None or home == home.parent:
        return ()
    found = []
    for name in _ABOVE:
        try:
            path = home.parent / name
            source = read_source(root / path, f"{called}{path}", within=root)
        except UnreadableSourceError:
            continue
        # That there is such a file is a part, so that a line that is gone is missed.
        found.append(Part(f"../{name}", "", "", source.span(1, 1), 0))
        for number, line in enumerate(source.lines, 1):
            words = " ".join(line.split("#")[0].split())
            if re.search(rf"(?<![\w-]){re.escape(home.name)}/", words):
                found.append(Part(f"../{name}", words, words, source.span(number, 1), number))
    return tuple(found)


def _parts(file: TreeFile) -> Iterator[Part]:
    if file.role in _CODE:
        yield from _code(file)
    elif file.role in {Role.KCONFIG, Role.MAKEFILE}:
        yield from _lines(file)


def _code(file: TreeFile) -> Iterator[Part]:
    """What stands at file scope, up to its semicolon or its last brace, and preprocessor lines."""
    text, words, depth, start = file.source.text, list[str](), 0, 0
    function: bool | None = None  # of what has a brace: whether it is one
    for match in _TOKEN.finditer(text):
        if match["comment"]:
            continue
        word = " ".join(match[0].split()) if match["line"] else match[0]
        start = start if words else match.start()
        if match["line"] and not words:
            define = _DEFINE.match(word)
            yield _part(file, define[0] if define else word, (word,), start, match.end())
            continue
        if word == "{" and function is None:
            function = ")" in words and "=" not in words
        words.append(word)
        depth += (word in _OPEN) - (word in _CLOSE)
        if depth <= 0 and (word in _ENDS or (function and word in _CLOSE)):
            yield _part(file, _name(words), words, start, match.end())
            words, depth, function = [], 0, None
    if words:
        yield _part(file, _name(words), words, start, len(text))


def _name(words: list[str]) -> str:
    """What is declared: the last word before the first bracket or value; of a mark, all of it."""
    end = next((i for i, word in enumerate(words) if word in _HEAD_ENDS and i), len(words))
    head = words[:end]
    if head[-1].isupper() and end < len(words) and words[end] == "(":
        return "".join(words[len(head) - 1 :]).rstrip(";")
    whole = head[0] in {"struct", "enum", "union"} and "{" in words and "=" not in words
    return " ".join(head) if whole else head[-1]


def _lines(file: TreeFile) -> Iterator[Part]:
    """The entries of a Kconfig, and the lines of a Makefile."""
    entry, first, place, helping = list[str](), 0, 0, 0
    whole = file.source.text
    for line in whole.splitlines(keepends=True):
        bare = " ".join(line.split("#")[0].split())
        begins = file.role is Role.MAKEFILE or _ENTRY.match(line)
        if begins and entry:
            yield _part(file, entry[0], entry, first, place)
            entry = []
        indent = len(line.expandtabs()) - len(line.expandtabs().lstrip())
        helping = 0 if begins or (helping and bare and indent < helping) else helping
        if bare and not helping:
            first = first if entry else place
            entry.append(bare)
        helping = indent + 1 if bare in {"help", "---help---"} else helping
        place += len(line)
    if entry:
        yield _part(file, entry[0], entry, first, place)


def _part(
    file: TreeFile, name: str, tokens: list[str] | tuple[str, ...], start: int, end: int
) -> Part:
    at = file.source.place(start)
    last = at.line + file.source.text[start:end].rstrip().count("\n")
    # The core's header and the one for user space may be called the same.
    folder = "uapi/" if file.role is Role.UAPI else ""
    return Part(f"{folder}{file.path.name}", name, " ".join(tokens), at, last)
