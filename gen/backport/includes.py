# SPDX-License-Identifier: GPL-2.0-or-later
"""Mainline's patch where only the lines around its includes differ in the tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.backport.records import BackportError
from gen.backport.scratch import apply_text
from gen.backport.text import CText
from gen.backport.upstream import changed_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUNKS = re.compile(r"^(?=@@ -)", re.MULTILINE)
_FILES = re.compile(r"^(?=diff --git )", re.MULTILINE)
_PATH = re.compile(r"^\+\+\+ b/(\S+)", re.MULTILINE)
_ADDED = re.compile(r"\+#[ \t]*include[ \t]*<([^>]+)>[ \t]*")


def apply_but_includes(files: Mapping[str, str], diff: str) -> dict[str, str] | None:
    """The files with a diff applied, its new includes placed where this tree sorts them.

    None where more than that fails, or where a hunk of includes also takes lines away.
    """
    kept, headers = "", dict[str, list[str]]()
    for part in _FILES.split(diff)[1:]:
        head, *hunks = _HUNKS.split(part)
        path = _PATH.search(head)
        left = []
        for hunk in hunks:
            names = _only_includes(hunk)
            if names is None or path is None:
                left.append(hunk)
            else:
                headers.setdefault(path[1], []).extend(names)
        kept += head + "".join(left) if left else ""
    if not kept or not headers:
        return None
    applied = apply_text(files, kept)
    if isinstance(applied, str):
        return None
    try:
        return applied | {path: _with(path, {**files, **applied}, names)
                          for path, names in headers.items()}  # fmt: skip
    except (BackportError, KeyError):
        return None


def _only_includes(hunk: str) -> list[str] | None:
    """The headers of a hunk that does nothing but include them."""
    changed = changed_lines(hunk)
    found = [_ADDED.fullmatch(line) for line in changed]
    names = [match[1] for match in found if match]
    return names if names and len(names) == len(changed) else None


def _with(path: str, files: Mapping[str, str], headers: list[str]) -> str:
    text = CText(path, files[path])
    for header in headers:
        text.include(header)
    return text.result()
