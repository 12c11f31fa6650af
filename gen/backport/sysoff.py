# SPDX-License-Identifier: GPL-2.0-or-later
"""A handler of the power-off chain in a hand-written driver, and what keeps it up to date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jinja2

from gen.backport.clash import free_names, refuse_own, refuse_taken
from gen.backport.draft import UNCERTAIN
from gen.backport.layout import closing, indent_unit, indented, lead_of
from gen.backport.records import BackportError
from gen.backport.text import calls
from gen.csyntax import descend, words
from gen.plan_core import comment
from gen.resources import template_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from gen.backport.draft import Draft
    from gen.backport.roles import CoreRoles
    from gen.backport.text import CText
    from gen.plan_core import SysOffPlan

# One interface of each header that the handler needs.
_USED = ("IS_ERR", "DEFINE_MUTEX", "lockdep_assert_held", "pr_warn", "register_sys_off_handler")
_LOCALS = ("data", "handler", "wanted")
# Under these nothing may sleep, and a mutex is taken around them.
_SPINS = {
    "spin_lock": "spin_unlock",
    "spin_lock_irq": "spin_unlock_irq",
    "spin_lock_irqsave": "spin_unlock_irqrestore",
    "spin_lock_bh": "spin_unlock_bh",
}
_LEAVES = ("return_statement", "goto_statement", "break_statement", "continue_statement")


def send_on_power_off(draft: Draft, text: CText, roles: CoreRoles, hook: SysOffPlan) -> None:
    """Edit the core: a handler that sends an event, registered while an instance wants it.

    Raises:
        BackportError: a place is not certain, or a name is taken.
    """
    for used in _USED:
        text.include(draft.kernel.header(used))
    handler = _handler(draft, text, roles, hook)
    first = min((roles.remove, roles.store), key=lambda node: node.start_byte)
    text.insert(text.above(first), indented(handler, indent_unit(text)))
    _follow(text, roles, hook)


def _handler(draft: Draft, text: CText, roles: CoreRoles, hook: SysOffPlan) -> str:
    """The C of the handler; its names are the driver's where it has such things."""
    refuse_taken(draft, text, (f"{hook.stem}_{one}" for one in ("mutex", "handler", "notify",
                                                               "update")))  # fmt: skip
    loader = jinja2.FileSystemLoader(template_directory() / "backport")
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (C is no HTML)
    )
    guard = comment(
        f"{hook.stem}_mutex protects {hook.stem}_handler, and orders the changes that it follows. "
        f"It is taken before {roles.lock}."
    )
    given = free_names(draft, text, _LOCALS, "off_", {roles.cursor})
    template = environment.get_template("sys-off.c.j2")
    made = template.render(
        hook=hook, roles=roles, name=draft.contract.name, guard=guard, local=given,
        shift=" " * (len(given["handler"]) - len("handler")),
    )  # fmt: skip
    said = set(re.findall(r"\w+", made)) | {"mutex_lock", "mutex_unlock"}
    refuse_own(draft, text, (one for one in said if draft.kernel.has(one)))
    return made


def _follow(text: CText, roles: CoreRoles, hook: SysOffPlan) -> None:
    """Have the handler follow what the store, the probe helper and the removal change."""
    unit = indent_unit(text)
    lock, update = f"{hook.stem}_mutex", f"{hook.stem}_update();\n"
    locked = f"mutex_lock(&{lock});\n{update}mutex_unlock(&{lock});\n"
    brace = closing(text, roles.remove)
    _refuse_early_return(text, roles.remove)
    text.insert(text.line_of(brace), "\n" + indented(locked, unit, unit))
    _before_end(text, roles.added, locked)
    # Whoever sends gives up where the list is locked: a write that changes nothing here leaves it.
    value = words(roles.assignment.child_by_field_name("right"))
    first, last = _around(text, roles.stored)
    lead = lead_of(text, first, last)
    text.insert(text.line_of(first), indented(f"mutex_lock(&{lock});\n", unit, lead))
    after = (
        f"if (!!({value} & {hook.event}) != !!{hook.stem}_handler)\n"
        f"\t{update}mutex_unlock(&{lock});\n"
    )
    text.insert(text.line_after(last), indented(after, unit, lead))


def _around(text: CText, stored: Node) -> tuple[Node, Node]:
    """The statements that the mutex has to be taken around: a spinlock is taken within it.

    Raises:
        BackportError: they can be jumped into, or left with the mutex taken.
    """
    beside = [one for one in (stored.parent or stored).named_children if one.type != "comment"]
    index = beside.index(stored)
    first = last = index
    taken = _lock_of(beside[index - 1], _SPINS) if index else None
    if taken is not None:
        ends = {_SPINS[taken[0]]}
        found = [number for number, one in enumerate(beside) if number > index
                 and (_lock_of(one, ends) or ("", ""))[1] == taken[1]]  # fmt: skip
        first, last = index - 1, found[0] if found else index
    for one in beside[first : last + 1]:
        jumps = [one] if one.type == "labeled_statement" else list(descend(one, *_LEAVES))
        if jumps or one.type == "case_statement":
            line = f"{text.name}:{(jumps or [one])[0].start_point[0] + 1}"
            raise BackportError(f"{line}: the store jumps while it sets the mask{UNCERTAIN}")
    return beside[first], beside[last]


def _lock_of(statement: Node, names: Iterable[str]) -> tuple[str, str] | None:
    """The function and the lock of a statement that calls one of these, and nothing else."""
    call = statement.named_children[0] if statement.named_children else statement
    given = call.child_by_field_name("arguments")
    called = words(call.child_by_field_name("function"))
    if statement.type != "expression_statement" or given is None or called not in names:
        return None
    return (called, words(given.named_children[0])) if given.named_children else None


def _refuse_early_return(text: CText, remove: Node) -> None:
    """What follows a removal goes to the end of the function, which has to be reached."""
    start = calls(remove, *_SPINS)[0].start_byte
    for one in descend(remove, "return_statement"):
        if one.start_byte > start:
            line = f"{text.name}:{one.start_point[0] + 1}"
            raise BackportError(f"{line}: the removal returns before its end{UNCERTAIN}")


def _before_end(text: CText, last: Node, more: str) -> None:
    """Put lines before the removal is arranged, which has to be the last that happens."""
    call = words(next(descend(last, "call_expression"), None))
    line = f"{text.name}:{last.start_point[0] + 1}"
    if last.type != "return_statement":
        raise BackportError(f"{line}: the probe helper does not end by arranging the removal"
                            f"{UNCERTAIN}")  # fmt: skip
    if not words(last).startswith(f"return {call}"):
        raise BackportError(f"{line}: unclear return{UNCERTAIN}")
    lead = lead_of(text, last)
    text.insert(text.line_of(last), indented(more, indent_unit(text), lead) + "\n")
