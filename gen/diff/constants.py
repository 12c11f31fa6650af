# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a number and a constant of the kernel are the same: C may have either."""

from __future__ import annotations

import re

from gen.resources import kernel_directory


def same_number(old: str, new: str) -> bool:
    """Whether two texts, of which one is a number and the other may be a constant, are equal."""
    names = [text for text in (old, new) if text.isidentifier()]
    if len(names) != 1:
        return False
    values = {_value(text) if text in names else text for text in (old, new)}
    return len(values) == 1


def _value(name: str) -> str | None:
    """What a constant is worth by the facts about kernels, which are not loaded for this."""
    text = (kernel_directory() / "api.yaml").read_text(encoding="utf-8")
    match = re.search(rf"^  {name}: {{kind: constant,.*\bvalue: (-?\d+)", text, re.MULTILINE)
    return match[1] if match else None
