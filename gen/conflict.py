# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a merge was not finished: the marks that git leaves in a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen.source import Source, Span

MESSAGE = "a merge conflict is not resolved here"
_MARK = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: |\r?$)", re.MULTILINE)
# A line of equals signs may underline a heading in a comment of C.
_IN_C = re.compile(r"^(<{7}|>{7}|\|{7})(?: |\r?$)", re.MULTILINE)


def conflict(source: Source, *, in_c: bool = False) -> Span | None:
    """The first mark in a file; None where there is none."""
    found = (_IN_C if in_c else _MARK).search(source.text)
    return source.span(source.place(found.start()).line, 1, 7) if found else None
