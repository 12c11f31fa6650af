# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a driver keeps what the spec's attributes show: the members behind the masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.rule import Context
    from gen.model import Mask

_TYPE = "struct device_attribute"


def shown(flow: Flow, context: Context, mask: Mask) -> str | None:
    """The member that the attribute of a mask shows, such as `struct x.events`; None if unclear."""
    names = [item.name for item in context.device.sysfs if item.shows is mask]
    found: set[str] = set()
    for item in context.facts.objects(_TYPE):
        title, show = item.fields.get("attr.name"), item.fields.get("show")
        if title is None or show is None or title.text not in names:
            continue
        for root in flow.program.roots:
            if root.role == "show" and root.function.name == show.name:
                found |= read_by(flow, root.function)
    return found.pop() if len(found) == 1 else None


def read_by(flow: Flow, function: Function) -> set[str]:
    """The members of structures that a function reads."""
    return {
        event.name
        for event in flow.traces[function].of("read", "once-read")
        if event.place is not None and event.place[0] == "field"
    }


def has(context: Context, mask: Mask) -> bool:
    """Whether the spec has an attribute that shows a mask."""
    return any(item.shows is mask for item in context.device.sysfs)
