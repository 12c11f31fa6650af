# SPDX-License-Identifier: GPL-2.0-or-later
"""One C file under edit: places found by syntax, changed by byte, refused where uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.backport.records import BackportError
from gen.csyntax import descend, parse, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

_CONDITIONS = ("preproc_if", "preproc_ifdef", "preproc_elif", "preproc_elifdef", "preproc_else")


class CText:
    """A text and the edits to it; `name` is what messages call it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.root = parse(text).root_node
        self._edits: list[tuple[int, int, str]] = []

    def functions(self) -> list[Node]:
        """The function definitions, in order."""
        return list(descend(self.root, "function_definition"))

    def calling(self, *names: str) -> list[Node]:
        """The functions that call one of these."""
        return [one for one in self.functions() if calls(one, *names)]

    def one(self, found: Sequence[Node], what: str) -> Node:
        """The only node of its role.

        Raises:
            BackportError: there is none, or more than one, or it is under a condition of the
                preprocessor: an edit would be a guess.
        """
        if len(found) == 1:
            line = _condition(found[0])
            if line is None:
                return found[0]
            raise BackportError(
                f"{self.name}:{line}: {what} is under this condition; what is to be done where it "
                "does not hold is not certain, so no edit is made"
            )
        place = f"{self.name}:{found[1].start_point[0] + 1}" if found else f"{self.name}:1"
        count = f"{len(found)} places could be" if found else "nothing is"
        raise BackportError(f"{place}: {count} {what}; the edit is not certain, so none is made")

    def arguments(self, call: Node, count: int) -> list[str]:
        """The arguments of a call that takes so many, as they are written.

        Raises:
            BackportError: it is given another number of them.
        """
        field = call.child_by_field_name("arguments")
        given = field.named_children if field is not None else []
        found = [words(one) for one in given if one.type != "comment"]
        if len(found) == count:
            return found
        called = words(call.child_by_field_name("function"))
        raise BackportError(
            f"{self.name}:{call.start_point[0] + 1}: {called}() takes {count} arguments, and here "
            f"it has {len(found)}; no edit is made"
        )

    def replace(self, node: Node, new: str) -> None:
        """Put a text in a node's place."""
        self._edits.append((node.start_byte, node.end_byte, new))

    def insert(self, at: int, new: str) -> None:
        """Put a text before a byte."""
        self._edits.append((at, at, new))

    def line_after(self, node: Node) -> int:
        """The byte where the line after the one that `node` ends in starts."""
        data = self.text.encode()
        end = node.end_byte
        if end and data[end - 1 : end] == b"\n":
            return end
        return data.index(b"\n", end) + 1

    def line_of(self, node: Node) -> int:
        """The byte where the line starts that `node` starts in."""
        return node.start_byte - node.start_point[1]

    def above(self, node: Node) -> int:
        """The byte where a definition starts, the comment right above it included."""
        before = node.prev_sibling
        joined = before is not None and before.type == "comment" and (
            before.end_point[0] + 1 == node.start_point[0])  # fmt: skip
        return self.line_of(before if joined and before is not None else node)

    def include(self, header: str) -> None:
        """Include a header where its name belongs among the others of its directory."""
        lines = list(descend(self.root, "preproc_include"))
        names = {words(one.child_by_field_name("path")): one for one in lines}
        wanted, room = f"<{header}>", f"<{header.partition('/')[0]}/"
        if wanted in names:
            return
        near = [name for name in names if name.startswith(room)]
        if not near:
            raise BackportError(f"{self.name}:1: no includes beside which {wanted} would stand")
        # Where they are not sorted throughout, it is the head of the list that is.
        greater = [name for name in near if name > wanted]
        new = f"#include {wanted}\n"
        if greater:
            self.insert(self.line_of(names[greater[0]]), new)
        else:
            self.insert(self.line_after(names[near[-1]]), new)

    def result(self) -> str:
        """The text with all edits made; those at one place in the order of their making."""
        data = self.text.encode()
        out, last = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            out += [data[last:start], new.encode()]
            last = end
        return b"".join([*out, data[last:]]).decode()


def _condition(node: Node) -> int | None:
    """The line of the preprocessor's condition that a node is under; a header's guard is none."""
    above = node.parent
    while above is not None:
        guard = above.type == "preproc_ifdef" and above.child(0) is not None and (
            words(above.child(0)) == "#ifndef" and above.parent is not None
            and above.parent.type == "translation_unit")  # fmt: skip
        if above.type in _CONDITIONS and not guard:
            return above.start_point[0] + 1
        above = above.parent
    return None


def name_of(function: Node) -> str:
    """The name that a function definition defines."""
    for one in descend(function, "function_declarator"):
        return words(one.child_by_field_name("declarator"))
    return ""


def calls(node: Node, *names: str) -> list[Node]:
    """The calls of these functions or macros below a node."""
    return [one for one in descend(node, "call_expression")
            if words(one.child_by_field_name("function")) in names]  # fmt: skip
