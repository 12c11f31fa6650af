# SPDX-License-Identifier: GPL-2.0-or-later
"""The options that a driver's C asks for: it is read as if all of them were set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.tree import Role
from gen.diff.records import CONFIGURATION, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.tree import SourceTree

_CONDITION = re.compile(
    r"^[ \t]*#[ \t]*(?:el)?if(?:n?def)?\b[^\n]*"
    r"|\bIS_(?:ENABLED|BUILTIN|MODULE|REACHABLE)\s*\([^)\n]*",
    re.MULTILINE,
)
_OPTION = re.compile(r"\bCONFIG_(\w+)")


def configuration(tree: SourceTree) -> Iterator[Unknown]:
    """What stands under an option is read, what stands under its opposite is not."""
    told = set()
    for file in (one for role in (Role.UNIT, Role.HEADER, Role.UAPI) for one in tree.of(role)):
        for condition in _CONDITION.finditer(file.source.text):
            for option in _OPTION.finditer(condition[0]):
                if option[1] in told:
                    continue
                told.add(option[1])
                at = file.source.place(condition.start() + option.start())
                name = option[0]
                why = f"read with {name} set; without it the driver may do something else"
                yield Unknown(CONFIGURATION, option[1], why, at)
