# SPDX-License-Identifier: GPL-2.0-or-later
"""Which headers of the facts table bring which others, read from a kernel's headers as text.

Every `#include` counts, whatever condition it stands under, so more is found than any
configuration has: what is not found is never brought.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gen.kernel import Kernel

_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
_PLACES = ("include", "include/uapi", "arch/x86/include", "arch/x86/include/uapi",
           "arch/arm64/include", "arch/arm64/include/uapi")  # fmt: skip


def strays(roots: Sequence[Path], kernel: Kernel) -> Iterator[tuple[str, str]]:
    """Headers that the table calls seldom brought, each with one that brings it unmentioned."""
    graph: dict[str, set[str]] = {}
    for header in sorted(kernel.header_table):
        if kernel.has_header(header):
            for brought in sorted(_reached(header, roots, graph) & set(kernel.bringers)):
                if brought != header and header not in kernel.bringers[brought]:
                    yield brought, header


def _reached(header: str, roots: Sequence[Path], graph: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [header]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            if here not in graph:
                graph[here] = _included(here, roots)
            todo += graph[here]
    return seen


def _included(header: str, roots: Sequence[Path]) -> set[str]:
    """What a header includes; one in quotes may stand beside it."""
    names = [header]
    if header.startswith("asm/"):
        names.append(f"asm-generic/{header.removeprefix('asm/')}")
    files = [root / place / name for root in roots for place in _PLACES for name in names]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    found = {name for text in texts for name in _INCLUDE.findall(text)}
    directory = header.rpartition("/")[0]
    return found | {f"{directory}/{name}" for name in found}
