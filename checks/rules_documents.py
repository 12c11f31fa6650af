# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents beside a driver: of its sysfs attributes, and of its device tree nodes."""

from __future__ import annotations

import errno
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from checks.match import OTHER_LAYOUT
from checks.rule import Found, NotApplicable, Unknown, check
from gen.diagnostics import did_you_mean
from gen.frontend import PlatformFrontend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import AbiFact, BindingFact, Value
    from checks.rule import Context, Word
    from gen.frontend import Frontend
    from gen.model import Attribute, Device

# What every entry has to tell besides its paths. KernelVersion and Users are optional.
FIELDS = {"date": "Date", "contact": "Contact", "description": "Description"}
# A number's format with what stands right before it, such as 0x%x.
# A word is taken as a whole, so that none is looked at from each of its letters.
_FORMAT = re.compile(r"[\w#]*+(?P<number>%[-#0 +]*+\d*+(?:hh|h|ll|l|z)?[diouxXc])?")
# How a description says who may do what; "read-write" is one word with what stands between.
_ACCESS = re.compile(
    r"\b(?:(?P<ro>read[- ]only|RO)|(?P<wo>write[- ]only|WO)|(?P<rw>read[-/ ](?:and )?write|RW))\b",
    re.IGNORECASE,
)
# A mask in hexadecimal, and an error's name.
_MASK = re.compile(r"(?<![\w.])0x([0-9a-fA-F]{1,16})\b")
# A list of events: a mask, a colon, and what it means.
_LISTED = re.compile(r"^[ \t]*[-*]\s+0x([0-9a-fA-F]{1,16})\s*:", re.MULTILINE)
_BASE = re.compile(r"\b(hexadecimal|decimal|octal)\s+number\b", re.IGNORECASE)
_BASES = {16: "hexadecimal", 10: "decimal", 8: "octal"}
_ERROR = re.compile(r"\bE[A-Z0-9]{2,}\b")
_ERRORS = frozenset(errno.errorcode.values())
# What a store of a mask returns for one that it does not take, or that is no number.
STORED = frozenset({"EINVAL", "ERANGE"})
_READ, _WRITE = 0o444, 0o222
_WORDS = {"ro": "read-only", "wo": "write-only", "rw": "read-write"}
_PATTERN = re.compile(r"[*?<>{}\[\]]")
# The parts of /sys/bus/BUS/drivers/NAME/… by their index.
_BUS, _KIND, _DRIVER = 3, 4, 5


@check("SPEC024")
def check_document(context: Context) -> Iterator[Word]:
    """Each attribute has an entry with a path on each bus, its format, and what else it needs."""
    device, entries = context.device, context.facts.abi
    if not device.frontends:
        yield NotApplicable(OTHER_LAYOUT)
        return
    if not entries:
        yield NotApplicable("no ABI document given, or no entry in it")
        return
    wanted = {attribute.name: attribute for attribute in device.sysfs}
    told = {_attribute(path) for entry in entries for path in entry.paths}
    missing = [item for item in device.sysfs if item.name not in told]
    stray = [path for entry in entries for path in entry.paths if _attribute(path) not in wanted
             and not _PATTERN.search(_attribute(path))]  # fmt: skip
    for name, path in {_attribute(path): path for path in reversed(stray)}.items():
        at = missing[0].at["name"] if missing else None
        message = f"the spec has no attribute '{name}'"
        yield Found(message, path.span, at, did_you_mean(name, wanted))
    for attribute in missing if not stray else ():
        message = f"the attribute '{attribute.name}' is not told"
        yield Found(message, entries[0].file.start, attribute.at["name"])
    for attribute in wanted.values():
        mine = [entry for entry in entries if any(_attribute(p) == attribute.name
                for p in entry.paths)]  # fmt: skip
        if mine:
            yield from _paths(device, attribute, mine, stray)
            for entry in mine:
                yield from _fields(entry)
            yield from _format(attribute, mine)
            yield from _access(attribute, mine)
            yield from _values(device, attribute, mine)
            yield from _listed(device, attribute, mine)


def _attribute(path: Value) -> str:
    return PurePosixPath(path.written).name


def _paths(
    device: Device, attribute: Attribute, entries: list[AbiFact], stray: list[Value]
) -> Iterator[Word]:
    """A path for each bus, below a driver that there is; a stray one may be what was meant."""
    paths = [p for entry in entries for p in entry.paths if _attribute(p) == attribute.name]
    shown = [frontend for frontend in device.frontends if frontend.attributes]
    names = {frontend.name for frontend in device.frontends}
    wrong = set()
    for path in paths:
        bus, driver = _bus(path), _driver(path)
        if driver is not None and driver not in names and not _PATTERN.search(driver):
            wrong.add(bus)
            at = next((f.at["name"] for f in shown if str(f.bus) == bus), None)
            message = f"the spec has no driver '{driver}'"
            yield Found(message, path.span, at, did_you_mean(driver, names))
    for frontend in shown:
        if str(frontend.bus) not in wrong and not any(
            _covers(path, frontend, device) for path in (*paths, *stray)
        ):
            message = f"'{attribute.name}' has no path on the {frontend.bus} bus"
            yield Found(message, paths[0].span, frontend.at["bus"])


def _bus(path: Value) -> str | None:
    parts = PurePosixPath(path.written).parts
    return parts[_BUS] if parts[1:_BUS] == ("sys", "bus") and len(parts) > _KIND else None


def _driver(path: Value) -> str | None:
    parts = PurePosixPath(path.written).parts
    driver = _bus(path) and parts[_KIND] == "drivers" and len(parts) > _DRIVER + 1
    return parts[_DRIVER] if driver else None


def _covers(path: Value, frontend: Frontend, device: Device) -> bool:
    """Whether a device of the frontend may be below this path.

    Below /sys/devices one tells them apart by their names, which have the firmware's id.
    """
    bus, driver = _bus(path), _driver(path)
    if bus is not None:
        return bus == str(frontend.bus) and (driver in {None, frontend.name}
                                             or bool(_PATTERN.search(driver or "")))  # fmt: skip
    named = [other for other in device.frontends if _names(path, other)]
    return not named or frontend in named


def _names(path: Value, frontend: Frontend) -> bool:
    ids = frontend.acpi if isinstance(frontend, PlatformFrontend) else ()
    return any(part.startswith(ids) for part in PurePosixPath(path.written).parts) if ids else False


def _fields(entry: AbiFact) -> Iterator[Word]:
    for tag, name in FIELDS.items():
        value = entry.fields.get(tag)
        if value is None:
            yield Found(f"the entry has no {name}", entry.paths[0].span)
        elif not (value.text or "").strip():
            yield Found(f"the entry's {name} is empty", value.span)


def _format(attribute: Attribute, entries: list[AbiFact]) -> Iterator[Word]:
    """The description tells how a value looks."""
    wanted = attribute.format.strip()
    texts = [value for entry in entries if (value := entry.fields.get("description"))]
    told = [match[0] for value in texts for match in _FORMAT.finditer(value.text or "")
            if match["number"]]  # fmt: skip
    if texts and wanted not in told and any((value.text or "").strip() for value in texts):
        what = f"the format is {told[0]}" if told else "no format is told"
        message = f"{what}; the spec says {wanted}"
        yield Found(message, texts[0].span, attribute.at["format"])


def _access(attribute: Attribute, entries: list[AbiFact]) -> Iterator[Word]:
    """Who may read and write, where the description says so in one way only."""
    wanted = "rw" if attribute.mode & _READ else "wo"
    wanted = wanted if attribute.mode & _WRITE else "ro"
    texts = [value for entry in entries if (value := entry.fields.get("description"))]
    for value in texts:
        told = {match.lastgroup for match in _ACCESS.finditer(value.text or "")}
        if len(told) == 1 and wanted not in told:
            message = f"'{attribute.name}' is told as {_WORDS[told.pop() or wanted]}"
            message += f"; by its mode in the spec it is {_WORDS[wanted]}"
            yield Found(message, value.span, attribute.at["mode"])


def _values(device: Device, attribute: Attribute, entries: list[AbiFact]) -> Iterator[Word]:
    """Masks that a description spells out are events; errors are those that a store returns."""
    known, first = _known(device), device.events[0].at["bit"]
    for value in (v for entry in entries if (v := entry.fields.get("description"))):
        masks = {int(word, 16) for word in _MASK.findall(value.text or "")}
        for mask in sorted(mask for mask in masks if mask & ~known):
            yield Found(
                f"{mask:#x} is told of '{attribute.name}', and is no event", value.span, first
            )
        errors = [word for word in _ERROR.findall(value.text or "") if word in _ERRORS]
        wrong = next((word for word in errors if word not in STORED), None)
        if wrong is not None and attribute.store is not None:
            message = f"{wrong} is told of '{attribute.name}'; a mask that is refused gets EINVAL"
            yield Found(message, value.span, attribute.store.at.item)


def _listed(device: Device, attribute: Attribute, entries: list[AbiFact]) -> Iterator[Word]:
    """A list of events has all of them; a number is written in the base that the store reads."""
    for value in (v for entry in entries if (v := entry.fields.get("description"))):
        text, store = value.text or "", attribute.store
        listed = {int(word, 16) for word in _LISTED.findall(text)}
        left = next((item for item in device.events if item.value not in listed), None)
        if listed and left is not None and not any(m & ~_known(device) for m in listed):
            message = f"'{attribute.name}' lists events without {left.value:#x}"
            yield Found(message, value.span, left.at["bit"])
        base = _BASES.get(store.base) if store else None
        told = {word.lower() for word in _BASE.findall(text)}
        if store and base and len(told) == 1 and base not in told:
            message = (
                f"'{attribute.name}' is told to take a {told.pop()} number, and takes a {base} one"
            )
            yield Found(message, value.span, store.at["base"])


def _known(device: Device) -> int:
    known = 0
    for event in device.events:
        known |= event.value
    return known


@check("SPEC029")
def check_binding(context: Context) -> Iterator[Word]:
    """The binding tells the spec's compatible strings, and what every node needs."""
    frontends = [f for f in context.device.frontends if isinstance(f, PlatformFrontend) and f.of]
    bindings = context.facts.bindings
    if not frontends or not bindings:
        yield NotApplicable("no binding given" if frontends else "no device tree frontend")
        return
    wanted = {text: frontend for frontend in frontends for text in frontend.of}
    told = [value for item in bindings for value in item.compatibles or ()]
    texts = {value.text for value in told}
    missing = [text for text in wanted if text not in texts]
    stray = [value for value in told if value.text not in wanted]
    for item in bindings:
        if item.compatibles is None:
            yield Unknown("the binding's compatible strings cannot be read", item.file.start)
        yield from _required(item)
        yield from _shown(item, wanted)
        yield from _long_enough(item, wanted, context.device)
    if any(item.compatibles is None for item in bindings):
        return
    for text, value in zip(missing, [*stray, *[None] * len(missing)], strict=False):
        place = value.span if value else bindings[0].file.start
        what = f", but of '{value.written}'" if value else ""
        message = f"the binding does not tell of '{text}'{what}"
        yield Found(message, place, wanted[text].at["of"])


def _required(item: BindingFact) -> Iterator[Word]:
    """Without its registers a node says nothing, so a schema has to ask for them."""
    for name in ("compatible", "reg") if item.required is not None else ():
        if name not in (item.required or ()):
            message = f"the binding does not require '{name}'"
            yield Found(message, item.required_span or item.file.start)
    for value in item.undescribed:
        message = f"the binding requires '{value.written}', which it does not describe"
        yield Found(message, value.span)
    if item.regions is not None and item.regions.number != 1:
        message = f"a node has {item.regions.number} regions by this; a driver of the spec maps one"
        yield Found(message, item.regions.span)


def _shown(item: BindingFact, wanted: Mapping[str, Frontend]) -> Iterator[Word]:
    """An example is a node that the driver binds to."""
    told = {value.text for value in item.compatibles or ()}
    stray = [value for value in item.examples if value.text not in told | wanted.keys()]
    if stray and not any(value.text in wanted for value in item.examples):
        at = next(iter(wanted.values())).at["of"]
        message = f"the example is a node of '{stray[0].text}', for which there is no driver"
        yield Found(message, stray[0].span, at, did_you_mean(stray[0].text or "", wanted))


def _long_enough(
    item: BindingFact, wanted: Mapping[str, Frontend], device: Device
) -> Iterator[Word]:
    """An example's region holds the registers."""
    register = max(device.capability_register, device.event_register, key=lambda one: one.end)
    for value, names in item.sizes:
        short = value.number is not None and value.number < register.end
        for name in sorted(names.intersection(wanted)) if short else ():
            message = (
                f"the example's region has a length of {value.number}: the registers of "
                f"'{name}' need {register.end}"
            )
            yield Found(message, value.span, register.at["width"])
