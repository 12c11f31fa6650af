# SPDX-License-Identifier: GPL-2.0-or-later
"""Decisions about the core module: instances, sending, hooks, attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen import names
from gen.model import Attribute, Mask, Trigger
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.kernel import Kernel
    from gen.model import Device, Event, Hook, Register

# The helper macros of <linux/sysfs.h>, by the mode they stand for.
_ATTRIBUTE_MACROS = {
    0o444: "DEVICE_ATTR_RO",
    0o644: "DEVICE_ATTR_RW",
    0o200: "DEVICE_ATTR_WO",
    0o400: "DEVICE_ATTR_ADMIN_RO",
    0o600: "DEVICE_ATTR_ADMIN_RW",
}
_MODES = {
    Trigger.POWER_OFF: "SYS_OFF_MODE_POWER_OFF",
    Trigger.RESTART: "SYS_OFF_MODE_RESTART",
}
_WHY_UPDATE = {
    Trigger.POWER_OFF: (
        "The kernel takes any registered handler to mean that it can power the machine off, and "
        "would not fall back to halting it: register one only while an instance wants {event}."
    ),
    Trigger.RESTART: "Register a handler only while an instance wants {event}.",
}
_LINE = 80
_TAB = 8


@dataclass(frozen=True)
class RegisterMacro:
    """The offset of a register that does not start the region."""

    macro: str
    offset: str
    tabs: str


@dataclass(frozen=True)
class PanicPlan:
    """The panic notifier; `crash_event` is sent instead of `event` with a crash kernel loaded."""

    priority: str
    why: tuple[str, ...]
    event: str | None
    crash_event: str | None
    indent: str


@dataclass(frozen=True)
class SysOffPlan:
    """A handler of the power-off or restart chain."""

    stem: str
    label: str
    mode: str
    priority: str
    why: tuple[str, ...]
    event: str
    comment: tuple[str, ...]


@dataclass(frozen=True)
class AttributePlan:
    """A sysfs attribute; `shown` is the C expression that is printed, if it can be read."""

    name: str
    declaration: str
    format: str
    shown: str | None
    store_base: int | None
    show_indent: str
    store_indent: str


@dataclass(frozen=True)
class CorePlan:
    """The core module and its header."""

    name: str
    description: str
    author: str
    module_license: str
    header: str
    header_guard: str
    header_includes: tuple[str, ...]
    includes: tuple[str, ...]
    local_includes: tuple[tuple[str, ...], ...]
    registers: tuple[RegisterMacro, ...]
    lock_comment: tuple[str, ...]
    known_events: str
    known_events_value: str
    read: str
    write: str
    capability_offset: str
    event_offset: str
    panic: PanicPlan | None
    sys_off: tuple[SysOffPlan, ...]
    attributes: tuple[AttributePlan, ...]
    writable: bool
    enabled: str
    groups: str
    register: str


def plan_core(device: Device, kernel: Kernel, *, in_tree: bool = False) -> CorePlan:
    """Decide on the core module; `in_tree` says that it is to stand in the kernel's own tree.

    Raises:
        KernelFactsError: the kernel lacks an interface that every driver needs.
    """
    read, write = device.capability_register, device.event_register
    panic = _plan_panic(device)
    sys_off = tuple(_plan_sys_off(device))
    # What nobody can change needs no mask beside the capability.
    writable = any(attribute.store for attribute in device.sysfs)
    enabled = "READ_ONCE(pi->events)" if writable else "pi->capability"
    attributes = tuple(_plan_attribute(attribute, enabled) for attribute in device.sysfs)
    accessors = (f"ioread{read.width}", f"iowrite{write.width}")
    known = names.known_events_macro(device)
    return CorePlan(
        name=device.name,
        description=device.description,
        author=device.author,
        module_license=device.module_license,
        header=f"{device.name}.h",
        header_guard=names.header_guard(device),
        header_includes=headers(kernel, ["__iomem"]),
        includes=headers(kernel, _used(accessors, panic, sys_off, attributes)),
        local_includes=_local_includes(device, in_tree=in_tree),
        registers=tuple(_register_macros(device, (read, write), known)),
        lock_comment=_lock_comment(device, sys_off, writable),
        known_events=known,
        known_events_value=_mask(known, device, (read, write)),
        read=accessors[0],
        write=accessors[1],
        capability_offset=_offset(device, read),
        event_offset=_offset(device, write),
        panic=panic,
        sys_off=sys_off,
        attributes=attributes,
        writable=writable,
        enabled=enabled,
        groups=f"{device.name}_groups",
        register=f"devm_{device.name}_register",
    )


def _local_includes(device: Device, *, in_tree: bool) -> tuple[tuple[str, ...], ...]:
    """The driver's own headers, in blocks.

    Out of tree, one that is only named <uapi/…> would be the target kernel's copy.
    """
    own, public = f'"{device.name}.h"', f"uapi/{device.uapi.path}"
    return ((f"<{public}>",), (own,)) if in_tree else ((own, f'"{public}"'),)


def _lock_comment(
    device: Device, sys_off: tuple[SysOffPlan, ...], writable: bool
) -> tuple[str, ...]:
    """What the lock protects, and why those who send do without it."""
    protected = ["the list", *(["the event masks"] if writable else [])]
    protected += [f"{hook.stem}_handler" for hook in sys_off]
    things = " and ".join(filter(None, [", ".join(protected[:-1]), protected[-1]]))
    return comment(
        f"{device.name}_lock protects changes to {things}. Sending takes RCU only, because a panic "
        "may have interrupted the holder of the lock."
    )


def headers(kernel: Kernel, used: Iterable[str]) -> tuple[str, ...]:
    """The headers that declare the interfaces `used` on `kernel`, sorted."""
    return tuple(sorted({kernel.header(name) for name in used}))


def _used(
    accessors: tuple[str, str],
    panic: PanicPlan | None,
    sys_off: tuple[SysOffPlan, ...],
    attributes: tuple[AttributePlan, ...],
) -> list[str]:
    """The kernel interfaces that the core's C names, one for each header it depends on."""
    used = [
        *accessors, "devm_kzalloc", "GFP_KERNEL", "devm_add_action_or_reset",
        "DEFINE_MUTEX", "struct list_head", "list_add_rcu", "rcu_read_lock", "ENOMEM",
        "EXPORT_SYMBOL_GPL", "MODULE_LICENSE",
    ]  # fmt: skip
    if panic:
        used += ["atomic_notifier_chain_register", "panic_notifier_list", "module_init", "__init"]
        used += ["INT_MAX"] if panic.priority in ("INT_MAX", "INT_MIN") else []
        used += ["kexec_crash_loaded"] if panic.crash_event else []
    if sys_off:
        used += ["register_sys_off_handler", "IS_ERR", "dev_warn", "lockdep_assert_held", "bool"]
    if attributes:
        used += ["sysfs_emit", "DEVICE_ATTR_RO", "dev_set_drvdata"]
    if any(attribute.store_base is not None for attribute in attributes):
        used += ["kstrtouint", "READ_ONCE"]
    return used


def tabs_after(name: str, names_in_column: Iterable[str]) -> str:
    """The tabs that put the value of a #define under those of its neighbours."""
    widest = max(len(other) for other in names_in_column)
    start = len("#define ")
    column = ((start + widest) // _TAB + 1) * _TAB
    return "\t" * -(-(column - start - len(name)) // _TAB)


def _register_macros(
    device: Device, registers: Iterable[Register], known: str
) -> list[RegisterMacro]:
    offsets = {names.register_macro(device, r): r.offset for r in registers if r.offset}
    return [
        RegisterMacro(macro, f"0x{offset:02x}", tabs_after(macro, [*offsets, known]))
        for macro, offset in offsets.items()
    ]


def _offset(device: Device, register: Register) -> str:
    """What is added to the base address; nothing for a register that starts the region."""
    return f" + {names.register_macro(device, register)}" if register.offset else ""


def _mask(macro: str, device: Device, registers: Iterable[Register]) -> str:
    """The value of the mask macro, on the next lines where it is too long for one."""
    events = [names.event_macro(device, event) for event in device.events]
    column = [macro, *(names.register_macro(device, r) for r in registers if r.offset)]
    whole = f"({' | '.join(events)})" if len(events) > 1 else events[0]
    if len(f"#define {macro}") + _TAB + len(whole) <= _LINE:
        return f"{tabs_after(macro, column)}{whole}"
    lines = wrap(whole, _LINE - 2 * _TAB)
    return " \\\n\t" + " \\\n\t ".join(lines)


def _why(hook: Hook, tabs: int) -> tuple[str, ...]:
    """The reason for a priority as a C comment, nothing where none is given."""
    return comment(hook.why, tabs) if hook.why else ()


def _event_macro(device: Device, event: Event | None) -> str | None:
    return names.event_macro(device, event) if event else None


def _plan_panic(device: Device) -> PanicPlan | None:
    event = _event_macro(device, device.event_for(Trigger.PANIC))
    crash = _event_macro(device, device.event_for(Trigger.CRASH_KERNEL))
    hook = device.hooks.panic_notifier
    if hook is None:
        return None
    indent = _indent(f"static int {device.name}_panic_notify(")
    return PanicPlan(str(hook.priority), _why(hook, 1), event, crash, indent)


def comment(text: str, tabs: int = 0) -> tuple[str, ...]:
    """A C comment behind so many tabs, on one line where it fits."""
    width = _LINE - tabs * _TAB
    if len(text) + len("/*  */") <= width:
        return (f"/* {text} */",)
    return ("/*", *(f" * {line}" for line in wrap(text, width - 3)), " */")


def _plan_sys_off(device: Device) -> Iterable[SysOffPlan]:
    for trigger, mode in _MODES.items():
        event = device.event_for(trigger)
        hook = device.hooks.sys_off
        if event is None or hook is None:
            continue
        macro = names.event_macro(device, event)
        why = _WHY_UPDATE[trigger].format(event=macro)
        yield SysOffPlan(
            stem=names.trigger_stem(device, trigger),
            label=trigger.value,
            mode=mode,
            priority=str(hook.priority),
            why=_why(hook, 2),
            event=macro,
            comment=comment(why),
        )


def _indent(head: str) -> str:
    """Tabs and spaces that put a continued argument under the first one."""
    return "\t" * (len(head) // _TAB) + " " * (len(head) % _TAB)


def _plan_attribute(attribute: Attribute, enabled: str) -> AttributePlan:
    name, mode = attribute.name, attribute.mode
    readable, writable = mode & 0o444, attribute.store is not None
    macro = _ATTRIBUTE_MACROS.get(mode)
    show, store = f"{name}_show" if readable else "NULL", f"{name}_store" if writable else "NULL"
    declaration = (
        f"{macro}({name})" if macro else f"DEVICE_ATTR({name}, {mode:04o}, {show}, {store})"
    )
    value = "pi->capability" if attribute.shows is Mask.CAPABILITY else enabled
    return AttributePlan(
        name=name,
        declaration=declaration,
        format='"{}"'.format(attribute.format.replace("\n", "\\n")),
        shown=value if readable else None,
        store_base=attribute.store.base if attribute.store else None,
        show_indent=_indent(f"static ssize_t {name}_show("),
        store_indent=_indent(f"static ssize_t {name}_store("),
    )
