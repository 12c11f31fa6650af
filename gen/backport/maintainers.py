# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a tree's MAINTAINERS has to change where a patch adds and removes files.

Patterns match as scripts/get_maintainer.pl of the kernel takes them: one that ends in a slash is a
directory with all below it, any other matches as many directories deep as it has slashes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backport.records import MAINTAINERS, BackportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FIELD = re.compile(r"([A-Z]):\s+(\S.*)")
_EVERYTHING = frozenset({"*", "*/"})  # the patterns of the last entry, which nobody answers for


@dataclass(frozen=True)
class Pattern:
    """One `F:` or `X:` line; `line` counts from 1."""

    kind: str
    text: str
    line: int

    def covers(self, path: str) -> bool:
        """Whether the line is about a path."""
        # What stands behind an asterisk is looked for once, at its first place: no later one helps.
        pieces = [re.escape(piece).replace(r"\?", ".") for piece in self.text.split("*")]
        wanted = pieces[0] + "".join(f"(?>.*?{piece})" for piece in pieces[1:])
        if not re.match(wanted, path):
            return False
        return self.text.endswith("/") or self.text.count("/") == path.count("/")


@dataclass(frozen=True)
class Entry:
    """One entry of the file: its title, and the patterns of its files."""

    title: str
    patterns: tuple[Pattern, ...]

    def covering(self, path: str) -> Pattern | None:
        """The narrowest line that makes a path one of the entry; None where it is none."""
        found = [one for one in self.patterns if one.covers(path)]
        if any(one.kind == "X" for one in found):
            return None
        return max(found, key=lambda one: len(one.text), default=None)


@dataclass(frozen=True)
class Answer:
    """The new text of the file, None where it stays, and sentences that say why."""

    text: str | None
    told: tuple[str, ...]


def answer(text: str | None, home: str, added: Sequence[str], gone: Sequence[str]) -> Answer:
    """Answer for a patch whether the file needs an update, and make it.

    The driver's own entry is the one that names its sources, not only the directory they are in.
    Without one none is made: an entry names who maintains the driver, and only they can.

    Args:
        text: the file; None where the tree has none.
        home: where the driver's sources are to be, without the slash at the end.
        added: the files that the patch adds.
        gone: those that it removes.

    Raises:
        BackportError: the file is not whole.
    """
    if not added and not gone:
        return Answer(None, ())
    if text is None:
        return Answer(None, ("the tree has none, so who maintains the new files is not known",))
    entries = list(_entries(text))
    if not any(line.text in _EVERYTHING for one in entries for line in one.patterns):
        raise BackportError(
            f"{MAINTAINERS}: ends before its last entry, for all files; the source is not whole"
        )
    own = next((one for one in entries if _is_own(one, home)), None)
    if own is None:
        told = [*_covered(entries, added), *_named(entries, gone)]
        return Answer(None, (*told, ("has no entry of this driver's own, and gets none: an entry "
                             "names a maintainer, who has to say so")))  # fmt: skip
    missing = [path for path in added if own.covering(path) is None]
    inside = f"{home}/"
    new = sorted({inside if path.startswith(inside) else path for path in missing})
    stale = [one for one in own.patterns if one.text in gone]
    if not new and not stale:
        return Answer(None, (*_covered([own], added), "needs no update"))
    told = [f"'{own.title}' gets F: {one}" for one in new]
    told += [f"'{own.title}' loses F: {one.text}" for one in stale]
    return Answer(_edited(text, own, new, stale), tuple(told))


def _is_own(entry: Entry, home: str) -> bool:
    own = re.compile(rf"{re.escape(home)}(?:/.*|[.]c|[*])?")
    return any(one.kind == "F" and own.fullmatch(one.text) for one in entry.patterns)


def _entries(text: str) -> Iterator[Entry]:
    title, patterns = "", list[Pattern]()
    for number, line in enumerate(text.split("\n"), 1):
        field = _FIELD.match(line)
        if field is None:
            if patterns:
                yield Entry(title, tuple(patterns))
            title, patterns = line.strip() or title, []
        elif field[1] in "FX":
            patterns.append(Pattern(field[1], field[2].rstrip(), number))
    if patterns:
        yield Entry(title, tuple(patterns))


def _covered(entries: Sequence[Entry], added: Sequence[str]) -> Iterator[str]:
    """Sentences about which line the new files are under."""
    under: dict[str, list[str]] = {}
    for path in added:
        found = [(line, one.title) for one in entries if (line := one.covering(path))
                 if line.text not in _EVERYTHING]  # fmt: skip
        if found:
            line, title = max(found, key=lambda pair: len(pair[0].text))
            told = f"line {line.line}, F: {line.text} of '{title}', covers"
        else:
            told = "no entry but the last, for all files, covers"
        under.setdefault(told, []).append(path)
    for told, paths in under.items():
        count = len(paths)
        yield f"{told} {paths[0] if count == 1 else f'{count} new files'}"


def _named(entries: Sequence[Entry], gone: Sequence[str]) -> Iterator[str]:
    """Sentences about lines of others that name a file which goes; theirs are left alone."""
    for entry in entries:
        for one in (one for one in entry.patterns if one.text in gone):
            yield f"line {one.line} of '{entry.title}' names {one.text}, which goes; tell them"


def _edited(text: str, entry: Entry, new: Sequence[str], stale: Sequence[Pattern]) -> str:
    """The text with lines of an entry added where they sort, and others taken out."""
    lines: list[str | None] = list(text.split("\n"))
    files = [one for one in entry.patterns if one.kind == "F"]
    for one in stale:
        lines[one.line - 1] = None
    for path in reversed(new):
        later = next((one.line - 1 for one in files if one.text > path), files[-1].line)
        lines.insert(later, f"F:\t{path}")
    return "\n".join(line for line in lines if line is not None)
