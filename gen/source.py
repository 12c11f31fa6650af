# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a thing stands: source texts and spans in them.

Every model object, parsed construct and message carries a `Span`, so that a message can always
say where. Lines and columns count from 1, columns in characters; a span never crosses a line,
because a caret line can only show one.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path


class UnreadableSourceError(Exception):
    """A file that cannot be taken as text at all; the message says why, without the path."""


@dataclass(frozen=True)
class Source:
    """A text and the name under which messages show it; it has no lone carriage returns."""

    name: str
    text: str = field(repr=False)

    def line(self, number: int) -> str:
        """The given line without its end, or an empty string beyond the last one."""
        lines = self.lines
        return lines[number - 1] if 0 < number <= len(lines) else ""

    @cached_property
    def lines(self) -> list[str]:
        """All lines. Only newlines separate: a form feed inside a line is not an end of line."""
        return self.text.replace("\r\n", "\n").split("\n")

    def place(self, index: int) -> Span:
        """The character at an index of the text."""
        row = bisect_right(self._starts, index)
        return self.span(row, index - self._starts[row - 1] + 1)

    @cached_property
    def _starts(self) -> list[int]:
        """The index at which each line starts."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def span(self, line: int, column: int, length: int = 1) -> Span:
        """A span in this text."""
        return Span(self, line, column, max(length, 1))


@dataclass(frozen=True, order=True)
class Span:
    """A place in a source: `line` and `column` from 1, `length` in characters."""

    source: Source = field(compare=False)
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


def leaves(path: Path, top: Path) -> bool:
    """Whether links on the way to a path lead out of a directory that it is named below."""
    # realpath() knows no error: a loop of links stays where it is, and is told when it is read.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(top))


def read_source(
    path: Path, name: str | None = None, limit: int = 4 << 20, within: Path | None = None
) -> Source:
    """Read a file as UTF-8 text.

    Args:
        path: the file; special files are refused, since reading one could wait for ever.
        name: how messages call it; the path as given when absent.
        limit: the size in bytes above which the file is refused.
        within: the directory that the file has to be in, whatever links there are; any if absent.

    Raises:
        UnreadableSourceError: missing, unreadable, elsewhere, not a regular file, too large, or no
            text.
    """
    try:
        if within is not None and leaves(path, within):
            raise UnreadableSourceError("a link that leads out of the given tree")
        if not path.exists():
            raise UnreadableSourceError("no such file")
        if not path.is_file():
            raise UnreadableSourceError("not a regular file")
        if path.stat().st_size > limit:
            raise UnreadableSourceError(f"larger than {limit} bytes")
        # What the kernel makes up on reading says that it has no size.
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise UnreadableSourceError(f"larger than {limit} bytes")
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise UnreadableSourceError(getattr(error, "strerror", None) or str(error)) from None
    return Source(name if name is not None else str(path), decoded(data))


def decoded(data: bytes) -> str:
    """What bytes say: UTF-8, in lines that end with a newline or with a carriage return and one.

    Raises:
        UnreadableSourceError: they are none, or have a carriage return that ends no line, which
            compilers, editors and parsers read in different ways.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableSourceError(f"not UTF-8 text (byte {error.start})") from None
    if stray := re.search(r"\r(?!\n)", text):
        line = text.count("\n", 0, stray.start()) + 1
        raise UnreadableSourceError(f"a carriage return that ends no line, in line {line}")
    return text
