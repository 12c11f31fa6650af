# SPDX-License-Identifier: GPL-2.0-or-later
"""Device tree bindings to facts: a schema in YAML, or prose as it was written before."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from checks.facts import BindingFact, Value
from gen.diagnostics import Diagnostics
from gen.yamltree import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.tree import TreeFile
    from gen.yamltree import Node

# Where prose begins to show an example, and where it tells of the compatible string.
_EXAMPLE = re.compile(r"^\W*Examples?\b.*:\s*$", re.IGNORECASE)
_TELLS = re.compile(r"\bcompatible\b", re.IGNORECASE)
# A node's registers in an example, and the two ways in which one region is written.
_REG = re.compile(r"\breg\s*=\s*<([^<>]*)>\s*;")
_CELLS = {2: 1, 4: 2}  # cells of address and length: how many make up the length
# A compatible string as prose or an example quotes it.
_QUOTED = re.compile(r'"([a-z0-9][\w.+-]*,[\w.,+-]+)"')


def read_bindings(files: tuple[TreeFile, ...]) -> tuple[BindingFact, ...]:
    """What each document says."""
    return tuple(
        _schema(file) if file.path.suffix == ".yaml" else BindingFact(file, tuple(_prose(file)))
        for file in files
    )


def _prose(file: TreeFile) -> Iterator[Value]:
    """What the text tells; its example counts only where the text itself tells of none."""
    lines = file.source.lines
    example = next((n for n, line in enumerate(lines) if _EXAMPLE.match(line)), len(lines))
    told = list(_quoted(file, lines[:example]))
    tells = any(_TELLS.search(line) for line in lines[:example])
    yield from told if told and tells else _quoted(file, lines)


def _quoted(file: TreeFile, lines: list[str]) -> Iterator[Value]:
    for number, line in enumerate(lines, 1):
        for match in _QUOTED.finditer(line):
            span = file.source.span(number, match.start(1) + 1, len(match[1]))
            yield Value(span, match[1], text=match[1])


def _schema(file: TreeFile) -> BindingFact:
    root = read_yaml(file.source, Diagnostics())
    keys = root.value if root else None
    properties = keys.get("properties") if isinstance(keys, dict) else None
    inner = properties.value if properties else None
    compatible = inner.get("compatible") if isinstance(inner, dict) else None
    if not isinstance(keys, dict) or compatible is None:
        return BindingFact(file, None)
    required = keys.get("required")
    names = required.plain() if required else []
    asked = required.value if required and isinstance(required.value, list) else []
    # Another schema that is taken in, or a pattern, may describe any property.
    open_ = {"allOf", "$ref", "patternProperties"} & set(keys)
    described = inner if isinstance(inner, dict) and not open_ else None
    strange = [one for one in asked if described is not None and str(one.value) not in described]
    return BindingFact(
        file,
        tuple(_strings(compatible)) or None,
        required=frozenset(names if isinstance(names, list) else ()),
        required_span=root.keys.get("required") if root else None,
        undescribed=tuple(Value(one.span, str(one.value), text=str(one.value)) for one in strange),
        regions=_regions(inner.get("reg")) if isinstance(inner, dict) else None,
        examples=tuple(_examples(file, root)),
        sizes=tuple(_sizes(file, root)),
    )


def _regions(reg: Node | None) -> Value | None:
    """How many regions a node's `reg` has at most, where its schema tells."""
    keys = reg.value if reg else None
    if not isinstance(keys, dict):
        return None
    most, each = keys.get("maxItems"), keys.get("items")
    if most is not None and isinstance(most.value, int):
        return Value(most.span, str(most.value), number=most.value)
    if each is not None and isinstance(each.value, list):
        return Value(reg.head if reg else each.span, "items", number=len(each.value))
    return None


def _examples(file: TreeFile, root: Node | None) -> Iterator[Value]:
    """The compatible strings in a schema's examples."""
    start = root.keys.get("examples") if root else None
    for number, line in enumerate(file.source.lines, 1):
        if start is not None and number > start.line and _TELLS.search(line):
            for match in _QUOTED.finditer(line):
                span = file.source.span(number, match.start(1) + 1, len(match[1]))
                yield Value(span, match[1], text=match[1])


def _sizes(file: TreeFile, root: Node | None) -> Iterator[tuple[Value, frozenset[str]]]:
    """How long the region of each node in an example is, with the node's compatible strings.

    A node with several regions or with cells that are no plain numbers is left out.
    """
    start = root.keys.get("examples") if root else None
    open_: list[tuple[list[str], list[Value]]] = [([], [])]
    for number, line in enumerate(file.source.lines, 1):
        if start is None or number <= start.line:
            continue
        open_ += [([], []) for _ in range(line.count("{"))]
        names, sizes = open_[-1]
        if _TELLS.search(line):
            names += [match[1] for match in _QUOTED.finditer(line)]
        for match in _REG.finditer(line):
            cells = match[1].split()
            size = _number(cells[-_CELLS[len(cells)] :]) if len(cells) in _CELLS else None
            if size is not None:
                span = file.source.span(number, match.start(1) + 1, len(match[1]))
                sizes.append(Value(span, match[1], number=size))
        for _ in range(min(line.count("}"), len(open_) - 1)):
            names, sizes = open_.pop()
            yield from zip(sizes, itertools.repeat(frozenset(names)))


def _number(cells: list[str]) -> int | None:
    """The number that cells of 32 bits make up."""
    try:
        parts = [int(cell, 0) for cell in cells]
    except ValueError:
        return None
    return sum(part << 32 * place for place, part in enumerate(reversed(parts)))


def _strings(node: Node) -> Iterator[Value]:
    """The strings of each `const` and `enum`, however they are combined."""
    value = node.value
    if isinstance(value, list):
        for item in value:
            yield from _strings(item)
    for key, item in value.items() if isinstance(value, dict) else ():
        words = item.value if isinstance(item.value, list) else [item]
        if key in {"const", "enum"}:
            yield from (
                Value(one.span, str(one.value), text=str(one.value))
                for one in words
                if isinstance(one.value, str)
            )
        else:
            yield from _strings(item)
