# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that belong to a driver without its name: parts of its modules, and headers in quotes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.source import UnreadableSourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

# More than any driver's text; what is longer is refused where it is read.
_LIMIT = 1 << 20
_PARTS = re.compile(r"^[ \t]*([\w-]+)-(?:y|m|objs|\$\(\w+\))\s*[:+?]?=(.*)$", re.MULTILINE)
_BUILT = re.compile(r"^[ \t]*obj-\$\((CONFIG_\w+)\)\s*[:+?]?=(.*)$", re.MULTILINE)
_QUOTED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"/\n]+)"', re.MULTILINE)


def parts(makefiles: Iterable[Path], names: tuple[str, ...]) -> set[str]:
    """The names of the .c files that modules of these names, or with a part of one, are made of.

    What the same Kconfig symbol builds beside such a module is one of the driver's, too.
    """
    found = set()
    for path in makefiles:
        text = _text(path).replace("\\\n", " ")
        for match in _PARTS.finditer(text):
            inner = _objects(match[2])
            if match[1] in names or inner & {f"{name}.c" for name in names}:
                found |= inner
        built = [(match[1], _objects(match[2])) for match in _BUILT.finditer(text)]
        own = {symbol for symbol, files in built if files & {f"{name}.c" for name in names}}
        found |= {file for symbol, files in built if symbol in own for file in files}
    return found


def _objects(words: str) -> set[str]:
    """The sources of the objects that an assignment of a Makefile lists."""
    return {f"{word[:-2]}.c" for word in words.partition("#")[0].split() if word.endswith(".o")}


def included(files: Sequence[Path], code: Sequence[Path]) -> Iterator[Path]:
    """Those of `code` that the files include in quotes, and what these include in turn."""
    there, seen, left = {path.name: path for path in code}, set(files), list(files)
    while left:
        for name in _QUOTED.findall(_text(left.pop())):
            path = there.get(name)
            if path is not None and path not in seen:
                seen.add(path)
                left.append(path)
                yield path


def _text(path: Path) -> str:
    """A file's text; nothing where it cannot be read or lies elsewhere, which reading it tells."""
    try:
        beside = path.resolve().parent == path.parent.resolve()
        return read_source(path, limit=_LIMIT).text if beside else ""
    except (UnreadableSourceError, OSError, RuntimeError):  # RuntimeError: a loop of symbolic links
        return ""
