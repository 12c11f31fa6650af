# SPDX-License-Identifier: GPL-2.0-or-later
"""PCI ids in a hand-written frontend: its own one changed, further ones added."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen import names
from gen.backport.clash import defined_outside, refuse_taken
from gen.backport.draft import UNCERTAIN, defined_beside, definitions
from gen.backport.layout import lead_of
from gen.backport.records import BackportError
from gen.csyntax import descend, words
from gen.frontend import PciFrontend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from gen.backport.draft import Draft
    from gen.backport.records import Patch
    from gen.backport.text import CText
    from gen.frontend import Frontend, PciPair

_TABLE = "struct pci_device_id"
_LONG, _SHORT, _VENDOR = "PCI_DEVICE", "PCI_VDEVICE", "PCI_VENDOR_ID_"


def renamed(draft: Draft, front: PciFrontend) -> Iterator[Patch]:
    """Another device id, which the driver has a macro for."""
    was = _before(draft, front)
    macro = names.pci_macro(was, "device", was.device)
    same = macro == names.pci_macro(front, "device", front.device)
    if was.vendor.id != front.vendor.id or not same:
        raise BackportError(f"{front.at.item}: more than the device id changes{UNCERTAIN}")
    text = draft.open(f"{draft.tree.home}/{front.name}.c")
    define, value = _defined(text, macro, was.device.id)
    text.remember_remarks(define)
    text.replace(value, _as_written(value, front.device.id))
    now = replace(was, device=front.device, host=front.host)
    _put(draft, was, now)
    old, new = was.ids[0], now.ids[0]
    changes = tuple(one for one in draft.of("pci") if {one.old, one.new} & {str(old), str(new)})
    yield draft.patch(
        f"change the PCI id to {new}",
        f"The device is {new} on the bus, and the driver binds to {old}: no module is loaded for "
        "the device.",
        [text], changes,
    )  # fmt: skip


def claimed(draft: Draft, front: PciFrontend, pair: PciPair) -> Iterator[Patch]:
    """One more entry of the table, behind the last one and like it."""
    was = _before(draft, front)
    text = draft.open(f"{draft.tree.home}/{front.name}.c")
    macros = [_macro(draft, text, front, side, pair) for side in ("vendor", "device")]
    last, call = _last_entry(text)
    if words(call).startswith(f"{_SHORT}(") and not macros[0].startswith(_VENDOR):
        raise BackportError(f"{front.at.item}: {_SHORT}() takes no vendor {macros[0]}{UNCERTAIN}")
    indent = lead_of(text, last)
    gap = text.text.encode()[call.end_byte : last.end_byte].decode()
    lead = text.text.encode()[last.start_byte : call.start_byte].decode()
    shape = words(call.child_by_field_name("function"))
    if shape == _SHORT:  # it puts the vendor's prefix before its first word
        macros[0] = macros[0].removeprefix(_VENDOR)
    new = f"{indent}{lead}{shape}({macros[0]}, {macros[1]}){gap},\n"
    text.insert(text.line_after(last), new)
    _put(draft, was, replace(was, also=(*was.also, pair)))
    changes = tuple(one for one in draft.of("pci") if one.new == str(pair))
    yield draft.patch(
        f"add the PCI id {pair}",
        f"The device {pair} ({_called(pair, front)}) has the registers of {was.ids[0]} "
        f"({_called(was.ids[0], front)}), which the driver binds to. Bind to it, too, so that the "
        "module is loaded for it.",
        [text], changes, pair.arrival, pair.arrival.upstream,
    )  # fmt: skip


def _called(pair: PciPair, front: PciFrontend) -> str:
    """The macro of an id's device."""
    return names.pci_macro(front, "device", pair.device)


def _before(draft: Draft, front: PciFrontend) -> PciFrontend:
    """The frontend as the patches so far leave it."""
    for one in draft.contract.frontends:
        if one.name == front.name and isinstance(one, PciFrontend):
            return one
    raise BackportError(f"{front.at.item}: the tree's driver has no such frontend{UNCERTAIN}")


def _put(draft: Draft, was: Frontend, now: Frontend) -> None:
    fronts = tuple(now if one is was else one for one in draft.contract.frontends)
    draft.contract = replace(draft.contract, frontends=fronts)


def _macro(draft: Draft, text: CText, front: PciFrontend, side: str, pair: PciPair) -> str:
    """A macro that stands for one half of an id; defined here unless it is there already."""
    pci_id = pair.vendor if side == "vendor" else pair.device
    macro = names.pci_macro(front, side, pci_id)
    if definitions(text, macro):
        _defined(text, macro, pci_id.id)
        return macro
    if side == "vendor" and draft.kernel.has(macro):
        text.include(draft.kernel.header(macro))
        return macro
    outside = defined_outside(draft, text, macro)
    if outside is not None:
        _worth(*outside, macro, pci_id.id)
        return macro
    refuse_taken(draft, text, [macro])
    own = names.pci_macro(front, "device", front.device)
    beside = text.one(definitions(text, own), f"the definition of {own}")
    new = defined_beside(text, beside, macro, f"{pci_id.id:#06x}")
    text.insert(text.line_after(beside), new)
    return macro


def _defined(text: CText, macro: str, number: int) -> tuple[Node, Node]:
    """The definition of a macro that is worth a number, and its value."""
    define = text.one(definitions(text, macro), f"the definition of {macro}")
    return define, _worth(text.name, define, macro, number)


def _worth(place: str, define: Node, macro: str, number: int) -> Node:
    """The value of a macro's definition, which has to be a number."""
    value = define.child_by_field_name("value")
    line = f"{place}:{define.start_point[0] + 1}"
    try:
        given = int(words(value), 0)
    except ValueError:
        given = None
    if value is None or given != number:
        raise BackportError(f"{line}: {macro} is not {number:#06x}{UNCERTAIN}")
    return value


def _as_written(value: Node, number: int) -> str:
    """A number in as many hexadecimal digits as another has."""
    return f"{number:#0{len(words(value))}x}"


def _last_entry(text: CText) -> tuple[Node, Node]:
    """The last entry of the table of ids before the empty one, and the macro call in it."""
    tables = [
        one
        for one in descend(text.root, "declaration")
        if words(one.child_by_field_name("type")) == _TABLE
        and any(descend(one, "initializer_list"))
    ]
    table = text.one(tables, f"the table of {_TABLE}")
    entries = _parts(next(descend(table, "initializer_list")))
    whole = [one for one in entries if one.type == "initializer_list" and _filled(one)]
    line = f"{text.name}:{table.start_point[0] + 1}"
    if not whole or len(entries) != len(whole) + 1 or whole[-1] is entries[-1]:
        raise BackportError(f"{line}: not a plain table that ends with an empty entry{UNCERTAIN}")
    inside = _parts(whole[-1])
    call = next(iter(descend(whole[-1], "call_expression")), None)
    shape = words(call.child_by_field_name("function")) if call else ""
    if len(inside) != 1 or call is None or shape not in {_LONG, _SHORT}:
        raise BackportError(f"{line}: the last entry is not {_LONG}() alone{UNCERTAIN}")
    return whole[-1], call


def _parts(node: Node) -> list[Node]:
    return [one for one in node.named_children if one.type != "comment"]


def _filled(entry: Node) -> bool:
    """Whether an entry is not the empty one that ends a table, `{ }` or `{ 0 }`."""
    return [words(one) for one in _parts(entry)] not in ([], ["0"])
