# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about the attributes: names, modes, formats, and what a store accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants import roles
from tests.mutants.operators import Family, add, argument, dropped, operator
from tests.mutants.text import Change, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Driver

FACTS = Family.FACTS
OLD = "a mask that was not stored is told where it is shown"
CHECKED = "SPEC020 KERN122 RUN303"


def _attributes(driver: Driver) -> Iterable[tuple[Place, str, str]]:
    """Each attribute's definition as the offset of its macro, the macro's suffix and its name."""
    for place in driver.nodes("identifier", "type_identifier"):
        match = re.fullmatch(r"DEVICE_ATTR_(\w+)", str(place))
        name = re.match(r"\((\w+)\)", place.file.text[place.end :])
        if match and name:
            yield place, match[1], name[1]


def _written_out(name: str, mode: str, kind: str) -> str:
    store = f"{name}_store" if kind == "RW" else "NULL"
    return f"DEVICE_ATTR({name}, {mode}, {name}_show, {store})"


@operator("attribute-mode", FACTS, "SPEC017")
def _mode(driver: Driver) -> Iterable[Change]:
    """Users who could read cannot any more, or everybody can write."""
    for place, kind, name in _attributes(driver):
        for mode in ("0400", "0600") if kind == "RO" else ("0664", "0600", "0444"):
            text = _written_out(name, mode, kind)
            end = place.end + len(name) + 2
            yield Change(place.file.path, place.start, end, text, f"{name}-{mode}")


@operator("attribute-name", FACTS, "SPEC016")
def _name(driver: Driver) -> Iterable[Change]:
    """User space opens a file that is not there."""
    for place, kind, name in _attributes(driver):
        mode, store = ("0644", f"{name}_store") if kind == "RW" else ("0444", "NULL")
        text = (f"struct device_attribute dev_attr_{name} =\n"
                f"\t__ATTR({name}_mask, {mode}, {name}_show, {store})")  # fmt: skip
        yield Change(place.file.path, place.start, place.end + len(name) + 2, text, name)


@operator("attribute-read-only", FACTS, "SPEC017")
def _read_only(driver: Driver) -> Iterable[Change]:
    """The attribute cannot be written."""
    for place, kind, name in _attributes(driver):
        if kind == "RW":
            yield place.replace("DEVICE_ATTR_RO", name)


def _formats(driver: Driver) -> list[Place]:
    return [call.arguments[1] for call in driver.calls("sysfs_emit")]


@operator("no-newline", FACTS, "SPEC018 KERN121")
def _no_newline(driver: Driver) -> Iterable[Change]:
    """A shell prints its prompt behind the value, and some programs wait for the end of a line."""
    for place in _formats(driver):
        yield place.replace(str(place).replace("\\n", ""), place.function)


@operator("other-format", FACTS, "SPEC018")
def _format(driver: Driver) -> Iterable[Change]:
    """User space parses another number."""
    for place in _formats(driver):
        for new, note in (("%u", "decimal"), ("0x%x", "prefix"), ("%X", "upper-case"),
                          ("%02x", "padded")):  # fmt: skip
            yield place.replace(str(place).replace("%x", new), f"{place.function}-{note}")


@operator("shows-other-mask", FACTS, "RUN303 SPEC034")
def _other_mask(driver: Driver) -> Iterable[Change]:
    """The attribute has the value of another one."""
    for call in driver.calls("sysfs_emit"):
        text = str(call.arguments[2])
        other = re.sub(
            r"->(\w+)", lambda m: "->events" if m[1] == "capability" else "->capability", text
        )
        yield call.arguments[2].replace(other, call.function)


add("shows-constant", FACTS, "RUN303 SPEC034", "The attribute has nothing to do with the device.",
    argument("sysfs_emit", 2, "0"))  # fmt: skip


@operator("parse-base", FACTS, "SPEC019")
def _base(driver: Driver) -> Iterable[Change]:
    """The same text is another mask, or an error."""
    for base in ("10", "0", "8"):
        yield from argument("kstrtou?int|kstrtou\\d+", 1, base, base)(driver)


def _check(driver: Driver) -> Place:
    """The store's test against the capability."""
    function = roles.store(driver)
    return next(
        place
        for place in driver.nodes("if_statement")
        if place.function == function and "capability" in str(place.field("condition"))
    )


def _inner(driver: Driver) -> Place:
    place = _check(driver).field("condition")
    return Place(place.file, place.node.named_children[0])


@operator("store-unchecked", FACTS, CHECKED)
def _unchecked(driver: Driver) -> Iterable[Change]:
    """Any bits can be enabled, those that the device does not know, too."""
    yield _check(driver).drop_lines()


@operator("store-check-inverted", FACTS, CHECKED)
def _inverted(driver: Driver) -> Iterable[Change]:
    """Exactly the wrong masks are accepted."""
    place = _inner(driver)
    yield place.replace(f"!({place})")


@operator("store-check-wrong", FACTS, CHECKED)
def _wrong_check(driver: Driver) -> Iterable[Change]:
    """The test looks like one and lets wrong masks through, or refuses right ones."""
    place = _inner(driver)
    text = str(place)
    name = re.findall(r"\w+", text)[0]
    pointer = re.findall(r"\w+->", text)[0]
    yield place.replace(f"{name} & {pointer}capability", "not-complemented")
    yield place.replace(f"{name} > {pointer}capability", "greater")
    yield place.replace(f"{name} != {pointer}capability", "unequal")
    yield place.replace(f"!({name} & {pointer}capability)", "any-common-bit")
    yield place.replace(f"{name} & ~{pointer}events", "current-mask")


@operator("store-clamps", FACTS, CHECKED)
def _clamps(driver: Driver) -> Iterable[Change]:
    """A wrong mask is cut instead of refused; the writer does not learn of it."""
    name = re.findall(r"\w+", str(_inner(driver)))[0]
    yield _check(driver).replace(f"{name} &= pi->capability;")


@operator("store-errno", FACTS, f"{CHECKED} KERN119")
def _errno(driver: Driver) -> Iterable[Change]:
    """User space tests for another error."""
    place = _check(driver).field("consequence")
    for error in ("EPERM", "ERANGE"):
        yield place.replace(f"return -{error};", error)


@operator("store-check-late", FACTS, CHECKED)
def _late(driver: Driver) -> Iterable[Change]:
    """The wrong mask is refused after it was stored."""
    check = _check(driver)
    assignment = _assignment(driver)
    start, _ = check.file.line_range(check.start, check.end)
    _, end = check.file.line_range(assignment.start, assignment.end)
    line = "\tWRITE_ONCE(pi->events, events);\n"
    if "WRITE_ONCE" not in str(assignment):
        line = f"\t{assignment}\n"
    between = check.file.text[start:end]
    moved = between.replace(line, "")
    yield Change(check.file.path, start, end, line + moved)


def _assignment(driver: Driver) -> Place:
    """Where the store changes the mask."""
    function = roles.store(driver)
    return next(
        place
        for place in driver.nodes("expression_statement")
        if place.function == function
        and re.match(r"WRITE_ONCE\(\w+->events,|\w+->events =", str(place))
    )


@operator("store-forgets", FACTS, "SPEC020 KERN122 RUN303", elsewhere=OLD)
def _forgets(driver: Driver) -> Iterable[Change]:
    """The write succeeds and changes nothing."""
    yield _assignment(driver).drop_lines()


@operator("store-adds", FACTS, "SPEC020 KERN122 RUN303", elsewhere=OLD)
def _adds(driver: Driver) -> Iterable[Change]:
    """Events can be enabled, but never disabled."""
    place = _assignment(driver)
    value = re.findall(r"\w+", str(place))[-1]
    yield place.replace(f"pi->events |= {value};")


@operator("store-writes-capability", FACTS, "SPEC020 KERN122 RUN303")
def _writes_capability(driver: Driver) -> Iterable[Change]:
    """The capability is the device's and does not change."""
    place = _assignment(driver)
    yield place.replace(str(place).replace("->events", "->capability"))


add("parse-ignored", FACTS, "KERN118 KERN122 SPEC020 SPEC019 RUN306",
    "What is no number is stored as whatever stood in the variable.",
    dropped("kstrtou?int|kstrtou\\d+"))  # fmt: skip
