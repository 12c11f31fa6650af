# SPDX-License-Identifier: GPL-2.0-or-later
"""Prose of a spec in lines, as kernel people write it."""

from __future__ import annotations

import textwrap


def wrap(text: str, width: int, *, hanging: str = "") -> list[str]:
    """Text in lines of at most width characters; hanging indents all but the first.

    Lines break at blanks alone: half an option, a path or a file's name cannot be searched for, so
    a word longer than width has a longer line for itself.
    """
    return textwrap.wrap(
        text, width, subsequent_indent=hanging, break_on_hyphens=False, break_long_words=False
    )
