# SPDX-License-Identifier: GPL-2.0-or-later
"""Register accesses, events and hooks against the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.match import anchor, core, expects_all, older
from checks.rule import Found, NotApplicable, Unknown, check
from checks.tree import Role
from gen.diagnostics import did_you_mean
from gen.frontend import PciFrontend, PlatformFrontend
from gen.model import Trigger
from gen.names import event_macro, macro_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import Call, RegisterAccess, Value
    from checks.rule import Context, Word
    from checks.tree import TreeFile
    from gen.model import Device, Register
    from gen.source import Span

MODES = {Trigger.POWER_OFF: "SYS_OFF_MODE_POWER_OFF", Trigger.RESTART: "SYS_OFF_MODE_RESTART"}
PANIC_CHAIN = "panic_notifier_list"


def _accesses(context: Context) -> list[RegisterAccess]:
    found = [access for unit in context.facts.units for access in unit.accesses]
    return list({(item.call.span.source, item.call.span): item for item in found}.values())


def _repeated(context: Context) -> bool:
    """Whether a register is written out of memory, which another rule judges."""
    apis = (context.facts.kernel.table.get(call.name) for call in context.facts.calls())
    return any(api and api.repeats and api.repeats.direction == "write" for api in apis)


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
    if not written and core(context):
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


@check("SPEC025")
def check_notifier(context: Context) -> Iterator[Word]:
    """The panic notifier is registered, with the spec's priority."""
    device = context.device
    event = device.event_for(Trigger.PANIC) or device.event_for(Trigger.CRASH_KERNEL)
    if event is None or core(context) is None:
        yield NotApplicable("no event is sent on a panic, or the core file is not given")
        return
    calls = [
        call
        for call in context.facts.calls()
        if {"nb", "nh"} <= set(call.named) and call.named["nh"].name == PANIC_CHAIN
        and _acquires(context, call.name) == "notifier"
    ]  # fmt: skip
    if not calls:
        message, span = "no notifier is registered for panics", anchor(context)
        other = next((call for call in context.facts.calls() if "nb" in call.named
                      and "notifier" in str(_acquires(context, call.name))), None)  # fmt: skip
        if other is not None:
            message, span = f"{message}: this one goes to another chain", other.span
        yield Found(message, span, event.at["trigger"], absent=True)
    tree, hook = older(context), device.hooks.panic_notifier
    if not device.frontends and (tree is None or tree.priority is None):
        # Which priority a release of another layout had, nothing says.
        return
    wanted = tree.priority if tree else hook.priority if hook else None
    for call in calls:
        block = context.facts.object(call.named["nb"].name, call.file)
        if block is None:
            yield Unknown("the notifier block is not among the given files", call.span)
        else:
            priority = block.fields.get("priority")
            yield from _priority(context, priority, wanted, block.span, "panic_notifier")


def _acquires(context: Context, name: str) -> str | None:
    api = context.facts.kernel.table.get(name)
    return api.acquires if api else None


def _priority(
    context: Context, given: Value | None, wanted: int | str | None, at: Span, key: str
) -> Iterator[Word]:
    """Compare a priority with the spec's; one that is not given counts as 0."""
    worth = _number(context, wanted)
    number = given.number if given else 0
    span = given.span if given else at
    if worth is None or number is None:
        yield Unknown("what the priority is worth is not known", span)
    elif number != worth:
        written = given.written if given else "0, as none is given"
        source = "in this release it was" if older(context) else "the spec says"
        message = f"the priority is {written}; {source} {wanted if wanted is not None else 0}"
        if older(context):
            yield Found(message, span)
            return
        places = context.device.hooks.at
        spec = places[key] if key in places.keys else places[key.replace("_", "-")]
        yield Found(message, span, spec)


def _number(context: Context, wanted: int | str | None) -> int | None:
    if isinstance(wanted, str):
        api = context.facts.kernel.table.get(wanted)
        return api.value if api else None
    return wanted or 0


@check("SPEC027")
def check_sys_off(context: Context) -> Iterator[Word]:
    """A handler is registered for the spec's modes only, with the spec's priority."""
    wanted = {MODES[t]: context.device.event_for(t) for t in MODES}
    wanted = {mode: event for mode, event in wanted.items() if event is not None}
    calls = [c for c in context.facts.calls() if _acquires(context, c.name) == "sys-off"]
    if (not wanted and not calls) or core(context) is None:
        yield NotApplicable("no event is sent on power-off or restart")
        return
    seen = set()
    for call in calls:
        mode = _implied(context, call, "mode")
        seen.add(mode[0])
        if mode[0] not in wanted:
            if mode[2] is None:
                yield Unknown("the mode of this handler is not known", mode[1])
            else:
                yield from _wrong_mode(context, mode[1], wanted)
        elif "priority" in call.named:
            priority = call.named["priority"]
            yield from _priority(
                context, priority, _sys_off_priority(context), call.span, "sys_off"
            )
        else:
            implied = _implied(context, call, "priority")
            if implied[2] != _number(context, _sys_off_priority(context)):
                message = f"{call.name} registers with {implied[0]}"
                yield Found(message, call.callee, context.device.hooks.at["sys-off"])
    if not calls:
        for mode_name, event in wanted.items():
            message = f"no handler is registered for {mode_name}"
            yield Found(
                message, anchor(context), event.at["trigger"] if event else None, absent=True
            )


def _wrong_mode(context: Context, span: Span, wanted: Mapping[str, object]) -> Iterator[Word]:
    names = ", ".join(wanted) or "none"
    triggers = [event for event in context.device.events if event.trigger in MODES]
    spec = triggers[0].at["trigger"] if triggers else None
    yield Found(f"the spec has no event for this mode; its modes are: {names}", span, spec)


def _implied(context: Context, call: Call, key: str) -> tuple[str, Span, int | None]:
    """An argument's constant name, its place and its number, given or passed on by the callee."""
    api = context.facts.kernel.table.get(call.name)
    if key in call.named:
        value = call.named[key]
        return value.name or value.written, value.span, value.number
    name = api.implies.get(key, "") if api else ""
    known = context.facts.kernel.table.get(name)
    return name, call.callee, known.value if known else None


def _sys_off_priority(context: Context) -> int | str | None:
    """The priority that the spec gives to the sys-off handlers."""
    hook = context.device.hooks.sys_off
    return hook.priority if hook else None
