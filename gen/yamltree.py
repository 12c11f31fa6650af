# SPDX-License-Identifier: GPL-2.0-or-later
"""YAML text to a tree of nodes that remember their spans.

The tree is built from PyYAML's parser events rather than with one of its constructors, because a
spec wants what those do not give: the span of every key and value, duplicate keys reported, and
scalars resolved as YAML 1.2 does, where `on` is a word. Anchors, aliases and tags are refused: a
spec needs none of them, and they are what hostile YAML is made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from gen.diagnostics import Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.diagnostics import Diagnostics
    from gen.source import Source, Span

Scalar = str | int | float | bool | None

MAX_DEPTH = 24
MAX_NODES = 20_000

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}
# Where YAML ends a line and nobody else does, so that line numbers would no longer agree.
_ODD_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
# At most 18 digits, so that no number of a spec is beyond 64 bits.
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Node:
    """A value of the document: a scalar, a list of nodes, or a mapping from names to nodes."""

    span: Span
    value: Scalar | list[Node] | dict[str, Node]
    keys: dict[str, Span] = field(default_factory=dict)

    @property
    def head(self) -> Span:
        """The place to point at for the whole of it: a mapping's first key, or the value."""
        return next(iter(self.keys.values()), self.span)

    def plain(self) -> object:
        """The value without spans, as a JSON library would give it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find(self, path: list[str | int]) -> Node:
        """The node under a path of keys and indices; the deepest that exists on the way."""
        node = self
        for step in path:
            inner = node.value
            if isinstance(inner, dict) and step in inner:
                node = inner[str(step)]
            elif isinstance(inner, list) and isinstance(step, int):
                node = inner[step]
            else:
                break
        return node


class _Refused(Exception):  # noqa: N818 (control flow, not an error class of the API)
    """A message was added that ends the reading."""


def read_yaml(source: Source, diagnostics: Diagnostics) -> Node | None:
    """Read one YAML document.

    Returns:
        The root node, or None where the text is no YAML at all. Either way the reasons are in
        `diagnostics`; duplicate keys are reported and the first of them is kept.
    """
    odd = _ODD_BREAK.search(source.text)
    if odd:
        message = "a line ends here with something other than a newline"
        diagnostics.error("YAML001", message, source.place(odd.start()))
        return None
    try:
        return _Reader(source, diagnostics).document()
    except _Refused:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(filter(None, (error.problem, error.context))) or "not YAML"
        # libyaml puts the end of a text without a last newline on a line of its own.
        place = source.place(mark.index if mark else 0)
    except yaml.reader.ReaderError as error:
        words = error.reason
        place = source.place(error.position if isinstance(error.position, int) else 0)
    diagnostics.error("YAML001", f"this is not YAML: {words}", place)
    return None


class _Reader:
    """One pass over the events of a text."""

    def __init__(self, source: Source, diagnostics: Diagnostics) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.nodes = 0
        self.lines = source.lines
        self.events: Iterator[yaml.Event] = yaml.parse(source.text, Loader=_Loader)

    def document(self) -> Node:
        """The single document of the stream."""
        start: yaml.Event | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if start is not None:
                    raise self.refusal(
                        "YAML001", "a spec is one document, this starts another", event
                    )
                start = event
                root = self.node(next(self.events), 0)
        if start is None:
            self.diagnostics.error("YAML001", "the file is empty", self.source.span(1, 1))
            raise _Refused
        return root

    def refusal(self, rule: str, message: str, event: yaml.Event) -> _Refused:
        """Report something that makes reading on pointless; the caller raises what is returned."""
        self.diagnostics.error(rule, message, self.span(event))
        return _Refused()

    def span(self, event: yaml.Event) -> Span:
        """The first line of what an event covers."""
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:  # only events made by hand, never parsed ones, lack them
            raise TypeError("an event without marks")
        if end.line == start.line:
            length = end.column - start.column
        else:
            length = len(self.lines[start.line].rstrip()) - start.column
        return self.source.span(start.line + 1, start.column + 1, length)

    def node(self, event: yaml.Event, depth: int) -> Node:
        """The node that begins with `event`; the events up to its end are consumed."""
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise self.refusal("YAML002", f"nested deeper than {MAX_DEPTH} levels", event)
        if self.nodes > MAX_NODES:
            raise self.refusal("YAML002", f"more than {MAX_NODES} values", event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self.refusal(
                "YAML003", "anchors and aliases are not part of the spec language", event
            )
        if getattr(event, "tag", None) is not None:
            raise self.refusal("YAML003", "tags are not part of the spec language", event)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self.span(event), self.sequence(depth))
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return Node(self.span(event), _scalar(event))
        raise TypeError(f"an event that no YAML text begins a value with: {event}")

    def sequence(self, depth: int) -> list[Node]:
        """The items up to the end of a list."""
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return items

    def mapping(self, start: yaml.Event, depth: int) -> Node:
        """The entries up to the end of a mapping."""
        values: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.refusal("YAML004", "a key is a word, not a list or a mapping", event)
            key, span = str(event.value), self.span(event)
            value = self.node(next(self.events), depth + 1)
            if key in values:
                self.diagnostics.error(
                    "YAML005",
                    f"the key '{key}' stands here a second time",
                    span,
                    related=(Related(keys[key], "the first one stands here"),),
                )
                continue
            keys[key] = span
            values[key] = value
        return Node(self.span(start), values, keys)


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    """A plain scalar by the core schema of YAML 1.2; a quoted or block one is always text."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, 10 if text.lstrip("+-").isdigit() else 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
