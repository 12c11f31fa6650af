# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of a contract to patches of a hand-written driver's own text, prerequisites first.

A change that needs no C (a description, since when) makes no patch. One for which no edit is
known, or whose place is not certain, ends the whole run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jinja2

from gen import names
from gen.backport.records import BackportError, Patch
from gen.backport.roles import core_roles, initialiser, known_events
from gen.backport.text import CText
from gen.csyntax import descend, words
from gen.diff.detect import changes
from gen.diff.records import Action
from gen.model import PciFrontend, Trigger
from gen.plan_core import plan_core
from gen.resources import template_directory
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gen.backport.tree import KernelTree
    from gen.diff.records import Change
    from gen.kernel import Kernel
    from gen.model import Device, Event

# Keys that no C depends on.
_TOLD_ONLY = re.compile(
    r"(.*\.(since|stable|why|date|contact|abi|qemu(\..*)?)|(event|attribute|register)\.description"
    r"|device\.(title|summary)|document)"
)
_WIDTH = 72  # of a message's lines
_BIT = re.compile(r"(?P<head>\(1[UL]* << |_?BIT[A-Z_]*\()(?P<bit>[0-9]+)(?P<tail>\))")
# An event that is defined and that the driver does not know.
_NOT_YET = frozenset({"SPEC007"})
_UNCERTAIN = "; the edit is not certain, so none is made (--replace swaps the whole driver)"


@dataclass
class _Draft:
    """The texts as the patches so far leave them, and the contract that they keep."""

    tree: KernelTree
    kernel: Kernel
    files: dict[str, str]
    contract: Device
    old: Device

    def patch(self, subject: str, body: str, texts: list[CText]) -> Patch:
        """A patch of what was edited, on top of those before."""
        new: dict[str, str] = {text.name: text.result() for text in texts}
        self.files |= new
        title = f"misc/{self.contract.name}: {subject}"
        paragraphs = ["\n".join(wrap(part, _WIDTH)) for part in body.split("\n\n")]
        return Patch(title, "\n\n".join(paragraphs), dict(new), self.contract)

    def open(self, path: str) -> CText:
        return CText(path, self.files[path])

    @property
    def uapi(self) -> str:
        return f"include/uapi/{self.contract.uapi.path}"

    @property
    def core(self) -> str:
        return f"{self.tree.home}/{self.contract.name}.c"


def plan_edits(tree: KernelTree, old: Device, new: Device, kernel: Kernel) -> list[Patch]:
    """The patches that bring the tree's driver from one contract to another, oldest first.

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
            f"no edit is known for {len(unknown)} changes, such as this")  # fmt: skip
        raise BackportError(f"{first.at}: {first.path} {first.action}: {why}{_UNCERTAIN}")
    draft = _Draft(tree, kernel, dict(tree.files), old, old)
    return [*_bits(draft, new, todo), *_priorities(draft, new, todo), *_pci(draft, new, todo),
            *_added(draft, new, todo)]  # fmt: skip


def _known(change: Change) -> bool:
    return (change.subject, change.action) in {
        ("event", Action.ADDED),
        ("event.bit", Action.CHANGED),
        ("panic-notifier.priority", Action.CHANGED),
        ("sys-off", Action.ADDED),
        ("pci", Action.ADDED),
        ("pci", Action.REMOVED),
    }


def _bits(draft: _Draft, new: Device, todo: list[Change]) -> Iterator[Patch]:
    """Events that have another bit: the header alone says it."""
    if not any(one.subject == "event.bit" for one in todo):
        return
    text, moved = draft.open(draft.uapi), []
    kept = {event.name: event for event in new.events}
    for event in draft.contract.events:
        now = kept[event.name]
        if now.bit != event.bit:
            _, value, match = _define(text, names.event_macro(draft.contract, event), event.bit)
            text.replace(value, f"{match['head']}{now.bit}{match['tail']}")
            moved.append(f"{names.event_macro(new, now)} is bit {now.bit}, not {event.bit}.")
    events = tuple(kept[event.name] for event in draft.contract.events)
    draft.contract = replace(draft.contract, events=events)
    yield draft.patch("renumber events", "\n\n".join(["The device has them so:", *moved]), [text])


def _define(text: CText, macro: str, bit: int) -> tuple[Node, Node, re.Match[str]]:
    """The definition of an event's macro, its value, and how that writes the bit."""
    found = [one for one in descend(text.root, "preproc_def")
             if words(one.child_by_field_name("name")) == macro]  # fmt: skip
    define = text.one(found, f"the definition of {macro}")
    value = define.child_by_field_name("value")
    match = _BIT.fullmatch(words(value))
    if value is None or match is None or int(match["bit"]) != bit:
        line = f"{text.name}:{define.start_point[0] + 1}"
        raise BackportError(f"{line}: {macro} is not written as bit {bit}{_UNCERTAIN}")
    return define, value, match


def _priorities(draft: _Draft, new: Device, todo: list[Change]) -> Iterator[Patch]:
    """Another priority of the panic notifier."""
    hook = new.hooks.panic_notifier
    if hook is None or not any(one.subject == "panic-notifier.priority" for one in todo):
        return
    text = draft.open(draft.core)
    text.replace(initialiser(text, "struct notifier_block", "priority"), str(hook.priority))
    if draft.kernel.has(str(hook.priority)):
        text.include(draft.kernel.header(str(hook.priority)))
    hooks = replace(draft.contract.hooks, panic_notifier=hook)
    draft.contract = replace(draft.contract, hooks=hooks)
    why = f"\n\n{hook.why}" if hook.why else ""
    body = f"The panic notifier has the priority {hook.priority}.{why}"
    yield draft.patch("change the priority of the panic notifier", body, [text])


def _pci(draft: _Draft, new: Device, todo: list[Change]) -> Iterator[Patch]:
    """Another PCI device id, which the driver has a macro for."""
    if not any(one.subject == "pci" for one in todo):
        return
    before = {one.name: one for one in draft.contract.frontends}
    for front in (one for one in new.frontends if isinstance(one, PciFrontend)):
        was = before.get(front.name)
        if not isinstance(was, PciFrontend) or was.device.id == front.device.id:
            continue
        macro = names.pci_macro(was, "device", was.device)
        if was.vendor.id != front.vendor.id or macro != names.pci_macro(
            front, "device", front.device
        ):
            raise BackportError(f"{front.at.item}: more than the device id changes{_UNCERTAIN}")
        text = draft.open(f"{draft.tree.home}/{front.name}.c")
        found = [one for one in descend(text.root, "preproc_def")
                 if words(one.child_by_field_name("name")) == macro]  # fmt: skip
        value = text.one(found, f"the definition of {macro}").child_by_field_name("value")
        if value is None or int(words(value), 0) != was.device.id:
            raise BackportError(f"{text.name}:1: {macro} is not {was.device.id:#06x}{_UNCERTAIN}")
        text.replace(value, f"{front.device.id:#06x}")
        fronts = tuple(front if one is was else one for one in draft.contract.frontends)
        draft.contract = replace(draft.contract, frontends=fronts)
        ident = f"{front.vendor.id:04x}:{front.device.id:04x}"
        yield draft.patch(f"change the PCI id to {ident}",
                          f"The device is {ident} on the bus.", [text])  # fmt: skip


def _added(draft: _Draft, new: Device, todo: list[Change]) -> Iterator[Patch]:
    """New events: each first in the header, then in the driver."""
    fresh = {one.new for one in todo if one.subject == "event"}
    for event in new.events:
        if event.name not in fresh:
            continue
        if event.trigger is not Trigger.POWER_OFF or draft.contract.event_for(event.trigger):
            raise BackportError(f"{event.at.item}: no edit is known for an event of the trigger "
                                f"{event.trigger}{_UNCERTAIN}")  # fmt: skip
        macro = names.event_macro(new, event)
        text, kept = _defined(draft, event, macro), draft.contract
        # Known to user space, and nothing makes the driver send it.
        named = replace(event, trigger=Trigger.NONE)
        draft.contract = replace(kept, events=(*kept.events, named))
        told = f"{event.description} It is bit {event.bit}. The driver does not send it yet."
        yield replace(draft.patch(f"define the event {macro}", told, [text]), open=_NOT_YET)
        draft.contract = kept
        yield _sent(draft, new, event, macro)


def _defined(draft: _Draft, event: Event, macro: str) -> CText:
    """The header with one more macro behind the last, in its style."""
    text, last = draft.open(draft.uapi), draft.contract.events[-1]
    if any(words(one.child_by_field_name("name")) == macro
           for one in descend(text.root, "preproc_def")):  # fmt: skip
        raise BackportError(f"{draft.tree.root / draft.uapi}: has {macro} already", 2)
    define, value, match = _define(text, names.event_macro(draft.contract, last), last.bit)
    line = text.text.splitlines()[define.start_point[0]]
    column = len(line[: value.start_point[1]].expandtabs(8))
    tabs = max(1, -(-(column - len(f"#define {macro}")) // 8))
    new = f"#define {macro}" + "\t" * tabs + f"{match['head']}{event.bit}{match['tail']}\n"
    text.insert(text.line_after(value), new)
    return text


def _sent(draft: _Draft, new: Device, event: Event, macro: str) -> Patch:
    """The driver sends the event of a sys-off chain."""
    text, kernel = draft.open(draft.core), draft.kernel
    roles = core_roles(text)
    known = known_events(text, {names.event_macro(new, one) for one in draft.contract.events})
    events = (*draft.contract.events, event)
    hooks = replace(draft.contract.hooks, sys_off=new.hooks.sys_off)
    draft.contract = replace(draft.contract, events=events, hooks=hooks)
    hook = next(one for one in plan_core(draft.contract, kernel).sys_off if one.event == macro)
    for used in ("IS_ERR", "DEFINE_MUTEX", "pr_warn", "register_sys_off_handler"):
        text.include(kernel.header(used))
    loader = jinja2.FileSystemLoader(template_directory() / "backport")
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (C is no HTML)
    )
    code = environment.get_template("sys-off.c.j2").render(
        hook=hook, roles=roles, name=new.name, instance=roles.instance
    )
    first = min((roles.remove, roles.store), key=lambda node: node.start_byte)
    text.insert(text.above(first), code)
    text.replace(known, f"{words(known)} | {macro}")
    text.insert(text.line_after(roles.stored), f"\t{hook.stem}_update();\n")
    text.insert(roles.remove.end_byte - 1, f"\n\t{hook.stem}_update();\n")
    _before_end(text, roles.added, f"{hook.stem}_update")
    body = (
        f"{event.description} Tell the host so from a handler of {hook.mode}, with the priority "
        f"{hook.priority}.\n\n"
    )
    if new.hooks.sys_off and new.hooks.sys_off.why:
        body += f"{new.hooks.sys_off.why}\n\n"
    body += "The handler is registered only while a bound device has the event enabled."
    return draft.patch(f"send the event {macro}", body, [text])


def _before_end(text: CText, last: Node, update: str) -> None:
    """Update after the removal is arranged, where `return` has its result: split that."""
    call = words(next(descend(last, "call_expression")))
    if last.type != "return_statement":
        raise BackportError(f"{text.name}:{last.start_point[0] + 1}: the probe helper does not end "
                            f"by arranging the removal{_UNCERTAIN}")  # fmt: skip
    text.insert(last.start_byte, f"{update}();\n\n\t")
    if not words(last).startswith(f"return {call}"):
        raise BackportError(f"{text.name}:{last.start_point[0] + 1}: unclear return{_UNCERTAIN}")
