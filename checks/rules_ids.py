# SPDX-License-Identifier: GPL-2.0-or-later
"""Device tables against the spec: their ids, their ends, their exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.match import (
    older_drivers,
    pairs,
    pci_pairs,
    platform_pairs,
    unit_of,
)
from checks.rule import Found, NotApplicable, Unknown, check
from gen.diagnostics import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import Entry, Object
    from checks.rule import Context, Word
    from gen.frontend import PciFrontend, PciPair
    from gen.source import Span

PCI_TABLE = "id_table"
ACPI_TABLE = "driver.acpi_match_table"
OF_TABLE = "driver.of_match_table"
OWN_TABLE = "ids"  # of an ACPI driver
# The member of a driver structure, the kind of its MODULE_DEVICE_TABLE, the type of its entries.
TABLES = {
    PCI_TABLE: ("pci", "struct pci_device_id"),
    ACPI_TABLE: ("acpi", "struct acpi_device_id"),
    OF_TABLE: ("of", "struct of_device_id"),
    OWN_TABLE: ("acpi", "struct acpi_device_id"),
}
ANY_ID = -1


def _table(context: Context, driver: Object, member: str) -> Object | None:
    value = driver.fields.get(member)
    return context.facts.object(value.name, driver.file) if value else None


def _tables(context: Context) -> Iterator[tuple[str, Object, Object]]:
    """Every table that a driver structure uses: its member, the driver, the table."""
    old = [driver for _, driver in older_drivers(context)]
    for driver in (*old, *(driver for _, driver in pairs(context))):
        if driver is not None:
            for member in TABLES:
                table = _table(context, driver, member)
                if table is not None:
                    yield member, driver, table


@check("SPEC011")
def check_pci(context: Context) -> Iterator[Word]:
    """A PCI driver's table has the spec's ids and no other."""
    found = False
    for frontend, driver in pci_pairs(context):
        found = True
        table = _table(context, driver, PCI_TABLE)
        if table is None:
            yield _no_table(driver, PCI_TABLE, frontend.at["device"])
            continue
        entries = [entry for entry in table.entries if not entry.empty]
        if not entries:
            message = f"{table.name} has no entry for '{frontend.name}'"
            yield Found(message, table.span, frontend.at["device"])
        else:
            yield from _pci_entries(frontend, table, entries)
    if not found:
        yield NotApplicable("no PCI driver among the given files")


def _pci_entries(frontend: PciFrontend, table: Object, entries: list[Entry]) -> Iterator[Word]:
    """Each entry against the id that it has; one that has none, against an id that is missing."""
    ids = frontend.ids
    left = list(ids)
    strange = []
    for entry in entries:
        same = next((pair for pair in ids if _claims(entry, pair)), None)
        if same is None:
            strange.append(entry)
            continue
        yield from _pci_entry(same, entry)
        left = [pair for pair in left if pair is not same]
    for entry in strange:
        yield from _pci_entry(left.pop(0) if left else ids[0], entry)
    for pair in left:
        yield Found(f"{table.name} has no entry for {pair}", table.span, pair.device.at["id"])


def _claims(entry: Entry, pair: PciPair) -> bool:
    values = [entry.fields.get(member) for member in ("vendor", "device")]
    numbers = [value.number if value else None for value in values]
    return numbers == [pair.vendor.id, pair.device.id]


def _pci_entry(pair: PciPair, entry: Entry) -> Iterator[Word]:
    wanted = {
        "vendor": (pair.vendor.id, pair.vendor.at["id"]),
        "device": (pair.device.id, pair.device.at["id"]),
        "subvendor": (ANY_ID, pair.device.at["id"]),
        "subdevice": (ANY_ID, pair.device.at["id"]),
    }
    for member, (number, spec) in wanted.items():
        value = entry.fields.get(member)
        if value is None:
            message = f"the entry does not set its {member}"
            yield Found(message, entry.span, spec)
        elif value.number is None:
            yield Unknown(f"what '{value.written}' is worth is not known", value.span)
        elif value.number & 0xFFFFFFFF != number & 0xFFFFFFFF:
            is_, should = _id(value.number), _id(number)
            message = f"{member} {is_} is not the spec's {should}"
            yield Found(message, value.span, spec)
    yield from _class(pair, entry)


def _class(pair: PciPair, entry: Entry) -> Iterator[Word]:
    """The spec knows a device by its ids alone, so a class is one more thing that may differ."""
    mask = entry.fields.get("class_mask")
    if mask is not None and mask.number is None:
        yield Unknown(f"what '{mask.written}' is worth is not known", mask.span)
    elif mask is not None and mask.number:
        message = f"the entry asks for a class ({mask.written}); the spec has ids alone"
        yield Found(message, mask.span, pair.device.at["id"])


def _id(number: int) -> str:
    return "any" if number in {ANY_ID, 0xFFFFFFFF} else f"{number:#06x}"


@check("SPEC012")
def check_acpi(context: Context) -> Iterator[Word]:
    """A platform driver's ACPI table has the spec's ids and no other."""
    yield from _named_ids(context, ACPI_TABLE, "id", "acpi")


@check("SPEC013")
def check_of(context: Context) -> Iterator[Word]:
    """A platform driver's device tree table has the spec's compatibles and no other."""
    yield from _named_ids(context, OF_TABLE, "compatible", "of")


def _named_ids(context: Context, member: str, field: str, key: str) -> Iterator[Word]:
    found = False
    for frontend, driver in platform_pairs(context):
        wanted = frontend.acpi if key == "acpi" else frontend.of
        found = found or bool(wanted) or member in driver.fields
        table = _table(context, driver, member)
        if table is None:
            if wanted:
                yield _no_table(driver, member, frontend.at[key])
            continue
        yield from _compare(table, field, wanted, frontend.at[key])
    for table in _older_tables(context, key):
        found = True
        yield from _older_ids(context, table, field, key)
    if not found:
        yield NotApplicable(f"neither the spec nor the given files have {key} ids")


def _older_tables(context: Context, key: str) -> Iterator[Object]:
    for _, driver in older_drivers(context):
        for member, (kind, _) in TABLES.items():
            table = _table(context, driver, member) if kind == key else None
            if table is not None:
                yield table


def _older_ids(context: Context, table: Object, field: str, key: str) -> Iterator[Word]:
    """The ids that the later frontends took over from a driver that is older than they."""
    for frontend in context.device.later:
        wanted = getattr(frontend, key, ())
        if wanted:
            yield from _compare(table, field, wanted, frontend.at[key])


def _compare(table: Object, field: str, wanted: tuple[str, ...], spec: Span) -> Iterator[Word]:
    seen: set[str] = set()
    wrong = []
    for entry in table.entries:
        value = entry.fields.get(field)
        if entry.empty:
            continue
        if value is None or value.text is None:
            yield Unknown("what this entry matches is not known", entry.span)
            seen.update(wanted)
        elif value.text in wanted:
            seen.add(value.text)
        else:
            wrong.append((value.text, value.span))
    missing = [item for item in wanted if item not in seen]
    for text, span in wrong:
        yield Found(f"the spec has no '{text}'", span, spec, did_you_mean(text, wanted))
    for item in missing[len(wrong) :]:
        yield Found(f"{table.name} has no entry for '{item}'", table.span, spec)


def _no_table(driver: Object, member: str, spec: Span) -> Found:
    value = driver.fields.get(member)
    if value is None:
        message = f"{driver.name} has no .{member}, so it binds to nothing"
        return Found(message, driver.span, spec)
    return Found(f"'{value.written}' is no table in the given files", value.span, spec, absent=True)


@check("KERN126")
def check_sentinel(context: Context) -> Iterator[Word]:
    """Tables and attribute lists that the kernel walks end with an empty entry."""
    kinds = [*(kind for _, kind in TABLES.values())]
    kinds += ["struct attribute *", "struct attribute_group *"]
    arrays = [item for kind in kinds for item in context.facts.objects(kind) if item.array]
    if not arrays:
        yield NotApplicable("no table among the given files")
    for array in arrays:
        if not array.entries or not array.entries[-1].empty:
            where = array.entries[-1].span if array.entries else array.span
            yield Found(f"{array.name} does not end with an empty entry", where)
        for entry in array.entries[:-1]:
            if entry.empty:
                message = f"{array.name} ends here; the kernel never sees what follows"
                yield Found(message, entry.span)


@check("KERN127")
def check_export_of_tables(context: Context) -> Iterator[Word]:
    """Each device table that a driver uses is exported under its own bus."""
    used = list(_tables(context))
    if not used:
        yield NotApplicable("no driver with a device table among the given files")
    for member, driver, table in used:
        kind, _ = TABLES[member]
        unit = unit_of(context.facts, driver)
        marks = [mark for mark in (unit.marks if unit else ()) if mark.kind.startswith("table_")]
        mine = [mark for mark in marks if mark.value.name == table.name]
        if any(mark.kind == f"table_{kind}" for mark in mine):
            continue
        if mine:
            other = mine[0].kind.removeprefix("table_")
            message = f"{table.name} is exported as a table of '{other}', not of '{kind}'"
            yield Found(message, mine[0].span)
        else:
            message = f"{table.name} is not exported, so the module is not loaded for its devices"
            add = f"add MODULE_DEVICE_TABLE({kind}, {table.name});"
            yield Found(message, table.span, None, add, absent=True)
