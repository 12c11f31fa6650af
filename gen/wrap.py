# SPDX-License-Identifier: GPL-2.0-or-later
"""Prose in lines, as kernel people write it, and long lists in it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# How many names a sentence lists.
_MANY = 12


def wrap(text: str, width: int, *, hanging: str = "") -> list[str]:
    """Text in lines of at most width characters; hanging indents all but the first.

    Lines break at blanks alone: half an option, a path or a file's name cannot be searched for, so
    a word longer than width has a longer line for itself.
    """
    return textwrap.wrap(
        text, width, subsequent_indent=hanging, break_on_hyphens=False, break_long_words=False
    )


def listing(names: Sequence[str]) -> str:
    """Names in a sentence: the first ones, and how many more there are."""
    more = len(names) - _MANY
    return ", ".join(names[:_MANY]) + (f" and {more} more" if more > 0 else "")
