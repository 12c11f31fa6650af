# SPDX-License-Identifier: GPL-2.0-or-later
"""One C file under edit: places found by syntax, changed by byte, refused where uncertain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.backport.records import BackportError
from gen.csyntax import descend, parse, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(if|ifdef|ifndef|endif|define)\b[ \t]*(\w*)")


class CText:
    """A text and the edits to it; `name` is what messages call it.

    `remarks` are the lines of comments by what the edits change, which may speak of how it was.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.root = parse(text).root_node
        self._conditions = _conditions(self.root, text.split("\n"))
        self._edits: list[tuple[int, int, str]] = []
        self.remarks: list[int] = []

    def functions(self) -> list[Node]:
        """The function definitions, in order."""
        return list(descend(self.root, "function_definition"))

    def calling(self, *names: str) -> list[Node]:
        """The functions that call one of these."""
        return [one for one in self.functions() if calls(one, *names)]

    def one(self, found: Sequence[Node], what: str, within: Node | None = None) -> Node:
        """The only node of its role.

        Args:
            found: the nodes that could be it.
            what: what it is called in a message.
            within: where it has to be, if that is not anywhere in the file.

        Raises:
            BackportError: there is none, or more than one, or it is under a condition of the
                preprocessor: an edit would be a guess.
        """
        outer = [one for one in (within, *found[: len(found) == 1]) if one is not None]
        line = next(filter(None, map(self._condition_around, outer)), None)
        if line is None and within is not None and not found:
            line = self._condition_in(within)
        if line is not None:
            raise BackportError(
                f"{self.name}:{line}: {what} is under this condition; what is to be done where it "
                "does not hold is not certain, so no edit is made"
            )
        if len(found) == 1:
            return found[0]
        place = self.name  # that something is nowhere is said of all of the file
        where = found[1] if found else within
        if where is not None:
            place += f":{where.start_point[0] + 1}"
        count = f"{len(found)} places could be" if found else "nothing is"
        raise BackportError(f"{place}: {count} {what}; the edit is not certain, so none is made")

    def _condition_around(self, node: Node) -> int | None:
        """The line of the preprocessor's condition that a node is under."""
        first, last = node.start_point[0], node.end_point[0]
        return next(
            (one + 1 for one, end in self._conditions if one <= first and end >= last), None
        )

    def _condition_in(self, node: Node) -> int | None:
        """The line of the first condition of the preprocessor within a node."""
        first, last = node.start_point[0], node.end_point[0]
        return next((one + 1 for one, _ in self._conditions if first <= one <= last), None)

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

    def remember_remarks(self, node: Node) -> None:
        """Note the comments right above a definition that is changed, and in its lines."""
        first, last = node.start_point[0], node.end_point[0]
        if last > first and not node.end_point[1]:  # a directive ends where the next line starts
            last -= 1
        lines = self.text.encode().split(b"\n")
        for one in reversed(list(descend(self.root, "comment"))):
            start, column = one.start_point
            above = one.end_point[0] + 1 == first and not lines[start][:column].strip()
            if above or first <= start <= last:
                self.remarks.append(start + 1)
                first = min(first, start)

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
            raise BackportError(f"{self.name}: no includes beside which {wanted} would stand")
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


def _conditions(root: Node, lines: Sequence[str]) -> list[tuple[int, int]]:
    """The first and the last line of every condition, from 0; a header's guard is none."""
    remarks = {number for one in descend(root, "comment")
               for number in range(one.start_point[0] + 1, one.end_point[0] + 1)}  # fmt: skip
    directives = [(number, match[1], match[2]) for number, line in enumerate(lines)
                  if number not in remarks and (match := _DIRECTIVE.match(line))]  # fmt: skip
    found, opened = [], list[tuple[int, bool]]()
    for index, (number, word, name) in enumerate(directives):
        if word.startswith("if"):
            guard = word == "ifndef" and not opened and directives[index + 1 : index + 2] and (
                directives[index + 1][1:] == ("define", name))  # fmt: skip
            opened.append((number, bool(guard)))
        elif word == "endif" and opened:
            start, guard = opened.pop()
            found += [] if guard else [(start, number)]
    # What is never ended reaches to the end.
    return sorted([*found, *((start, len(lines)) for start, guard in opened if not guard)])


def name_of(function: Node) -> str:
    """The name that a function definition defines."""
    for one in descend(function, "function_declarator"):
        return words(one.child_by_field_name("declarator"))
    return ""


def calls(node: Node, *names: str) -> list[Node]:
    """The calls of these functions or macros below a node."""
    return [one for one in descend(node, "call_expression")
            if words(one.child_by_field_name("function")) in names]  # fmt: skip
