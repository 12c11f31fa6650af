# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of a contract to patches of a hand-written driver's own text, oldest first.

A change that needs no C (a description, since when) makes no patch. One for which no edit is
known, or whose place is not certain, ends the whole run.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gen import names
from gen.backport.draft import UNCERTAIN, Draft, definitions
from gen.backport.events import added, bit_of, renumbered
from gen.backport.ids import claimed, renamed
from gen.backport.records import BackportError
from gen.backport.roles import declaration_of, initialiser
from gen.backport.text import CText
from gen.diff.detect import changes
from gen.diff.records import Action
from gen.frontend import PciFrontend
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen.backport.draft import Choose
    from gen.backport.records import Patch
    from gen.backport.tree import KernelTree
    from gen.diff.records import Change
    from gen.kernel import Kernel
    from gen.model import Device, Event
    from gen.release import Release

    Step = tuple[Release, Callable[[], Iterator[Patch]]]

# Keys that no C depends on.
_TOLD_ONLY = re.compile(
    r"(.*\.(since|stable|upstream(\..*)?|why|date|contact|abi|qemu(\..*)?)"
    r"|(event|attribute|register)\.description|device\.(title|summary)|document)"
)
_KNOWN = {
    ("event", Action.ADDED),
    ("event.bit", Action.CHANGED),
    ("event.trigger", Action.CHANGED),
    ("panic-notifier.priority", Action.CHANGED),
    ("sys-off", Action.ADDED),
    ("pci", Action.ADDED),
    ("pci", Action.REMOVED),
}


def plan_edits(
    tree: KernelTree, old: Device, new: Device, kernel: Kernel, choose: Choose
) -> list[Patch]:
    """The patches that bring the tree's driver from one contract to another, oldest first.

    Args:
        tree: the tree.
        old: the contract that its driver keeps, `reached` included.
        new: the contract to reach.
        kernel: the interfaces that the tree has.
        choose: gets each patch and the texts before it, and returns the one to take.

    Raises:
        BackportError: nothing differs, a change has no edit, or a place is not certain.
    """
    todo = [one for one in changes(old, new) if not _TOLD_ONLY.fullmatch(one.subject)]
    if not todo:
        raise BackportError(f"{tree.root}: its driver keeps this contract already", 2)
    unknown = [one for one in todo if not _known(one)]
    if unknown or tree.single:
        first = (unknown or todo)[0]
        why = "the driver is one file, another layout than the spec's" if tree.single else (
            f"no edit is known for this change (one of {len(unknown)})")  # fmt: skip
        raise BackportError(f"{first.at}: {first.path} {first.action}: {why}{UNCERTAIN}")
    draft = Draft(tree, kernel, dict(tree.files), old, todo, choose)
    # What differs in a thing that both sides have is not as new as what only one of them has.
    patches = [*renumbered(draft, new), *_priorities(draft, new)]
    for _, step in sorted(_steps(draft, new), key=lambda step: step[0]):
        patches += step()
    return patches


def reached(tree: KernelTree, old: Device, new: Device) -> Device:
    """The old contract with the events that the tree's header has before its driver knows them.

    Raises:
        BackportError: such an event has another bit there.
    """
    path = f"include/uapi/{old.uapi.path}"
    text = CText(path, tree.files[path])
    known = {event.name for event in old.macros}
    found: list[Event] = []
    for event in (one for one in new.macros if one.name not in known):
        macro = names.event_macro(new, event)
        for define in definitions(text, macro):
            if bit_of(define) != event.bit:
                line = f"{tree.root / path}:{define.start_point[0] + 1}"
                raise BackportError(f"{line}: has {macro} already, and not as bit {event.bit}", 2)
            found.append(replace(event, trigger=Trigger.UNUSED))
    return replace(old, defined=(*old.defined, *found))


def _known(change: Change) -> bool:
    if change.subject == "event.trigger" and change.old != Trigger.UNUSED:
        return False  # it is sent at another moment
    return (change.subject, change.action) in _KNOWN


def _steps(draft: Draft, new: Device) -> Iterator[Step]:
    """What comes or goes as a whole, each with the release that brought it to mainline."""
    fresh = {one.new for one in draft.of("event", "event.trigger")}
    fresh |= {one.path for one in draft.of("event.trigger")}
    for event in new.macros:
        if event.name in fresh or f"event[{event.name}].trigger" in fresh:
            yield event.arrival.since, partial(added, draft, new, event)
    for front in (one for one in new.frontends if isinstance(one, PciFrontend)):
        was = next((one for one in draft.contract.frontends if one.name == front.name), None)
        if not isinstance(was, PciFrontend) or not draft.of("pci"):
            continue
        if str(was.ids[0]) != str(front.ids[0]):
            yield front.arrival.since, partial(renamed, draft, front)
        mine = {str(pair) for pair in was.also}
        gone = mine - {str(pair) for pair in front.also}
        if gone:
            raise BackportError(
                f"{front.at.item}: no edit is known for an id that goes: {gone.pop()}{UNCERTAIN}"
            )
        for pair in (one for one in front.also if str(one) not in mine):
            yield pair.arrival.since, partial(claimed, draft, front, pair)


def _priorities(draft: Draft, new: Device) -> Iterator[Patch]:
    """Another priority of the panic notifier."""
    hook, mine = new.hooks.panic_notifier, draft.of("panic-notifier.priority")
    if hook is None or not mine:
        return
    text = draft.open(draft.core)
    value = initialiser(text, "struct notifier_block", "priority")
    text.replace(value, str(hook.priority))
    text.remember_remarks(declaration_of(value))
    if draft.kernel.has(str(hook.priority)):
        text.include(draft.kernel.header(str(hook.priority)))
    before = draft.contract.hooks.panic_notifier
    hooks = replace(draft.contract.hooks, panic_notifier=hook)
    draft.contract = replace(draft.contract, hooks=hooks)
    was, now = mine[0].old, mine[0].new
    body = f"The panic notifier has the priority {was}, and should have {now}."
    # A reason or a commit that was there for the old value is none for the new one.
    fresh = hook.why if before is None or hook.why != before.why else None
    commit = hook.upstream if before is None or hook.upstream != before.upstream else None
    body += f"\n\n{fresh}" if fresh else ""
    yield draft.patch(f"change the priority of the panic notifier to {now}", body, [text], mine,
                      commit=commit)  # fmt: skip
