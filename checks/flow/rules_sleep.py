# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about callbacks that take something away for a while: power management, PCI errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.cfg import walk
from checks.flow.resources import PUBLISHED, USED, acquired, released_below
from checks.rule import Found, NotApplicable, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.rule import Context, Word

# What takes something away, and what may give it back.
PAIRS = {
    "suspend": ("resume", "resume_early"),
    "suspend_late": ("resume_early", "resume"),
    "suspend_noirq": ("resume_noirq", "resume_early", "resume"),
    "freeze": ("thaw",),
    "poweroff": ("restore",),
    "runtime_suspend": ("runtime_resume",),
    "error_detected": ("slot_reset", "resume"),
}
TABLES = frozenset({"struct dev_pm_ops", "struct pci_error_handlers", "struct pci_driver",
                    "struct platform_driver"})  # fmt: skip
KINDS = PUBLISHED | USED
# What a callback returns of a device that does not come back.
LOST = "PCI_ERS_RESULT_DISCONNECT"


@flow_check("KERN159")
def not_given_back(flow: Flow, _context: Context) -> Iterator[Word]:
    """What a callback takes away for a while, and its counterpart does not give back."""
    seen = False
    for members in _tables(flow):
        for name, partners in PAIRS.items():
            if name not in members:
                continue
            seen = True
            back = [members[partner] for partner in partners if partner in members]
            yield from _judge(flow, members[name], name, back)
    if not seen:
        yield NotApplicable("the driver has no callback that takes anything away for a while")


def _tables(flow: Flow) -> Iterator[dict[str, Function]]:
    """The driver's functions in each table of callbacks, by member."""
    units = {function.unit.file: function.unit for function in flow.traces}
    for unit in flow.program.facts.units:
        for item in unit.objects if unit.file in units else ():
            if item.type in TABLES:
                for entry in item.entries or (item,):
                    found = {
                        name: flow.program.function(value.name, units[unit.file])
                        for name, value in entry.fields.items()
                    }
                    yield {name: one for name, one in found.items() if one is not None}


def _judge(flow: Flow, taking: Function, name: str, back: list[Function]) -> Iterator[Word]:
    given = {use.kind for item in back for f in flow.reach(item) for use in acquired(flow, f)}
    for use in released_below(flow, taking):
        if use.kind not in KINDS or use.kind in given or use.kind == "memory":
            continue
        strange = _strange(flow, back) or _gives_up(use.function)
        span = place(use.function, use.event.node)
        if strange is not None:
            yield Unknown(f"whether {strange}() gives back what {use.event.name}() takes", span)
            continue
        who = f"{back[0].name}() does not give it back" if back else "nothing gives it back"
        yield Found(f"{use.event.name}() on '{name}' of a device that stays bound: {who}", span)


def _gives_up(function: Function) -> str | None:
    """A function that may say that its device is lost for good, after which it may let it go."""
    names = {node.name for node in walk(function.node.body) if isinstance(node, c_ast.ID)}
    return function.name if LOST in names else None


def _strange(flow: Flow, functions: list[Function]) -> str | None:
    """A function that is called and that nobody knows."""
    for item in functions:
        for function in flow.reach(item):
            for event in flow.traces[function].of("call"):
                if flow.api(event) is None and flow.called(function, event) is None:
                    return event.name
    return None
