# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about the register, the events and when each is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.tree import Role
from tests.mutants import roles
from tests.mutants.operators import Family, add, argument, both, callee, operator, replaced
from tests.mutants.text import Change, Place, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Driver

FACTS = Family.FACTS
_BIT = re.compile(r"(_?BIT(?:ULL?)?\(|\(1 << )(\d+)\)")

add("wrong-offset", FACTS, "SPEC001 SPEC004 RUN302",
    "The register beside the right one: reads give noise, events get lost.",
    both(argument(roles.READ, 0, "{} + 1"), argument(roles.WRITE, 1, "{} + 1")))  # fmt: skip
add("outside-region", FACTS, "SPEC004 SPEC001 RUN302",
    "An access behind the end of the mapping faults.",
    both(argument(roles.READ, 0, "{} + 0x1000"), argument(roles.WRITE, 1, "{} + 0x1000"))
    )  # fmt: skip
add("wide-read", FACTS, "SPEC002", "A wider read gives the mask several times in one number.",
    both(callee(r"(ioread|iowrite)8(?<=read8)", r"\g<1>16", "16"),
         callee(r"(ioread|iowrite)8(?<=read8)", r"\g<1>32", "32")))  # fmt: skip
add("wide-write", FACTS, "SPEC002", "A wider write is split by the host and tells events twice.",
    both(callee(r"iowrite8", "iowrite16", "16"), callee(r"iowrite8", "iowrite32", "32"))
    )  # fmt: skip


def _macros(driver: Driver) -> list[tuple[Place, re.Match[str]]]:
    """The events' macros, with the number in each."""
    found = []
    for file in driver.of(Role.UAPI):
        for node in walk(file.root):
            match = _BIT.fullmatch(file.of(node).strip())
            if node.type == "preproc_arg" and match:
                found.append((Place(file, node), match))
    return found


def _macro_name(place: Place) -> str:
    node = place.node.parent
    name = node.child_by_field_name("name") if node else None
    return place.file.of(name) if name else ""


def _bits(driver: Driver) -> list[int]:
    return [int(match[2]) for _, match in _macros(driver)]


@operator("wrong-bit", FACTS, "SPEC005")
def _wrong_bit(driver: Driver) -> Iterable[Change]:
    """The host takes the event for another one, or for none."""
    for place, match in _macros(driver):
        for bit in (int(match[2]) + 1, max(_bits(driver)) + 5):
            yield place.replace(f"{match[1]}{bit})", f"{_macro_name(place)}={bit}")


@operator("bit-for-mask", FACTS, "SPEC005")
def _bit_for_mask(driver: Driver) -> Iterable[Change]:
    """The number of the bit instead of its mask."""
    for place, match in _macros(driver):
        yield place.replace(match[2], _macro_name(place))


def _events(driver: Driver) -> list[str]:
    return [_macro_name(place) for place, _ in _macros(driver)]


def _known_masks(driver: Driver) -> Iterable[tuple[Place, str]]:
    """The text of each place that lists all events, `A | B`."""
    names = _events(driver)
    for file in driver.units:
        for match in re.finditer(r"\w+(?:\s*\|\s*\w+)+", file.text):
            if re.findall(r"\w+", match[0]) == names:
                node = file.root.descendant_for_byte_range(match.start(), match.end())
                if node is not None:
                    yield Place(file, node), match[0]


@operator("known-mask-lacks-event", FACTS, "SPEC007 RUN301 RUN303")
def _known_mask_lacks(driver: Driver) -> Iterable[Change]:
    """The driver no longer knows an event, so it never sends it."""
    for place, text in _known_masks(driver):
        start = place.file.text.index(text)
        for name in _events(driver):
            rest = " | ".join(other for other in _events(driver) if other != name)
            yield Change(place.file.path, start, start + len(text), rest, name)


@operator("known-mask-is-everything", FACTS, "SPEC007 SPEC008 SPEC010 RUN301 RUN303")
def _known_mask_everything(driver: Driver) -> Iterable[Change]:
    """Bits that this driver does not know become events of an absent port's 0xff."""
    for place, text in _known_masks(driver):
        start = place.file.text.index(text)
        yield Change(place.file.path, start, start + len(text), "0xff")


def _masking(driver: Driver) -> list[Place]:
    """The expression that joins what is read with what is known."""
    call = driver.calls(roles.READ)[0]
    around = call.up("binary_expression") or call.up("assignment_expression")
    return [around] if around else []


@operator("mask-with-or", FACTS, "SPEC007 SPEC008 SPEC010 RUN301 RUN303")
def _mask_with_or(driver: Driver) -> Iterable[Change]:
    """With `|`, the capability has what only one side knows."""
    for place in _masking(driver):
        sign = place.field("operator")
        yield sign.replace(str(sign).replace("&", "|"))


@operator("device-mask-ignored", FACTS, "SPEC008 SPEC010 RUN301 RUN303")
def _device_mask_ignored(driver: Driver) -> Iterable[Change]:
    """Events are sent that the host did not ask for."""
    for place in _masking(driver):
        if place.node.type == "assignment_expression":
            yield place.statement.drop()
        else:
            yield place.replace(str(place.field("right")))


@operator("known-mask-ignored", FACTS, "SPEC007 SPEC008 SPEC010 RUN301 RUN303")
def _known_mask_ignored(driver: Driver) -> Iterable[Change]:
    """Bits of newer hosts become events that nothing in this driver sends or shows rightly."""
    for place in _masking(driver):
        if place.node.type == "assignment_expression":
            sign = place.field("operator")
            yield sign.replace("=")
        else:
            yield place.replace(str(place.field("left")))


@operator("crash-test-negated", FACTS, "SPEC006 RUN301")
def _crash_test_negated(driver: Driver) -> Iterable[Change]:
    """A plain panic is told as one that a crash kernel handles, and the other way round."""
    for call in driver.calls("kexec_crash_loaded"):
        yield call.replace(f"!{call}")


add("crash-kernel-ignored", FACTS, "SPEC006 RUN301",
    "The host resets the guest while its crash kernel writes the dump.",
    replaced(lambda driver: driver.calls("kexec_crash_loaded"), "0"))  # fmt: skip
add("crash-kernel-presumed", FACTS, "SPEC006 RUN301",
    "The host waits for a crash kernel that does not exist.",
    replaced(lambda driver: driver.calls("kexec_crash_loaded"), "1"))  # fmt: skip


def _sent(driver: Driver) -> list[Place]:
    """The event macros in the callbacks."""
    callbacks = {roles.panic_callback(driver), roles.power_off_callback(driver)}
    return [
        place
        for place in driver.nodes("identifier")
        if str(place) in _events(driver) and place.function in callbacks
    ]


@operator("wrong-event", FACTS, "SPEC006 RUN301")
def _wrong_event(driver: Driver) -> Iterable[Change]:
    """The callback tells the host of something else."""
    names = _events(driver)
    for place in _sent(driver):
        for other in names:
            if other != str(place):
                yield place.replace(other, f"{place}-as-{other}")


@operator("two-events-at-once", FACTS, "SPEC006 SPEC010 RUN301")
def _two_events(driver: Driver) -> Iterable[Change]:
    """Of several bits only the highest counts for the host, and other hosts refuse them."""
    names = _events(driver)
    for place in _sent(driver):
        other = next(name for name in names if name != str(place))
        yield place.replace(f"{place} | {other}", str(place))


def _callbacks(driver: Driver) -> list[str]:
    names = (roles.panic_callback(driver), roles.power_off_callback(driver))
    return [name for name in names if name]


@operator("callback-sends-nothing", FACTS, "SPEC006 RUN301")
def _callback_sends_nothing(driver: Driver) -> Iterable[Change]:
    """The callback runs and the host hears nothing."""
    for name in _callbacks(driver):
        for call in driver.calls(roles.sender(driver), name):
            yield call.statement.drop(name)


@operator("callback-sends-twice", FACTS, "SPEC006 RUN301",
          elsewhere="what is written twice is told at the write")  # fmt: skip
def _callback_sends_twice(driver: Driver) -> Iterable[Change]:
    """The host hears of the event twice."""
    for name in _callbacks(driver):
        for call in driver.calls(roles.sender(driver), name):
            yield call.statement.after(str(call.statement), name)


@operator("chain-stopped", FACTS, "KERN141 RUN308")
def _chain_stopped(driver: Driver) -> Iterable[Change]:
    """Handlers behind this one, such as kdump's or the firmware's, never run."""
    for name in _callbacks(driver):
        for word in ("NOTIFY_STOP", "NOTIFY_BAD"):
            for place in driver.nodes("return_statement"):
                if place.function == name:
                    yield place.replace(f"return {word};", f"{name}-{word}")
