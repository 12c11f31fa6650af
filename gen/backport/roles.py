# SPDX-License-Identifier: GPL-2.0-or-later
"""What the parts of a hand-written driver are, told by what they do and not by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backport.records import BackportError
from gen.backport.text import calls, name_of
from gen.csyntax import descend, words

if TYPE_CHECKING:
    from tree_sitter import Node

    from gen.backport.text import CText

_WALK = "list_for_each_entry"
_WRITES = ("iowrite8", "iowrite16", "iowrite32", "writeb", "writew", "writel")
_PARSERS = ("kstrtouint", "kstrtou8", "kstrtou16", "kstrtoul", "kstrtoint")
_ADDS = ("list_add", "list_add_tail")
_ACTIONS = ("devm_add_action_or_reset", "devm_add_action")


@dataclass(frozen=True)
class CoreRoles:
    """The core's parts: names as the driver has them, and the nodes where edits go.

    `cursor`, `items` and `member` are those of the send function's walk, `mask` is the instance's
    member that the store sets, `lock` the spinlock around changes of the list, `attribute` what the
    store belongs to, which sets the mask by `assignment` in the statement `stored`.
    """

    send: str
    instance: str
    cursor: str
    items: str
    member: str
    mask: str
    lock: str
    attribute: str
    store: Node
    stored: Node
    assignment: Node
    added: Node
    remove: Node


def core_roles(text: CText) -> CoreRoles:
    """The parts of a core with a list of instances.

    Raises:
        BackportError: a part is not there, or more than one could be it; the message has the place.
    """
    sends = [one for one in text.calling(_WALK) if calls(one, *_WRITES)]
    send = text.one(sends, "the function that sends an event to every instance")
    walk = text.arguments(text.one(calls(send, _WALK), "the walk over all instances", send), 3)
    cursor, items, member = walk[0], walk[1].removeprefix("&"), walk[2]
    store = text.one(text.calling(*_PARSERS), "the store of the attribute of enabled events")
    assignment, mask = _stored(text, store)
    probe = text.one(text.calling(*_ADDS), "the function that adds an instance to the list")
    action = text.one(calls(probe, *_ACTIONS), "the call that arranges the removal", probe)
    remove_name = text.arguments(action, 3)[1]
    removes = [one for one in text.functions() if name_of(one) == remove_name]
    remove = text.one(removes, f"the function {remove_name}()")
    for function in (send, store, probe, remove):
        for guard in calls(function, "guard", "scoped_guard"):
            raise BackportError(
                f"{text.name}:{guard.start_point[0] + 1}: what stands under this guard() is not "
                "certain, so no edit is made (--replace swaps the driver)"
            )
    locks = {text.arguments(one, 1)[0].removeprefix("&") for one in calls(remove, "spin_lock")}
    if len(locks) != 1 or not calls(probe, "spin_lock"):
        place = f"{text.name}:{remove.start_point[0] + 1}"
        raise BackportError(
            f"{place}: the list is not guarded by spin_lock() with one lock, here and where an "
            "instance is added; the edit knows no other way (--replace swaps the driver)"
        )
    return CoreRoles(
        send=name_of(send),
        instance=_struct(text, send, cursor),
        cursor=cursor,
        items=items,
        member=member,
        mask=mask,
        lock=locks.pop(),
        attribute=name_of(store).removesuffix("_store"),
        store=store,
        stored=_statement(assignment),
        assignment=assignment,
        added=_statement(action),
        remove=remove,
    )


def known_events(text: CText, macros: set[str]) -> Node:
    """The value of all events that the driver knows: the macros joined by `|`, and nothing else."""
    found = [
        one
        for one in descend(text.root, "binary_expression")
        if {part.strip() for part in words(one).split("|")} == macros
    ]
    return text.one(found, "the mask of the events that the driver knows")


def initialiser(text: CText, struct: str, member: str) -> Node:
    """The value that the file's only object of a struct gives to a member."""
    objects = [
        one
        for one in descend(text.root, "declaration")
        if words(one.child_by_field_name("type")) == struct and any(descend(one, "init_declarator"))
    ]
    owner = text.one(objects, f"the {struct} of the driver")
    values = [
        one
        for one in descend(owner, "initializer_pair")
        if words(one.child_by_field_name("designator")) == f".{member}"
    ]
    value = text.one(values, f"the initialiser of .{member}", owner).child_by_field_name("value")
    return text.one([value] if value is not None else [], f"the value of .{member}")


def declaration_of(node: Node) -> Node:
    """The declaration that a node is a part of."""
    around = node
    while around.parent is not None and around.type != "declaration":
        around = around.parent
    return around


def _stored(text: CText, store: Node) -> tuple[Node, str]:
    """The assignment that sets the mask of enabled events, and the member's name."""
    given = {text.arguments(one, 3)[2].removeprefix("&") for one in calls(store, *_PARSERS)}
    found = [
        one
        for one in descend(store, "assignment_expression")
        if words(one.child_by_field_name("right")) in given
        and re.fullmatch(r"\w+->\w+", words(one.child_by_field_name("left")))
    ]
    one = text.one(found, "the assignment of the stored mask", store)
    return one, words(one.child_by_field_name("left")).partition("->")[2]


def _struct(text: CText, function: Node, variable: str) -> str:
    found = [
        one
        for one in descend(function, "declaration")
        if any(words(name) == variable for name in descend(one, "identifier"))
    ]
    declaration = text.one(found, f"the declaration of {variable}", function)
    return words(declaration.child_by_field_name("type"))


def _statement(node: Node) -> Node:
    """The statement around an expression."""
    around = node
    while around.parent is not None and around.parent.type != "compound_statement":
        around = around.parent
    return around
