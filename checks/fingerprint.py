# SPDX-License-Identifier: GPL-2.0-or-later
"""What makes a finding the same one in another version of a source, or of this checker.

A fingerprint is made of the rule, the file within its tree, the function or object that the place
is in, the text marked there, and the spec's text that it disagrees with. Neither the sentence nor
any line number counts. Of several findings that have all of this in common, the first, second and
so on are told apart by their order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.baseline import DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.facts import DriverFacts
    from gen.diagnostics import Diagnostic
    from gen.source import Source, Span


@dataclass(frozen=True)
class Finding:
    """A message of a run, and by what it is known again; `path` is relative to its tree."""

    item: Diagnostic
    fingerprint: str
    path: str


def with_fingerprints(items: Iterable[Diagnostic], facts: DriverFacts) -> Iterator[Finding]:
    """The findings of one tree, in the order of the report."""
    paths: dict[Source, str] = {}
    for file in facts.tree.files:
        # A single file is given by any path; its name is what stays.
        paths[file.source] = str(file.path) if facts.tree.whole else file.path.name
    scopes = _scopes(facts)
    seen: Counter[tuple[str, ...]] = Counter()
    for item in sorted(items, key=lambda one: one.sort_key()):
        key = _key(item, paths, scopes)
        seen[key] += 1
        text = "\0".join((*key, str(seen[key])))
        digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:DIGITS]
        yield Finding(item, digest, paths.get(item.span.source, item.span.source.name))


def _key(
    item: Diagnostic, paths: dict[Source, str], scopes: dict[Source, list[tuple[int, str]]]
) -> tuple[str, ...]:
    span = item.span
    starts = [start for start in scopes.get(span.source, ()) if start[0] <= span.line]
    scope = max(starts)[1] if starts else ""
    spec = " ".join(_marked(related.span) for related in item.related)
    return (item.rule, paths.get(span.source, ""), scope, _marked(span), spec)


def _marked(span: Span) -> str:
    """The text at a span, however it is spaced."""
    line = span.source.line(span.line)
    return " ".join(line[span.column - 1 : span.column - 1 + span.length].split())


def _scopes(facts: DriverFacts) -> dict[Source, list[tuple[int, str]]]:
    """Where each function and object of a file starts."""
    scopes: dict[Source, list[tuple[int, str]]] = {}
    for unit in facts.units:
        starts = [(span, name) for name, span in unit.functions.items()]
        starts += [(item.span, item.name) for item in unit.objects]
        for span, name in starts:
            scopes.setdefault(span.source, []).append((span.line, name))
    return scopes
