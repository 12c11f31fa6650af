# SPDX-License-Identifier: GPL-2.0-or-later
"""A contract as text: in the spec's own layout with each fact's place, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen.serial import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.contract.records import Contract
    from gen.diff.records import Item
    from gen.source import Span

# The lists of a spec and the kind of item in them.
LISTS = (("registers", "register"), ("events", "event"), ("frontends", "frontend"),
         ("sysfs", "attribute"))  # fmt: skip
NUMBERS = frozenset({"offset", "width", "bit", "bar", "store.base"})
HOOKS = ("panic-notifier", "sys-off")


def as_yaml(contract: Contract) -> str:
    """The contract in the layout of a spec; what is not known is listed under `unknown`."""
    kinds: dict[str, list[Item]] = {}
    for item in contract.items:
        if not item.owner:
            kinds.setdefault(item.kind, []).append(item)
    parts = ["spec: 1", *_section("device", kinds)]
    for key, kind in LISTS:
        if kind in kinds:
            parts += ["", f"{key}:"]
            parts += [line for item in kinds[kind] for line in _entry(item, contract)]
        if kind == "event":
            parts += _hooks(kinds)
    parts += [*_section("kconfig", kinds), *_section("uapi", kinds), *_unknown(contract)]
    return "\n".join(parts)


def _section(kind: str, kinds: dict[str, list[Item]]) -> Iterator[str]:
    for item in kinds.get(kind, []):
        yield from ("", f"{kind}:", *_facts(item, "  "))


def _hooks(kinds: dict[str, list[Item]]) -> Iterator[str]:
    found = [item for kind in HOOKS for item in kinds.get(kind, [])]
    if found:
        yield from ("", "hooks:")
        for item in found:
            yield f"  {item.kind}:  {_place(item.at)}"
            yield from _facts(item, "    ")


def _entry(item: Item, contract: Contract) -> Iterator[str]:
    yield f"  - name: {json_text(item.name)}  {_place(item.at)}"
    yield from _facts(item, "    ")
    parts = [one for one in contract.items if one.owner == item.path]
    for kind in ("pci", "acpi", "of"):
        mine = [one for one in parts if one.kind == kind]
        if mine:
            yield f"    {kind}:"
            yield from (f"      - {json_text(one.name)}  {_place(one.at)}" for one in mine)
    resources = [one for one in parts if one.kind == "resource"]
    if resources:
        yield "    resources:"
        yield from (f"      - kind: {one.name}  {_place(one.at)}" for one in resources)
    for one in parts:
        if one.kind == "kconfig":
            yield "    kconfig:"
            yield from _facts(one, "      ")


def _facts(item: Item, indent: str) -> Iterator[str]:
    group = ""
    for key, fact in item.facts.items():
        head, _, tail = key.partition(".")
        if tail and head != group:
            group = head
            yield f"{indent}{head}:"
        shift = "  " if tail else ""
        yield f"{indent}{shift}{tail or head}: {_scalar(key, fact.value)}  {_place(fact.at)}"


def _scalar(key: str, value: str) -> str:
    return value if key in NUMBERS else json_text(value)


def _place(at: Span) -> str:
    name = "".join(char if char.isprintable() else "?" for char in str(at))
    return f"# {name}"


def _unknown(contract: Contract) -> Iterator[str]:
    if contract.unknown:
        yield from ("", "# Not determined. A spec with this list does not load.", "unknown:")
        for one in contract.unknown:
            place = f"  {_place(one.at)}" if one.at else ""
            text = f"{one.path}.{one.key}" if one.key else one.path
            yield f"  - {{what: {json_text(text)}, why: {json_text(one.why)}}}{place}"


def as_json(contract: Contract) -> str:
    """Every item and fact with its value and place, then what is not known."""
    whole = {
        "device": contract.name,
        "items": [
            {"path": item.path, "kind": item.kind, "name": item.name, "at": _span(item.at),
             "facts": {key: {"value": fact.value, "at": _span(fact.at)}
                       for key, fact in item.facts.items()}}
            for item in contract.items
        ],
        "unknown": [
            {"path": one.path, "key": one.key, "why": one.why,
             "at": _span(one.at) if one.at else None}
            for one in contract.unknown
        ],
    }  # fmt: skip
    return json_text(whole)


def _span(at: Span) -> dict[str, Any]:
    return {"file": at.source.name, "line": at.line, "column": at.column, "length": at.length}
