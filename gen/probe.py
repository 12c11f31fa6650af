# SPDX-License-Identifier: GPL-2.0-or-later
"""What a given kernel tree offers, by its headers and not by its number.

Asked is what differs between series: the rest of the table every supported series has, so no
tree between them lacks it. What is found becomes a `Kernel` of exactly that tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.api import Range
from gen.headers import HeadersError, open_headers
from gen.release import Release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen.api import Api, Member
    from gen.headers import Headers
    from gen.kernel import Kernel, Kernels
    from gen.release import PointRelease

EVERYWHERE = Range()
NOWHERE = Range(since=Release(1, 0), until=Release(0, 0))


@dataclass(frozen=True, order=True)
class Fact:
    """Something that differs between series: what it is, as the tree and as its series has it."""

    name: str
    found: str
    expected: str

    @property
    def differs(self) -> bool:
        """Whether the tree is not as its series."""
        return self.found != self.expected


@dataclass(frozen=True)
class Probe:
    """A tree: its release, what it offers, its series, and every fact that was asked."""

    directory: Path
    release: PointRelease
    kernel: Kernel
    base: Kernel
    facts: tuple[Fact, ...]

    @property
    def known(self) -> bool:
        """Whether there are facts about the tree's own series, or those of an older one served."""
        return self.base.release == self.release.series


def probe_tree(directory: Path, kernels: Kernels) -> Probe:
    """Look into the headers of a tree.

    Raises:
        HeadersError: it is no kernel tree, not a whole one, or older than every series.
    """
    headers = open_headers(directory)
    older = [kernel for kernel in kernels.all if kernel.release <= headers.release.series]
    if not older:
        oldest = kernels.all[0].series
        raise HeadersError(f"{directory}: Linux {headers.release} is older than {oldest}")
    base = older[-1]
    table, tables = dict(base.table), dict(base.header_table)
    facts: list[Fact] = []
    for name, range_ in base.header_table.items():
        if range_ != EVERYWHERE:
            had = headers.has(name)
            tables[name] = replace(EVERYWHERE if had else NOWHERE, replacement=range_.replacement)
            facts.append(Fact(name, _word(had), _word(base.has_header(name))))
    for name, api in base.table.items():
        table[name] = _probe(api, headers, base, facts)
    kernel = replace(
        base, table=table, header_table=tables, verification=None, probed=headers.release
    )
    return Probe(directory, headers.release, kernel, base, tuple(facts))


def _word(had: bool) -> str:
    return "there" if had else "missing"


def _probe(api: Api, headers: Headers, base: Kernel, facts: list[Fact]) -> Api:
    """The interface as the tree has it."""
    if api.kind == "format":
        return api
    ranges = [api.range, *api.headers.values(), *(item.range for item in api.members)]
    if all(range_.since is None and range_.until is None for range_ in ranges):
        return api
    # The newest header that declares it, as an older one often only includes that.
    order = sorted(api.headers.items(), key=lambda item: item[1].since or Release(0, 0))
    found = [header for header, _ in order if headers.declares(header, api.name)]
    if len(api.headers) > 1 or api.range != EVERYWHERE:
        expected = base.header(api.name) if base.has(api.name) else "missing"
        facts.append(Fact(api.name, found[-1] if found else "missing", expected))
    if not found and api.range == EVERYWHERE:
        where = " or ".join(api.headers)
        raise HeadersError(
            f"{headers.directory}: not a whole kernel tree: '{api.name}', which every series has, "
            f"is in no {where}"
        )
    if not found:
        return replace(api, range=replace(NOWHERE, replacement=api.range.replacement))
    members = tuple(_members(api, headers, base, facts))
    return replace(
        api,
        range=replace(EVERYWHERE, replacement=api.range.replacement),
        headers={found[-1]: EVERYWHERE},
        members=members,
    )


def _members(api: Api, headers: Headers, base: Kernel, facts: list[Fact]) -> Iterator[Member]:
    """The members as the tree declares them."""
    body = _squeeze(headers.body(api.name) or "")
    told: dict[str, list[str]] = {}
    for member in api.members:
        if member.range.since is None and member.range.until is None:
            yield member
            continue
        has = re.search(rf"(?<!\w){re.escape(_start(member.text))}(?!\w)", body) is not None
        told.setdefault(member.name, [])
        if has:
            told[member.name].append(member.text)
        yield replace(
            member,
            range=replace(EVERYWHERE if has else NOWHERE, replacement=member.range.replacement),
        )
    expected = base.members(api.name) if base.has(api.name) else {}
    for name, texts in told.items():
        there = texts[0] if texts else "missing"
        facts.append(Fact(f"{api.name}.{name}", there, expected.get(name, "missing")))


def _start(text: str) -> str:
    """A declaration without its parameters, whose names headers leave out."""
    return _squeeze(text.partition(")(")[0])


def _squeeze(text: str) -> str:
    return re.sub(r"\s*([*()])\s*", r"\1", re.sub(r"\s+", " ", text))
