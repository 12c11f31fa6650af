# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rendered directory says of itself: the spec, kernel and contract it was made for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.output import LIST
from gen.source import UnreadableSourceError, read_source

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 64 << 10
_MADE = re.compile(r"^# Made from .* for Linux (?P<kernel>[0-9.]*[0-9])", re.MULTILINE)
_COMMAND = re.compile(
    r"^#\s+(?P<command>pvgen gen --spec (?P<spec>\S+) --(?:kernel|kdir) \S+"
    r"(?: --as-of (?P<as_of>\S+))?)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Banner:
    """The target in the banner of rendered files; `as_of` is None for the whole spec."""

    command: str
    spec: str
    kernel: str
    as_of: str | None


def read_banner(directory: Path) -> Banner | None:
    """The banner of a rendered directory; None where pvgen did not render it."""
    try:
        text = read_source(directory / LIST, limit=_MOST).text
    except UnreadableSourceError:
        return None
    made, command = _MADE.search(text), _COMMAND.search(text)
    if made is None or command is None:
        return None
    return Banner(command["command"], command["spec"], made["kernel"], command["as_of"])
