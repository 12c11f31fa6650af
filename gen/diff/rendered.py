# SPDX-License-Identifier: GPL-2.0-or-later
"""The rendered files of both sides compared, and which hunks belong to which change."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from gen.plan import Target, make_plan
from gen.render import render
from gen.resources import template_directory

if TYPE_CHECKING:
    from gen.diff.records import Change
    from gen.kernel import Kernel
    from gen.model import Device

# What the banner of every file says; it differs with every text of a spec.
_BANNER = re.compile(r"sha256 [0-9a-f]+")


def rendered_hunks(old: Device, new: Device, kernel: Kernel) -> list[str]:
    """The hunks of a unified diff of both renderings, each with its file's header.

    Raises:
        KernelFactsError: one side cannot be rendered for the kernel.
    """
    left, right = (_files(device, kernel) for device in (old, new))
    hunks = []
    for path in sorted({*left, *right}):
        names = (f"a/{path}" if path in left else "/dev/null",
                 f"b/{path}" if path in right else "/dev/null")  # fmt: skip
        lines = difflib.unified_diff(left.get(path, []), right.get(path, []), *names, "", "", 2, "")
        hunks += _split(list(lines))
    return hunks


def _files(device: Device, kernel: Kernel) -> dict[str, list[str]]:
    texts = render(make_plan(device, Target(kernel), "the spec"), template_directory())
    return {path: _BANNER.sub("sha256", text).split("\n") for path, text in texts.items()}


def _split(lines: list[str]) -> list[str]:
    starts = [index for index, line in enumerate(lines) if line.startswith("@@")]
    ends = [*starts[1:], len(lines)][: len(starts)]
    return ["\n".join([*lines[:2], *lines[a:b]]) for a, b in zip(starts, ends, strict=True)]


def belonging(change: Change, hunks: list[str]) -> tuple[str, ...]:
    """The hunks with a changed line that has one of the change's words, whatever their case.

    A word of one character is everywhere; it counts where it makes way for the other value's.
    """
    names = re.findall(r"\[([^]]*)\]", change.path)[-1:] if change.action != "changed" else []
    old, new = _spellings(change.old), _spellings(change.new)
    words = {word for word in old ^ new if len(word) > 1} | {name.lower() for name in names}
    found = []
    for hunk in hunks:
        gone, come = _changed(hunk, "-"), _changed(hunk, "+")
        if words & (gone | come) or ((old - new) & gone and (new - old) & come):
            found.append(hunk)
    return tuple(found)


def _spellings(text: str | None) -> set[str]:
    """A value as C may have it: its words, and a number in hexadecimal."""
    found = {word.lower() for word in re.findall(r"[A-Za-z0-9]+", text or "")}
    return found | ({f"0x{int(text):x}"} if text and text.isdecimal() else set())


def _changed(hunk: str, sign: str) -> set[str]:
    lines = [line[1:] for line in hunk.split("\n")[2:] if line[:1] == sign]
    return {word.lower() for line in lines for word in re.findall(r"[A-Za-z0-9]+", line)}
