# SPDX-License-Identifier: GPL-2.0-or-later
"""A series of patches in the making: the texts as those so far leave them, and their contract."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gen.backport.records import BackportError, Patch
from gen.backport.text import CText
from gen.csyntax import descend, words
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tree_sitter import Node

    from gen.backport.tree import KernelTree
    from gen.diff.records import Change
    from gen.kernel import Kernel
    from gen.model import Device
    from gen.release import Arrival

    # Gets a patch and the texts before it; may put mainline's own text in the place of the edit.
    Choose = Callable[[Patch, Mapping[str, str]], Patch]

UNCERTAIN = "; the edit is not certain, so none is made (--replace swaps the whole driver)"
_WIDTH = 72  # of a message's lines


def _as_it_is(patch: Patch, _before: Mapping[str, str]) -> Patch:
    return patch


@dataclass
class Draft:
    """What the edits of a series work on; `todo` is what differs between its two contracts."""

    tree: KernelTree
    kernel: Kernel
    files: dict[str, str]
    contract: Device
    todo: list[Change]
    choose: Choose = field(default=_as_it_is)

    def patch(  # noqa: PLR0917 (each is another part of the mail)
        self,
        subject: str,
        body: str,
        texts: list[CText],
        changes: tuple[Change, ...],
        arrival: Arrival | None = None,
        commit: str | None = None,
    ) -> Patch:
        """A patch of what was edited, on top of those before."""
        new: dict[str, str | None] = {text.name: text.result() for text in texts}
        title = f"misc/{self.contract.name}: {subject}"
        paragraphs = ["\n".join(wrap(part, _WIDTH)) for part in body.split("\n\n")]
        remarks = tuple(f"{one.name}:{line}" for one in texts for line in sorted(one.remarks))
        made = Patch(title, "\n\n".join(paragraphs), new, self.contract, changes, arrival, commit,
                     remarks=remarks)  # fmt: skip
        chosen = self.choose(made, self.files)
        if chosen.files is not made.files:  # mainline's own text, with mainline's own comments
            chosen = replace(chosen, remarks=())
        self.files |= {path: text for path, text in chosen.files.items() if text is not None}
        return chosen

    def of(self, *subjects: str) -> tuple[Change, ...]:
        """The changes of these subjects."""
        return tuple(one for one in self.todo if one.subject in subjects)

    def open(self, path: str) -> CText:
        """A file of the tree, to be edited."""
        return CText(path, self.files[path])

    @property
    def uapi(self) -> str:
        """The path of the header for user space."""
        return f"include/uapi/{self.contract.uapi.path}"

    @property
    def core(self) -> str:
        """The path of the core's source."""
        return f"{self.tree.home}/{self.contract.name}.c"


def definitions(text: CText, macro: str) -> list[Node]:
    """Every definition of a macro in a text."""
    return [one for one in descend(text.root, "preproc_def")
            if words(one.child_by_field_name("name")) == macro]  # fmt: skip


def column(text: CText, node: Node) -> int:
    """The column, from 0, in which a node starts on a screen with tabs of eight."""
    line = text.text.split("\n")[node.start_point[0]]
    return len(line[: node.start_point[1]].expandtabs(8))


def defined_beside(text: CText, beside: Node, macro: str, value: str) -> str:
    """A line that defines a macro as the definition `beside` is laid out: tabs, or blanks."""
    old = beside.child_by_field_name("value")
    if old is None:
        line = beside.start_point[0] + 1
        raise BackportError(f"{text.name}:{line}: the macro beside has no value{UNCERTAIN}")
    head, wanted = f"#define {macro}", column(text, old)
    name = beside.child_by_field_name("name")
    gap = text.text.encode()[name.end_byte : old.start_byte] if name is not None else b"\t"
    if b"\t" in gap:
        return head + "\t" * max(1, -(-(wanted - len(head)) // 8)) + value + "\n"
    return head + " " * max(1, wanted - len(head)) + value + "\n"
