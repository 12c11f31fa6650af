# SPDX-License-Identifier: GPL-2.0-or-later
"""Register accesses and events against the spec."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.match import anchor, core, expects_all
from checks.rule import Found, NotApplicable, Unknown, check
from checks.tree import Role
from gen.diagnostics import did_you_mean
from gen.frontend import PciFrontend, PlatformFrontend
from gen.names import event_macro, macro_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import Call, RegisterAccess
    from checks.rule import Context, Word
    from checks.tree import TreeFile
    from gen.model import Device, Register

# How the kernel calls its accessors of registers and of I/O memory.
_ACCESSOR = re.compile(
    r"(?:__)?(?:raw_)?(?:ioread|iowrite|read|write)(?:\d+|s?[bwlq])\w*"
    r"|(?:in|out)s?[bwl](?:_p)?|_*mem\w*io|\w*regmap_\w+"
)


def _accesses(context: Context) -> list[RegisterAccess]:
    found = [access for unit in context.facts.units for access in unit.accesses]
    return list({(item.call.span.source, item.call.span): item for item in found}.values())


def _repeated(context: Context) -> bool:
    """Whether a register is written out of memory, which another rule judges."""
    apis = (context.facts.kernel.table.get(call.name) for call in context.facts.calls())
    return any(api and api.repeats and api.repeats.direction == "write" for api in apis)


def _order(context: Context, access: RegisterAccess) -> str:
    api = context.facts.kernel.table.get(access.call.name)
    return api.access.order if api and api.access else "little"


def strange_accessor(context: Context) -> Call | None:
    """A call of what looks like an accessor of registers, and is none of the known interfaces."""
    own = {name for unit in context.facts.units for name in unit.functions}
    known = context.facts.kernel.table.keys() | own
    calls = (one for one in context.facts.calls() if one.name and one.name not in known)
    return next((one for one in calls if _ACCESSOR.fullmatch(one.name)), None)


def _region(device: Device) -> int:
    """The longest region, in bytes: beyond it no device has anything."""
    lengths = [register.end for register in device.registers]
    for frontend in device.frontends:
        if isinstance(frontend, PciFrontend):
            lengths.append(frontend.length)
        elif isinstance(frontend, PlatformFrontend):
            lengths += [resource.length for resource in frontend.resources]
    return max(lengths)


def _register(device: Device, offset: int) -> Register | None:
    return next((item for item in device.registers if item.offset == offset), None)


@check("SPEC001")
def check_offset(context: Context) -> Iterator[Word]:
    """An access inside the region hits a register of the spec."""
    accesses = _accesses(context)
    if not accesses and not (expects_all(context) or core(context)):
        yield NotApplicable("no register access in the given files")
        return
    event = context.device.event_register
    written = any(access.direction == "write" for access in accesses) or _repeated(context)
    if not written and (unknown := strange_accessor(context)) is not None:
        yield Unknown(f"whether {unknown.name}() writes a register is not known", unknown.callee)
    elif not written and core(context):
        yield Found(
            f"nothing writes the register '{event.name}'",
            anchor(context),
            event.at.item,
            absent=True,
        )
    region = _region(context.device)
    known = ", ".join(f"{item.name} at {item.offset:#x}" for item in context.device.registers)
    for access in accesses:
        value = access.address.value
        if access.address.offsets is None:
            yield Unknown(f"where '{value.written}' points is not known", value.span)
            continue
        expected = event if access.direction == "write" else context.device.capability_register
        for offset, span in access.address.offsets.items():
            if _register(context.device, offset) is None and 0 <= offset < region:
                message = f"no register at offset {offset:#x}; the spec has {known}"
                yield Found(message, span, expected.at["offset"])


@check("SPEC002")
def check_width(context: Context) -> Iterator[Word]:
    """An access has the width of the register that it hits."""
    for access, register in _hits(context):
        if access.width != register.width:
            message = (
                f"{access.call.name} accesses {access.width} bits of the register "
                f"'{register.name}', which has {register.width}"
            )
            yield Found(message, access.call.callee, register.at["width"])
        elif (order := _order(context, access)) != "little":
            message = (
                f"{access.call.name} takes the bytes of the register '{register.name}' in the "
                f"{order}-endian order; a device has the little-endian one"
            )
            yield Found(message, access.call.callee, register.at["width"])
    if not _accesses(context):
        yield NotApplicable("no register access in the given files")


@check("SPEC003")
def check_direction(context: Context) -> Iterator[Word]:
    """An access goes the way that the register allows."""
    for access, register in _hits(context):
        if not register.access.startswith("read-write") and not register.access.startswith(
            access.direction
        ):
            message = f"this {access.direction}s the register '{register.name}', {register.access}"
            yield Found(message, access.call.callee, register.at["access"])
    if not _accesses(context):
        yield NotApplicable("no register access in the given files")


@check("SPEC004")
def check_region(context: Context) -> Iterator[Word]:
    """An access stays inside the device's region."""
    region = _region(context.device)
    for access in _accesses(context):
        for offset, span in (access.address.offsets or {}).items():
            if not 0 <= offset < region:
                message = f"offset {offset:#x} lies outside the device's region of {region} bytes"
                yield Found(message, span, context.device.event_register.at["offset"])
    if not _accesses(context):
        yield NotApplicable("no register access in the given files")


def _hits(context: Context) -> Iterator[tuple[RegisterAccess, Register]]:
    for access in _accesses(context):
        registers = [_register(context.device, item) for item in access.address.offsets or {}]
        hit = next((register for register in registers if register is not None), None)
        if hit is not None:
            yield access, hit


@check("SPEC005")
def check_event_macros(context: Context) -> Iterator[Word]:
    """Each event's macro has the event's bit, and no other macro claims to be one."""
    device, facts = context.device, context.facts
    uapi = facts.tree.of(Role.UAPI)
    known = {event_macro(device, event): event for event in device.macros}
    defined = [name for name in known if name in facts.macros]
    if not uapi and not defined:
        yield from _no_header(context)
        return
    for name, event in known.items():
        value = facts.macros.get(name)
        if value is None:
            close = did_you_mean(name, [key for key in facts.macros if key not in known])
            span = uapi[0].start if uapi else anchor(context)
            yield Found(
                f"no macro {name} for the event '{event.name}'",
                span,
                event.at.item,
                close,
                absent=True,
            )
        elif value.number is None:
            yield Unknown(f"what {name} is worth is not known", value.span)
        elif value.number != event.value:
            message = f"{name} is {value.number:#x}; the event '{event.name}' is {event.value:#x}"
            yield Found(message, value.span, event.at["bit"])
        elif uapi and not _defines(context, uapi, name):
            message = f"{name} is defined here, where user space does not see it"
            add = f"define it in {device.uapi.path}"
            yield Found(message, value.span, device.uapi.at["path"], add, absent=True)
    prefix = f"{macro_prefix(device)}_"
    for name, value in facts.macros.items():
        inside = any(value.span.source is file.source for file in uapi)
        if inside and name.startswith(prefix) and name not in known:
            yield Found(f"{name} is no event of the spec", value.span, None)


def _defines(context: Context, files: tuple[TreeFile, ...], name: str) -> bool:
    sources = [file.source for file in files]
    return any(
        item.name == name and item.span.source in sources
        for unit in context.facts.units
        for item in unit.defines
    )


def _no_header(context: Context) -> Iterator[Word]:
    path = context.device.uapi.path
    includes = [item for unit in context.facts.units for item in unit.includes]
    missing = next((item for item in includes if item.header.endswith(path)), None)
    if missing is not None and not (missing.quoted and expects_all(context)):
        yield Unknown(f"the header {path} is not among the given files", missing.span)
    elif expects_all(context):
        yield Found(
            f"no header {path}", anchor(context), context.device.uapi.at["path"], absent=True
        )
    else:
        yield NotApplicable("no header with events among the given files")
