# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver that takes another's place changes for those who use it, as lines of a mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.backport.text import CText
from gen.csyntax import descend, words
from gen.diff.records import Severity
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen.diff.records import Finding

_WIDTH = 72  # of a message's lines
_SUFFIX = re.compile(r"(?:[0-9A-F]|BIT)(ULL|UL|U)\b")
_TYPES = {"": "int", "U": "unsigned int", "UL": "unsigned long", "ULL": "unsigned long long"}
_HEADS = {
    Severity.BREAK: "What used the driver can break by this:",
    Severity.RISKY: "This can be noticed:",
    Severity.COMPATIBLE: "This is new, and breaks nothing:",
}


def tell_effects(findings: Sequence[Finding], header: Sequence[str], notes: Sequence[str]) -> str:
    """Lists of what changes, the worst first; empty where nothing does.

    Args:
        findings: how the contract differs from the one of the old driver, judged.
        header: sentences about the header for user space.
        notes: what there is to know of this kernel, such as what it cannot carry.
    """
    parts = []
    for severity, head in _HEADS.items():
        told = [one.message for one in findings if one.rule.severity is severity]
        parts += _list(head, [*told, *(header if severity is Severity.RISKY else ())])
    parts += _list("Note:", notes)
    return "\n".join(parts)


def compare_headers(old: str | None, new: str | None) -> Iterator[str]:
    """A sentence for each macro of the header for user space whose C type is another."""
    before, after = _values(old or ""), _values(new or "")
    for macro in (one for one in before if one in after):
        types = (_type(before[macro]), _type(after[macro]))
        if types[0] != types[1]:
            told = f"{macro}: {types[0]} became {types[1]}"
            yield f"A macro for user space has another type: {told}"


def compare_exports(old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """A line about exported symbols that go, and one about those that come."""
    before, after = _exports(old), _exports(new)
    for head, names in (
        ("The old driver alone exports what another's module may use",
         [one for one in before if one not in after]),
        ("The new driver alone exports", [one for one in after if one not in before]),
    ):  # fmt: skip
        if names:
            yield f"{head}: {', '.join(names)}"


def _exports(sources: Iterable[str]) -> list[str]:
    """The symbols that the sources of a driver export."""
    marks = [one for text in sources for one in descend(CText("", text).root, "call_expression")
             if words(one.child_by_field_name("function")).startswith("EXPORT_SYMBOL")]  # fmt: skip
    fields = [one.child_by_field_name("arguments") for one in marks]
    return [words(one.named_children[0]) for one in fields if one and one.named_children]


def _list(head: str, items: Sequence[str]) -> list[str]:
    lines = [line for text in items for line in wrap(f"- {text}", _WIDTH, hanging="  ")]
    return ["", head, *lines] if lines else []


def _values(header: str) -> dict[str, str]:
    """The macros that have a value, in the order of the header."""
    found = {}
    for define in descend(CText("", header).root, "preproc_def"):
        value = words(define.child_by_field_name("value"))
        if value:
            found[words(define.child_by_field_name("name"))] = value
    return found


def _type(value: str) -> str:
    """The C type of a shifted number, by its suffix or by the one in the macro that makes it."""
    suffix = _SUFFIX.search(value.upper())
    return _TYPES[suffix[1] if suffix else ""]
