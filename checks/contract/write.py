# SPDX-License-Identifier: GPL-2.0-or-later
"""A contract as text: in the spec's own layout with each fact's place, or as JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen.diff.pci import ANY, Claim
from gen.diff.records import HOOKS
from gen.serial import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.contract.records import Contract
    from gen.diff.records import Fact, Item
    from gen.source import Span

# The lists of a spec and the kind of item in them.
LISTS = (("registers", "register"), ("events", "event"), ("frontends", "frontend"),
         ("sysfs", "attribute"), ("parameters", "parameter"), ("besides", "besides"))  # fmt: skip
NUMBERS = frozenset({"offset", "width", "bit", "bar", "store.base", "registers-at"})
# What the language takes for granted of a frontend and of its Kconfig symbol.
_GRANTED = {("frontend", "attributes"): "shown", ("kconfig", "type"): "tristate"}
# What a spec writes without quotes; YAML takes some words for something else.
_PLAIN = re.compile(r"[A-Za-z_][\w+-]*(?:\.\w[\w+-]*)*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})


def as_yaml(contract: Contract) -> str:
    """The contract in the layout of a spec; what is not known is listed under `unknown`.

    What the language takes for granted is a comment.
    """
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
        yield from ("", f"{kind}:", *_facts(item, "  ", {}))


def _hooks(kinds: dict[str, list[Item]]) -> Iterator[str]:
    found = [item for kind in HOOKS for item in kinds.get(kind, [])]
    if found:
        yield from ("", "hooks:")
        for item in found:
            yield f"  {item.kind}:  {_place(item.at)}"
            yield from _facts(item, "    ", {})


def _entry(item: Item, contract: Contract) -> Iterator[str]:
    granted = {key: value for (kind, key), value in _GRANTED.items() if kind == item.kind}
    whole = next((one for one in contract.items if one.kind == "device"), None)
    if item.kind == "frontend" and whole and "author" in whole.facts:
        granted["author"] = whole.facts["author"].value
    if item.kind == "frontend" and whole and "module-license" in whole.facts:
        granted["module-license"] = whole.facts["module-license"].value
    yield f"  - name: {_text(item.name)}  {_place(item.at)}"
    yield from _facts(item, "    ", granted)
    parts = [one for one in contract.items if one.owner == item.path]
    yield from _pci([one for one in parts if one.kind == "pci"])
    for kind in ("acpi", "of"):
        mine = [one for one in parts if one.kind == kind]
        if mine:
            names = ", ".join(_text(one.name) for one in mine)
            yield f"    {kind}: [{names}]  {_place(*(one.at for one in mine))}"
    silent = {one.kind: one.facts["autoload"] for one in parts if "autoload" in one.facts}
    if silent:
        inside = ", ".join(f"{kind}: {_text(fact.value)}" for kind, fact in silent.items())
        where = _place(*(fact.at for fact in silent.values()))
        yield f"    autoload: {{{inside}}}  {where}"
    resources = [one for one in parts if one.kind == "resource"]
    if resources:
        yield "    resources:"
        yield from (f"      - {{kind: {one.name}}}  {_place(one.at)}" for one in resources)
    for one in parts:
        if one.kind == "kconfig":
            yield "    kconfig:"
            yield from _facts(one, "      ", {"type": _GRANTED["kconfig", "type"]})


def _pci(ids: list[Item]) -> Iterator[str]:
    """The device's id, and those that the driver claims besides."""
    for number, one in enumerate(ids):
        parts = list(_claim(Claim.parse(one.name)))
        if number == 0:
            yield from (f"    {part}  {_place(one.at)}" for part in parts)
            continue
        if number == 1:
            yield "    also:"
        yield f"      - {{{', '.join(parts)}}}  {_place(one.at)}"


def _claim(claim: Claim) -> Iterator[str]:
    """What an entry claims, with what the spec language does not know where it has that."""
    keys = ("vendor", "device", "subvendor", "subdevice")
    narrow = any(one != ANY for one in claim.ids[2:])
    for key, value in zip(keys, claim.ids, strict=True):
        if narrow or not key.startswith("sub"):
            yield f"{key}: {{id: {_text(ANY) if value == ANY else f'0x{value}'}}}"
    if claim.mask:
        yield f'class: "{claim.value:06x}/{claim.mask:06x}"'


def _facts(item: Item, indent: str, granted: Mapping[str, str]) -> Iterator[str]:
    groups: dict[str, list[tuple[str, str, Fact]]] = {}
    for key, fact in item.facts.items():
        head, _, tail = key.partition(".")
        groups.setdefault(head, []).append((tail, key, fact))
    for head, group in groups.items():
        where = _place(*(fact.at for _, _, fact in group))
        if len(group) == 1 and not group[0][0]:
            fact = group[0][2]
            mark = "# " if granted.get(head) == fact.value else ""
            yield f"{indent}{mark}{head}: {_scalar(head, fact.value)}  {where}"
        else:
            inside = ", ".join(f"{tail}: {_scalar(key, fact.value)}" for tail, key, fact in group)
            yield f"{indent}{head}: {{{inside}}}  {where}"


def _scalar(key: str, value: str) -> str:
    return value if key in NUMBERS else _text(value)


def _text(value: str) -> str:
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return value if plain else json_text(value)


def _place(*spans: Span) -> str:
    names = ", ".join(dict.fromkeys(map(str, spans)))
    return "# " + "".join(char if char.isprintable() else "?" for char in names)


def _unknown(contract: Contract) -> Iterator[str]:
    if contract.unknown:
        yield from ("", "# Not determined. A spec with this list does not load.", "unknown:")
        for one in contract.unknown:
            why = json_text(one.why)
            yield f"  - {{what: {json_text(one.what)}, why: {why}}}  {_place(one.at)}"


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
             "at": _span(one.at)}
            for one in contract.unknown
        ],
    }  # fmt: skip
    return json_text(whole)


def _span(at: Span) -> dict[str, Any]:
    return {"file": at.source.name, "line": at.line, "column": at.column, "length": at.length}
