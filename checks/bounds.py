# SPDX-License-Identifier: GPL-2.0-or-later
"""How much C is read of a file and of what it brings in; what is beyond is told as too much text.

The bounds count what a text consists of, never time, so that an answer is the same everywhere.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from checks.tree import MAX_BYTES
from gen.csyntax import unclosed

if TYPE_CHECKING:
    from gen.source import Source

# Tokens of a file, before and after preprocessing, and characters of one token.
MAX_TOKENS, MAX_LENGTH = 60_000, 8_192
# Characters of a comment or a string that is not closed.
MAX_OPEN = 2_000
# Lines of a file, with all that it brings in.
MAX_LINES = 20_000
# Tokens that all steps of macro expansion make; a driver of this class needs some 2,000.
MAX_WORK = 50_000
# How often a file brings in another, and in how many characters together: as many as one may have.
MAX_INCLUDES, MAX_INCLUDED = 500, MAX_BYTES
# How often a condition is worked out, and of how many options of the configuration.
MAX_CONDITIONS, MAX_OPTIONS = 2_000, 2_000
_RAW_TOKEN = re.compile(r"\w+|[^\w\s]")


class TooLargeError(Exception):
    """There is more text than any driver of this class has."""


@lru_cache(maxsize=256)
def too_long(source: Source) -> bool:
    """Whether a text has more tokens than are looked at, before anything costly is done with it."""
    text = source.text
    # The end of what has none is looked for from each mark in it again.
    code = source.name.endswith((".c", ".h"))
    endless = code and any(len(match[0]) > MAX_OPEN for match in unclosed(text))
    return endless or sum(1 for _ in _RAW_TOKEN.finditer(text)) > MAX_TOKENS
