# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about what can fail: tests of results, error numbers, what callbacks return."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants import roles
from tests.mutants.operators import Family, add, operator
from tests.mutants.text import Change, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Driver

RESOURCES = Family.RESOURCES
UNCHECKED = "KERN116 KERN117 KERN118 KERN122 RUN306 RUN307 RUN308"
MISSING = "the missing check is told where the result comes from, or is used"
# Mainline tests a mapping in each frontend and once more in the function that they share.
TWICE = {
    "mainline[-.0-9]*:.*devm_pvpanic_probe-base": "every frontend has tested the mapping before: "
    "the second test decides nothing",
    "mainline[-.0-9]*:.*_probe-return": "a resource is memory or a port: the default is never "
    "reached",
}
ONCE_MORE = TWICE | {
    "mainline[-.0-9]*:drop-check/pvpanic_(?:pci_probe-base|mmio_probe-base-2)": "the function that "
    "the frontends share tests for NULL, too: the probe fails as before, with another number",
}


def _checks(driver: Driver) -> list[tuple[Place, Place, str]]:
    """Each `if` that returns an error: the statement, its condition, the variable."""
    found = []
    for place in driver.nodes("if_statement"):
        inner = place.field("condition")
        condition = Place(inner.file, inner.node.named_children[0])
        match = re.fullmatch(r"!?(\w+)(?: < 0)?|!?IS_ERR\((\w+)\)", str(condition))
        body = str(place.field("consequence"))
        if match and (body.startswith("return") or "dev_warn" in body):
            found.append((place, condition, match[1] or match[2]))
    return found


def _label(place: Place, name: str, number: int) -> str:
    return f"{place.function}-{name}" + (f"-{number}" if number > 1 else "")


@operator("drop-check", RESOURCES, UNCHECKED, elsewhere=MISSING, equivalent=ONCE_MORE)
def _drop_check(driver: Driver) -> Iterable[Change]:
    """What failed is used."""
    for place, _, name in _checks(driver):
        alternative = place.node.child_by_field_name("alternative")
        if alternative is not None:
            kept = place.file.of(alternative).removeprefix("else").strip()
            yield place.replace(kept, f"{place.function}-{name}")
        else:
            yield place.drop_lines(f"{place.function}-{name}")


@operator(
    "invert-check",
    RESOURCES,
    f"{UNCHECKED} KERN119 RUN303",
    elsewhere="a probe that fails without a reason is told where it ends",
)
def _invert_check(driver: Driver) -> Iterable[Change]:
    """Success is taken for failure, and failure for success."""
    for place, condition, name in _checks(driver):
        text = str(condition)
        new = text[1:] if text.startswith("!") else f"!({text})" if " " in text else f"!{text}"
        yield condition.replace(new, f"{place.function}-{name}")


@operator("swap-null-test", RESOURCES, "KERN117 RUN306", equivalent=TWICE)
def _swap(driver: Driver) -> Iterable[Change]:
    """The test is of another way to fail, and never true."""
    for place, condition, name in _checks(driver):
        text = str(condition)
        if text.startswith("!"):
            yield condition.replace(f"IS_ERR({name})", f"{place.function}-{name}")
        elif text.startswith("IS_ERR"):
            yield condition.replace(f"!{name}", f"{place.function}-{name}")


@operator("pointer-below-zero", RESOURCES, "KERN117 KERN118 KERN119 RUN306 RUN307 RUN303")
def _positive(driver: Driver) -> Iterable[Change]:
    """Only a positive result counts as failure, and no such result exists."""
    for place, condition, name in _checks(driver):
        if re.fullmatch(r"\w+(?: < 0)?", str(condition)):
            yield condition.replace(f"{name} > 0", f"{place.function}-{name}")


def _errors(driver: Driver) -> list[Place]:
    """The `return`s of an error."""
    names = {name for _, _, name in _checks(driver)}
    return [
        place
        for place in driver.nodes("return_statement")
        if re.fullmatch(r"return (?:-E\w+|PTR_ERR\(\w+\));", str(place))
        or (str(place)[7:-1] in names and place.node.parent is not None
            and place.node.parent.type == "if_statement")
    ]  # fmt: skip


def _of(place: Place) -> str:
    around = place.up("if_statement", "case_statement")
    names = re.findall(r"[a-z_]\w*", str(around).split(")")[0]) if around else []
    return f"{place.function}-{names[-1]}" if names else place.function


@operator(
    "return-zero-on-error",
    RESOURCES,
    "KERN119 KERN120 SPEC020 KERN122 RUN303 RUN307",
    equivalent=TWICE,
)
def _zero(driver: Driver) -> Iterable[Change]:
    """The device counts as bound, or the write as done, though it failed."""
    for place in _errors(driver):
        yield place.replace("return 0;", _of(place))


@operator("positive-errno", RESOURCES, "KERN119 KERN120 SPEC020 RUN303 RUN307", equivalent=TWICE)
def _positive_errno(driver: Driver) -> Iterable[Change]:
    """A positive number is no error: a probe succeeds, a write counts bytes."""
    for place in _errors(driver):
        if "-E" in str(place):
            yield place.replace(str(place).replace("-E", "E"), _of(place))


@operator("error-of-null", RESOURCES, "KERN117 KERN119 RUN307", equivalent=TWICE)
def _error_of_null(driver: Driver) -> Iterable[Change]:
    """PTR_ERR of a null pointer is 0, which means success."""
    for place, condition, name in _checks(driver):
        if str(condition) == f"!{name}":
            yield place.field("consequence").replace(
                f"return PTR_ERR({name});", f"{place.function}-{name}"
            )


@operator("result-dropped", RESOURCES, "KERN118 KERN119 KERN111 RUN304 RUN306 RUN307",
          equivalent={})  # fmt: skip
def _result_dropped(driver: Driver) -> Iterable[Change]:
    """A failure is forgotten: what could not be set up counts as set up."""
    shared = {roles.attach(driver)}
    for place in driver.nodes("return_statement"):
        match = re.fullmatch(r"return ((\w+)\(.*\));", str(place), re.DOTALL)
        if match and (match[2] in shared or match[2].startswith("devm_add_action")):
            yield place.replace(f"{match[1]};\n\treturn 0;", place.function)


@operator("result-overwritten", RESOURCES, "KERN118 KERN122 RUN307 RUN303")
def _overwritten(driver: Driver) -> Iterable[Change]:
    """The result is cleared before it is tested."""
    for place, condition, name in _checks(driver):
        if re.fullmatch(r"\w+(?: < 0)?", str(condition)):
            yield place.before(f"{name} = 0;", place.function)


@operator("call-unassigned", RESOURCES, UNCHECKED + " KERN122", elsewhere=MISSING)
def _unassigned(driver: Driver) -> Iterable[Change]:
    """The result is not kept, and the test is of whatever stood in the variable."""
    names = {name for _, _, name in _checks(driver)}
    for place in driver.nodes("assignment_expression"):
        left, right = str(place.field("left")), place.field("right")
        if left in names and right.node.type == "call_expression":
            yield place.replace(str(right), f"{place.function}-{left}")


add("store-returns-zero", RESOURCES, "KERN120 RUN303",
    "User space takes 0 for nothing written, and writes again and again.",
    lambda driver: [
        place.replace(f"return {value};", note)
        for value, note in (("0", "zero"), ("1", "one"), ("-EIO", "error"))
        for place in driver.nodes("return_statement")
        if place.function == roles.store(driver) and str(place) == "return count;"
    ])  # fmt: skip
add("show-returns-zero", RESOURCES, "KERN120 RUN303", "The file reads as empty.",
    lambda driver: [
        place.replace(f"{str(place)[7:-1]};\n\treturn 0;", place.function)
        for place in driver.nodes("return_statement")
        if place.function in roles.shows(driver)
    ])  # fmt: skip


@operator(
    "store-swallows-error", RESOURCES, "KERN120 KERN122 KERN119 KERN118 SPEC020 SPEC019 RUN303"
)
def _swallow(driver: Driver) -> Iterable[Change]:
    """What cannot be parsed counts as written."""
    for place, _, name in _checks(driver):
        if place.function == roles.store(driver):
            yield place.field("consequence").replace("return count;", name)


add("sysfs-sprintf", RESOURCES, "KERN121", "Nothing keeps the text inside its page.",
    lambda driver: [
        change
        for call in driver.calls("sysfs_emit")
        for change in (
            call.field("function").replace("sprintf", f"{call.function}-sprintf"),
            Change(call.file.path, call.start, call.arguments[1].start,
                   "scnprintf(buf, PAGE_SIZE, ", f"{call.function}-scnprintf"),
        )
    ])  # fmt: skip


@operator("parse-with-sscanf", RESOURCES, "SPEC019 KERN122 RUN303")
def _sscanf(driver: Driver) -> Iterable[Change]:
    """Text behind the number, and numbers that do not fit, are accepted."""
    for call in driver.calls("kstrtou?int"):
        name = str(call.arguments[2])
        yield call.replace(f'sscanf(buf, "%x", {name}) == 1 ? 0 : -EINVAL')
