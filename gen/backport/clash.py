# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that an edit brings, held against those that the driver and its headers have.

A mail that defines what is there already does not compile, or gives an old name a new meaning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.backport.draft import UNCERTAIN
from gen.backport.records import BackportError
from gen.backport.text import CText
from gen.csyntax import descend, words
from gen.source import UnreadableSourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tree_sitter import Node

    from gen.backport.draft import Draft

_NAMES = ("identifier", "field_identifier", "type_identifier", "statement_identifier")
_INCLUDED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)
_LIMIT = 4 << 20  # bytes; what is longer is no header that somebody wrote
_WORD = re.compile(r"[A-Za-z_]\w*")
# Where a name is not one of the whole file.
_INNER = ("compound_statement", "parameter_list", "field_declaration_list", "preproc_params")
_DECLARATORS = ("pointer_declarator", "array_declarator", "function_declarator",
                "parenthesized_declarator", "init_declarator")  # fmt: skip
_OWNERS = ("declaration", "parameter_declaration", "function_definition", "preproc_def",
           "preproc_function_def", "enumerator")  # fmt: skip


def refuse_taken(draft: Draft, text: CText, names: Iterable[str]) -> None:
    """See that names which an edit of `text` defines are new to all that is compiled with it.

    The headers of the architecture are not looked at.

    Raises:
        BackportError: one is there already; the message has the place.
    """
    wanted = list(names)
    for name in wanted:
        if draft.kernel.has(name):
            has = f"Linux {draft.kernel.series} has {name} itself, in {draft.kernel.header(name)}"
            raise BackportError(f"{text.name}: {has}, and the edit would define it anew{UNCERTAIN}")
    for place, found in _compiled_with(draft, text.name):
        # What is not there as a word needs no parser.
        if any(re.search(rf"\b{name}\b", found) for name in wanted):
            lines = _places(CText(place, found))
            for name in (one for one in wanted if one in lines):
                raise BackportError(f"{place}:{lines[name]}: {name} is there already, and the edit "
                                    f"would define it anew{UNCERTAIN}")  # fmt: skip


def refuse_own(draft: Draft, text: CText, names: Iterable[str]) -> None:
    """See that interfaces of the kernel which an edit of `text` uses are not the driver's own.

    Raises:
        BackportError: the driver declares one, be it as a parameter; the message has the place.
    """
    wanted = set(names)
    for place, found in _own(draft, text.name):
        for node in descend(CText(place, found).root, "identifier"):
            if words(node) in wanted and _declares(node):
                where = f"{place}:{node.start_point[0] + 1}"
                raise BackportError(f"{where}: {words(node)} is one of the driver's own, and the "
                                    f"edit would use the kernel's{UNCERTAIN}")  # fmt: skip


def free_names(
    draft: Draft, text: CText, names: Iterable[str], prefix: str, more: set[str]
) -> dict[str, str]:
    """Names for the variables of a new function, which hide none that the file has.

    Args:
        draft: the series.
        text: where the function comes to stand.
        names: those that the variables have in the templates.
        prefix: what is put before one that is taken.
        more: other names that the function declares.

    Raises:
        BackportError: that one is taken, too.
    """
    taken = {name for place, found in _own(draft, text.name)
             for name in _outer(CText(place, found).root)} | more  # fmt: skip
    chosen = {name: f"{prefix}{name}" if name in taken else name for name in names}
    for name in (one for one in chosen.values() if one in taken):
        raise BackportError(f"{text.name}: no name is free for a variable like {name}{UNCERTAIN}")
    return chosen


def defined_outside(draft: Draft, text: CText, macro: str) -> tuple[str, Node] | None:
    """Where a header that `text` includes defines a macro, and that definition."""
    for place, found in _compiled_with(draft, text.name):
        if place != text.name and re.search(rf"\b{macro}\b", found):
            for node in descend(CText(place, found).root, "preproc_def"):
                if words(node.child_by_field_name("name")) == macro:
                    return place, node
    return None


def _own(draft: Draft, path: str) -> Iterator[tuple[str, str]]:
    """The driver's files that are compiled together with one, itself first."""
    yield path, draft.files[path]
    header = path.endswith(".h")
    for other, text in draft.files.items():
        if other != path and other.endswith((".c", ".h") if header else ".h"):
            yield other, text


def _compiled_with(draft: Draft, path: str) -> Iterator[tuple[str, str]]:
    """The driver's files that are compiled together with one, then the tree's headers in them."""
    left: list[tuple[str, str]] = []
    seen = set[str]()
    for other, text in _own(draft, path):
        seen.add(other)
        left.append((other, text))
        yield other, text
    while left:
        place, text = left.pop()
        for header in _INCLUDED.findall(text):
            beside = f"{place.rpartition('/')[0]}/{header}"
            for one in (beside, f"include/{header}", f"include/uapi/{header}"):
                if one in seen or ".." in one:
                    continue
                seen.add(one)
                found = _header(draft.tree.root, one)
                if found is not None:
                    left.append((one, found))
                    yield one, found


def _header(root: Path, name: str) -> str | None:
    """A header of the tree; None where there is none to be read, or a link leads out of it."""
    path = root / name
    try:
        if path.is_file() and path.resolve().is_relative_to(root.resolve()):
            return read_source(path, limit=_LIMIT).text
    except (UnreadableSourceError, OSError, RuntimeError):  # RuntimeError: a loop of links
        return None
    return None


def _places(text: CText) -> dict[str, int]:
    """The line of every name's first place, comments and strings left out."""
    found: dict[str, int] = {}
    for node in descend(text.root, *_NAMES, "preproc_arg"):
        for name in _WORD.findall(words(node)):
            found.setdefault(name, node.start_point[0] + 1)
    return found


def _outer(root: Node) -> Iterator[str]:
    """The names that a file has outside of its functions."""
    left = [root]
    while left:
        one = left.pop()
        if one.type == "identifier":
            yield words(one)
        if one.type not in _INNER:
            left += one.children


def _declares(name: Node) -> bool:
    """Whether a name is declared where it stands; another's function that is announced is not."""
    node, kinds = name, set[str]()
    while node.parent is not None and node.parent.type in _DECLARATORS:
        if node.parent.type != "parenthesized_declarator" and (
            node.parent.child_by_field_name("declarator") != node
        ):
            return False
        node = node.parent
        kinds.add(node.type)
    owner = node.parent
    if owner is None or owner.type not in _OWNERS:
        return False
    if owner.type == "declaration" and "function_declarator" in kinds:
        return False
    return node in [*owner.children_by_field_name("declarator"),
                    *owner.children_by_field_name("name")]  # fmt: skip
