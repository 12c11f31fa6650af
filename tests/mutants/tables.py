# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes in tables, driver structures, exports and module metadata."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants import roles
from tests.mutants.operators import Family, add, operator
from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Driver, Place

TABLES = Family.TABLES
ENDED = "|".join((*roles.TABLES, "attribute", "attribute_group"))
GONE = "what is gone has no place: the finding stands at what lacks it"
_END = re.compile(r",?\s*(?:\{ *(?:\"\", 0)? *\}|NULL),?(?=\s*\}$)")


def _tables(driver: Driver) -> list[Place]:
    return [place for place in roles.objects(driver, ENDED) if _END.search(str(place))]


@operator("drop-sentinel", TABLES, "KERN126")
def _sentinel(driver: Driver) -> Iterable[Change]:
    """The kernel walks on through memory."""
    for place in _tables(driver):
        text = str(place)
        yield place.replace(_END.sub(",", text), roles.name_of(place))


@operator("sentinel-first", TABLES, "KERN126 SPEC011 SPEC012 SPEC013 SPEC016")
def _first(driver: Driver) -> Iterable[Change]:
    """The table ends before its first entry."""
    for place in _tables(driver):
        end = "NULL," if "NULL" in str(place) else "{ },"
        yield place.replace(str(place).replace("{", "{\n\t" + end, 1), roles.name_of(place))


@operator("drop-device-table", TABLES, "KERN127", elsewhere=GONE)
def _device_table(driver: Driver) -> Iterable[Change]:
    """Nothing loads the module when its device appears."""
    for call in driver.calls("MODULE_DEVICE_TABLE"):
        yield call.statement.drop_lines(str(call.arguments[1]))


@operator("device-table-of-other-bus", TABLES, "KERN127")
def _other_bus(driver: Driver) -> Iterable[Change]:
    """The aliases are made from bytes of another layout."""
    others = {"acpi": "of", "of": "acpi", "pci": "of"}
    for call in driver.calls("MODULE_DEVICE_TABLE"):
        bus = call.arguments[0]
        yield bus.replace(others[str(bus)], str(call.arguments[1]))


@operator("drop-license", TABLES, "KERN128", elsewhere=GONE)
def _license(driver: Driver) -> Iterable[Change]:
    """The module is refused, or taints the kernel and lacks GPL-only symbols."""
    for call in driver.calls("MODULE_LICENSE"):
        yield call.statement.drop_lines(call.file.path.name)


@operator("wrong-license", TABLES, "SPEC026")
def _wrong_license(driver: Driver) -> Iterable[Change]:
    """The loader goes by another licence than readers do."""
    for call in driver.calls("MODULE_LICENSE"):
        for name in ("Proprietary", "Dual MIT/GPL"):
            yield call.arguments[0].replace(f'"{name}"', f"{call.file.path.name}-{name}")


@operator("wrong-spdx", TABLES, "SPEC026", elsewhere="either of the two tags is the wrong one")
def _spdx(driver: Driver) -> Iterable[Change]:
    """People and tools read another licence than the loader does."""
    for file in driver.units:
        first = file.text.split("\n", 1)[0]
        yield Change(file.path, 0, len(first), "// SPDX-License-Identifier: MIT",
                     f"{file.path.name}-MIT")  # fmt: skip
        yield Change(file.path, 0, len(first) + 1, "", f"{file.path.name}-none")


@operator("drop-description", TABLES, "KERN128 SPEC028", elsewhere=GONE)
def _description(driver: Driver) -> Iterable[Change]:
    """Modpost warns, and modinfo does not say what the module is for."""
    for call in driver.calls("MODULE_DESCRIPTION"):
        yield call.statement.drop_lines(call.file.path.name)


@operator("wrong-author", TABLES, "SPEC028")
def _author(driver: Driver) -> Iterable[Change]:
    """Modinfo names somebody else."""
    for call in driver.calls("MODULE_AUTHOR"):
        yield call.arguments[0].replace('"nobody"', call.file.path.name)


@operator("drop-export", TABLES, "KERN129", elsewhere=GONE)
def _export(driver: Driver) -> Iterable[Change]:
    """The other modules do not load."""
    for call in driver.calls("EXPORT_SYMBOL(_GPL)?"):
        yield call.statement.drop_lines(str(call.arguments[0]))


MEMBERS = {
    "probe": "KERN132",
    "id_table": "SPEC011 KERN132",
    "acpi_match_table": "SPEC012",
    "of_match_table": "SPEC013",
    "dev_groups": "SPEC016 KERN132",
    "notifier_call": "KERN132 SPEC025 RUN301 RUN306",
    "name": "SPEC021 KERN132",
}


UNLISTED = {
    "dev_groups": "an attribute that no driver lists is told where it is defined",
    "notifier_call": "a call of nothing has no place in the driver",
}


def _member(member: str, rules: str) -> None:
    add(f"drop-{member.replace('_', '-')}", TABLES, rules, f"The structure has no .{member}.",
        lambda driver: [
            pair.drop_lines(pair.file.path.name) for pair in roles.setting(driver, member)
        ], elsewhere=UNLISTED.get(member, ""))  # fmt: skip


for _name, _rules in MEMBERS.items():
    _member(_name, _rules)


@operator("groups-of-driver", TABLES, "SPEC016 KERN132")
def _groups_of_driver(driver: Driver) -> Iterable[Change]:
    """The attributes appear on the driver instead of on its devices."""
    for pair in roles.setting(driver, "dev_groups"):
        yield pair.field("designator").replace(".groups", pair.file.path.name)


@operator("groups-overwritten", TABLES, "SPEC016 KERN132")
def _groups_overwritten(driver: Driver) -> Iterable[Change]:
    """The PCI core overwrites what stands in the inner structure."""
    for pair in roles.setting(driver, "dev_groups"):
        around = pair.up("declaration")
        if around is not None and "pci_driver" in str(around):
            yield pair.field("designator").replace(".driver.dev_groups", pair.file.path.name)


@operator("attribute-not-listed", TABLES, "SPEC016", elsewhere=GONE)
def _not_listed(driver: Driver) -> Iterable[Change]:
    """The attribute is defined, and no file appears."""
    for place in driver.nodes("field_expression"):
        if re.fullmatch(r"dev_attr_\w+\.attr", str(place)):
            yield place.drop_lines(str(place).split(".", maxsplit=1)[0])


@operator("group-not-listed", TABLES, "SPEC016 RUN303", elsewhere=GONE)
def _group(driver: Driver) -> Iterable[Change]:
    """The group is defined, and no file appears."""
    for table in roles.objects(driver, "attribute_group"):
        match = re.search(r"\n\t&\w+,", str(table))
        if match and "[]" in str(table):
            yield Change(table.file.path, table.start + match.start(), table.start + match.end(),
                         "")  # fmt: skip


@operator("drop-registration", TABLES, "KERN132 KERN112 RUN304 RUN308", elsewhere=GONE)
def _registration(driver: Driver) -> Iterable[Change]:
    """The module loads and does nothing."""
    for call in driver.calls(r"module_\w+_driver"):
        yield call.statement.drop_lines(str(call.arguments[0]))


@operator("drop-module-init", TABLES, "KERN132 KERN112 SPEC025 RUN301 RUN308", elsewhere=GONE)
def _init(driver: Driver) -> Iterable[Change]:
    """Nobody calls the function that sets up the module."""
    for call in driver.calls("module_init"):
        yield call.statement.drop_lines()


@operator("drop-module-exit", TABLES, "KERN132 KERN112 RUN304 RUN308", elsewhere=GONE)
def _exit(driver: Driver) -> Iterable[Change]:
    """The module cannot be unloaded, or leaves its notifier behind."""
    for call in driver.calls("module_exit"):
        yield call.statement.drop_lines()


@operator("not-static", TABLES, "KERN130")
def _not_static(driver: Driver) -> Iterable[Change]:
    """The name is seen by the whole kernel and may clash."""
    for table in roles.objects(driver, "|".join((*roles.TABLES, "notifier_block"))):
        around = table.up("declaration")
        if around is not None and str(around).startswith("static "):
            start = around.start
            yield Change(table.file.path, start, start + 7, "", roles.name_of(table))
