# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver's texts with their syntax trees, and where in them things stand.

tree-sitter does not expand macros. The few that would not parse are replaced, for the parser alone,
by C of the same length, so that every offset in the tree is one in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import tree_sitter_c
from tree_sitter import Language, Parser

from checks.tree import Role, find_trees

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path, PurePosixPath

    from tree_sitter import Node

    from gen.model import Device

_LANGUAGE = Language(tree_sitter_c.language())
_LOOP = re.compile(r"\blist_for_each_entry\w*(?=\()")
_DEFINITION = re.compile(r"\bDEVICE_ATTR\([^()]*\)")
_BLOCKS = frozenset(
    {"compound_statement", "translation_unit", "case_statement", "preproc_ifdef", "preproc_if"}
)
_ANNOTATION = re.compile(r"\b(?:__iomem|__init|__exit|__initdata|__initconst|__rcu)\b")


@dataclass(frozen=True)
class Change:
    """One contiguous replacement in a file, with the header that it needs; offsets in characters.

    `note` tells the changes of one operator apart.
    """

    file: PurePosixPath
    start: int
    end: int
    text: str
    note: str = ""
    header: str = ""


@dataclass(frozen=True)
class Changed:
    """A text after a change, and where in it the change stands."""

    text: str
    start: int
    end: int


def changed(text: str, change: Change) -> Changed:
    """The text after a change; the header that it needs is included behind the others."""
    end = change.start + len(change.text)
    after = text[: change.start] + change.text + text[change.end :]
    line = f"#include <{change.header}>\n"
    if not change.header or line in after:
        return Changed(after, change.start, end)
    at = [match.end() for match in re.finditer(r"^#include <linux/.*>\n", text, re.MULTILINE)][-1]
    return Changed(after[:at] + line + after[at:], change.start + len(line), end + len(line))


def _one_argument(call: re.Match[str]) -> str:
    return call[0].split(",", maxsplit=1)[0].rstrip(")").ljust(len(call[0]) - 1) + ")"


@dataclass(frozen=True)
class Text:
    """One file."""

    path: PurePosixPath
    role: Role
    text: str = field(repr=False)

    @cached_property
    def root(self) -> Node:
        """The syntax tree; meaningless for what is not C."""
        masked = _LOOP.sub(lambda m: "while".ljust(len(m[0])), self.text)
        masked = _ANNOTATION.sub(lambda m: " " * len(m[0]), masked)
        masked = _DEFINITION.sub(_one_argument, masked)
        masked = "".join(c if c.isascii() else "?" for c in masked)
        return Parser(_LANGUAGE).parse(masked.encode()).root_node

    def of(self, node: Node) -> str:
        """What stands at a node."""
        return self.text[node.start_byte : node.end_byte]

    def errors(self) -> int:
        """How many places of the text are no C."""
        return sum(node.is_missing or node.type == "ERROR" for node in walk(self.root))

    def items(self) -> list[Node]:
        """The top-level items, those inside `#ifdef` and include guards instead of the guards."""
        found: list[Node] = []
        for node in self.root.children:
            inner = node.children if node.type.startswith("preproc_if") else [node]
            found += inner
        return found

    def line_range(self, start: int, end: int) -> tuple[int, int]:
        """The offsets of the whole lines from `start` to `end`."""
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", max(end - 1, 0))
        return first, len(self.text) if last < 0 else last + 1


@dataclass(frozen=True)
class Place:
    """A node in a file."""

    file: Text
    node: Node

    def __str__(self) -> str:
        return self.file.of(self.node)

    @property
    def start(self) -> int:
        """Its offset."""
        return self.node.start_byte

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.node.end_byte

    def field(self, name: str) -> Place:
        """A named child, which has to be there."""
        child = self.node.child_by_field_name(name)
        if child is None:
            raise ValueError(f"no {name} in {self}")
        return Place(self.file, child)

    @property
    def arguments(self) -> list[Place]:
        """The arguments of a call."""
        node = self.node.child_by_field_name("arguments")
        return [Place(self.file, child) for child in node.named_children] if node else []

    def up(self, *types: str) -> Place | None:
        """The nearest node around it of one of these types."""
        node: Node | None = self.node
        while node is not None and node.type not in types:
            node = node.parent
        return Place(self.file, node) if node else None

    @property
    def function(self) -> str:
        """The function around it, or an empty string."""
        around = self.up("function_definition")
        return _declared(around) if around else ""

    @property
    def statement(self) -> Place:
        """The statement that it is a part of."""
        node = self.node
        while node.parent is not None and node.parent.type not in _BLOCKS:
            if node.type.endswith("_statement") and node.parent.type.endswith(
                ("_statement", "else_clause")
            ):
                break
            node = node.parent
        return Place(self.file, node)

    def replace(self, text: str, note: str = "") -> Change:
        """This, as another text."""
        return Change(self.file.path, self.start, self.end, text, note)

    def drop_lines(self, note: str = "") -> Change:
        """Without the lines that it stands on."""
        start, end = self.file.line_range(self.start, self.end)
        return Change(self.file.path, start, end, "", note)

    def drop(self, note: str = "") -> Change:
        """Without this statement; where C needs one, an empty one instead."""
        parent = self.node.parent
        if parent is None or parent.type in _BLOCKS:
            return self.drop_lines(note)
        return self.replace(";", note)

    @property
    def indent(self) -> str:
        """What its line starts with."""
        start, _ = self.file.line_range(self.start, self.start)
        match = re.match(r"\s*", self.file.text[start:])
        return match[0] if match else ""

    def after(self, text: str, note: str = "") -> Change:
        """Another line behind it."""
        return Change(self.file.path, self.end, self.end, f"\n{self.indent}{text}", note)

    def before(self, text: str, note: str = "") -> Change:
        """Another line before it."""
        return Change(self.file.path, self.start, self.start, f"{text}\n{self.indent}", note)


def _declared(place: Place) -> str:
    """The name of a function."""
    node: Node | None = place.node
    while node is not None and node.type != "identifier":
        node = node.child_by_field_name("declarator")
    return place.file.of(node) if node else ""


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)


@dataclass(frozen=True)
class Driver:
    """A driver to change: `name` is who wrote it, `series` the kernel that it is for."""

    name: str
    series: str
    as_of: str | None
    root: Path
    files: tuple[Text, ...]

    @cached_property
    def units(self) -> tuple[Text, ...]:
        """The C files."""
        return tuple(file for file in self.files if file.role is Role.UNIT)

    def of(self, role: Role) -> tuple[Text, ...]:
        """The files of a role."""
        return tuple(file for file in self.files if file.role is role)

    def nodes(self, *types: str) -> Iterator[Place]:
        """All nodes of these types in the C files."""
        for file in self.units:
            for node in walk(file.root):
                if node.type in types:
                    yield Place(file, node)

    def calls(self, pattern: str, function: str | None = None) -> list[Place]:
        """The calls of what matches `pattern` as a whole, in one function if that is given."""
        return [
            place
            for place in self.nodes("call_expression")
            if re.fullmatch(pattern, str(place.field("function")))
            and (function is None or place.function == function)
        ]

    def functions(self) -> dict[str, Place]:
        """The functions by name."""
        return {_declared(place): place for place in self.nodes("function_definition")}


def read_driver(name: str, root: Path, device: Device, series: str, as_of: str | None) -> Driver:
    """The driver below a directory, with the files that the checker takes for its own."""
    (tree,) = find_trees([root], device)
    files = tuple(Text(file.path, file.role, file.source.text) for file in tree.files)
    return Driver(name, series, as_of, root, files)
