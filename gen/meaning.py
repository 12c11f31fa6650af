# SPDX-License-Identifier: GPL-2.0-or-later
"""What no schema can say: whether the parts of a spec fit together.

Each check looks at one question over the whole device and reports every violation. The rules are
listed, with one bad input each, in docs/spec.md and tests/spec/bad.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diagnostics import Related, did_you_mean
from gen.frontend import PciFrontend, PlatformFrontend
from gen.kconfig import DependencyError, parse_dependency, symbols
from gen.model import DocumentKind, Trigger
from gen.names import DECLARED, PREDEFINED, RESERVED, core_functions, frontend_stem, macros

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen.diagnostics import Diagnostics
    from gen.model import Device, Document, KconfigSymbol, Register
    from gen.release import Release
    from gen.source import Span

WRITABLE, WORLD_WRITABLE = 0o222, 0o002
ABI, ABI_LEVELS = "Documentation/ABI/", ("stable", "testing", "obsolete", "removed")


def check_meaning(device: Device, diagnostics: Diagnostics) -> None:
    """Run every check; they do not depend on one another."""
    for check in (
        _check_bits,
        _check_triggers,
        _check_registers,
        _check_roles,
        _check_region,
        _check_hooks,
        _check_attributes,
        _check_arrivals,
        _check_frontends,
        _check_kconfig,
        _check_documents,
        _check_c_names,
    ):
        check(device, diagnostics)


def _check_unique(
    rule: str,
    entries: Iterable[tuple[object, str, Span]],
    diagnostics: Diagnostics,
) -> None:
    """Report every entry whose key an earlier one has; an entry is (key, sentence, place)."""
    first: dict[object, Span] = {}
    for key, message, span in entries:
        if key in first:
            related = (Related(first[key], "the first one stands here"),)
            diagnostics.error(rule, message, span, related=related)
        first.setdefault(key, span)


def _check_bits(device: Device, diagnostics: Diagnostics) -> None:
    bits = ((event.bit, f"bit {event.bit} is taken", event.at["bit"]) for event in device.macros)
    _check_unique("SPEC-BIT-OVERLAP", bits, diagnostics)
    names = (
        (event.name, f"there is an event '{event.name}' already", event.at["name"])
        for event in device.macros
    )
    _check_unique("SPEC-DUPLICATE", names, diagnostics)
    registers = [reg for reg in device.registers if reg.read or reg.write]
    for event in device.macros:
        for register in registers:
            if event.bit >= register.width:
                message = (
                    f"bit {event.bit} does not exist in the register '{register.name}', "
                    f"whose {register.width} bits are 0 to {register.width - 1}"
                )
                related = (Related(register.at["width"], "its width is given here"),)
                diagnostics.error("SPEC-BIT-RANGE", message, event.at["bit"], related=related)
                break


def _check_triggers(device: Device, diagnostics: Diagnostics) -> None:
    triggers = (
        (
            event.trigger,
            f"the trigger '{event.trigger}' sends another event already",
            event.at["trigger"],
        )
        for event in device.events
        if event.trigger is not Trigger.NONE
    )
    _check_unique("SPEC-TRIGGER-TWICE", triggers, diagnostics)


def _check_registers(device: Device, diagnostics: Diagnostics) -> None:
    names = (
        (reg.name, f"there is a register '{reg.name}' already", reg.at["name"])
        for reg in device.registers
    )
    _check_unique("SPEC-DUPLICATE", names, diagnostics)
    for index, register in enumerate(device.registers):
        if register.offset % (register.width // 8):
            message = f"a register of {register.width} bits cannot start at byte {register.offset}"
            advice = f"its offset is a multiple of {register.width // 8}"
            place = register.at["offset"]
            diagnostics.error("SPEC-REGISTER-UNALIGNED", message, place, help=advice)
        for earlier in device.registers[:index]:
            if earlier.offset < register.end and register.offset < earlier.end:
                message = f"the register '{register.name}' overlaps '{earlier.name}'"
                related = (Related(earlier.at["offset"], "which begins here"),)
                place = register.at["offset"]
                diagnostics.error("SPEC-REGISTER-OVERLAP", message, place, related=related)


def _check_roles(device: Device, diagnostics: Diagnostics) -> None:
    """Exactly one register is read for the capability, and exactly one takes events."""
    for role, value, forbidden in (
        ("read", "capability", "write-only"),
        ("write", "event", "read-only"),
    ):
        having: list[Register] = [reg for reg in device.registers if getattr(reg, role) == value]
        if not having:
            message = f"no register has '{role}: {value}'"
            advice = "one of the registers has to serve it"
            diagnostics.error("SPEC-ROLE", message, device.registers[0].at.item, help=advice)
        entries = ((role, f"'{role}: {value}' stands at another register already", reg.at[role])
                   for reg in having)  # fmt: skip
        _check_unique("SPEC-ROLE", entries, diagnostics)
        for register in device.registers:
            if getattr(register, role) and register.access == forbidden:
                message = f"a {forbidden} register has no meaning of a {role}"
                related = (Related(register.at["access"], "its access is given here"),)
                diagnostics.error("SPEC-ROLE", message, register.at[role], related=related)


def _check_region(device: Device, diagnostics: Diagnostics) -> None:
    last = max(device.registers, key=lambda register: register.end)
    for frontend in device.frontends:
        if isinstance(frontend, PlatformFrontend):
            lengths = [(resource.length, resource.at["length"]) for resource in frontend.resources]
        else:
            lengths = [(frontend.shortest, frontend.at["length"])]
        for length, place in lengths:
            if last.end > length:
                message = f"the register '{last.name}' ends at byte {last.end}, beyond {length}"
                related = (Related(last.at["offset"], "the register stands here"),)
                diagnostics.error("SPEC-REGISTER-OUTSIDE", message, place, related=related)


def _check_hooks(device: Device, diagnostics: Diagnostics) -> None:
    for key, hook, triggers in (
        ("panic-notifier", device.hooks.panic_notifier, (Trigger.PANIC, Trigger.CRASH_KERNEL)),
        ("sys-off", device.hooks.sys_off, (Trigger.POWER_OFF, Trigger.RESTART)),
    ):
        users = [event for event in device.events if event.trigger in triggers]
        if users and hook is None:
            message = f"the trigger '{users[0].trigger}' needs 'hooks: {key}', which is missing"
            diagnostics.error("SPEC-HOOK", message, users[0].at["trigger"])
        if not users and hook is not None:
            message = f"no event has a trigger that uses '{key}'"
            advice = f"triggers that use it: {', '.join(triggers)}"
            diagnostics.error("SPEC-HOOK", message, hook.at["priority"], help=advice)


def _check_attributes(device: Device, diagnostics: Diagnostics) -> None:
    names = (
        (attr.name, f"there is an attribute '{attr.name}' already", attr.at["name"])
        for attr in device.sysfs
    )
    _check_unique("SPEC-DUPLICATE", names, diagnostics)
    for attribute in device.sysfs:
        mode, store = attribute.mode, attribute.store
        if mode & WORLD_WRITABLE:
            message = f"mode {mode:04o} lets everybody write"
            diagnostics.error("SPEC-MODE", message, attribute.at["mode"], help="sysfs refuses it")
        if bool(mode & WRITABLE) is (store is None):
            message = (
                f"mode {mode:04o} lets nobody write, but 'store' tells how it is written"
                if store
                else f"mode {mode:04o} lets it be written, but 'store' does not tell how"
            )
            diagnostics.error("SPEC-MODE", message, attribute.at["mode"])
        if store and attribute.shows == store.within:
            message = "the capability is the device's and cannot be written"
            diagnostics.error("SPEC-MODE", message, attribute.at["shows"])


def _check_arrivals(device: Device, diagnostics: Diagnostics) -> None:
    """Stable releases are of older series than the mainline release, one of each."""
    arrivals = [event.arrival for event in device.macros]
    arrivals += [attribute.arrival for attribute in device.sysfs]
    arrivals += [frontend.arrival for frontend in device.frontends]
    arrivals += [
        frontend.attributes
        for frontend in device.frontends
        if frontend.attributes and frontend.attributes is not frontend.arrival
    ]
    for arrival in arrivals:
        seen: set[Release] = set()
        for index, release in enumerate(arrival.stable):
            place = arrival.at[f"stable[{index}]"]
            if release.series >= arrival.since:
                message = f"Linux {release.series} has it anyway, since mainline's {arrival.since}"
                diagnostics.error("SPEC-STABLE", message, place)
            elif release.series in seen:
                message = f"a release of {release.series} stands here already"
                diagnostics.error("SPEC-STABLE", message, place)
            seen.add(release.series)


def _check_frontends(device: Device, diagnostics: Diagnostics) -> None:
    names = [(device.name, "", device.at["name"])]
    names += [
        (frontend_stem(front), f"another module is called '{front.name}'", front.at["name"])
        for front in device.frontends
    ]
    _check_unique("SPEC-DUPLICATE", names, diagnostics)
    ids: list[tuple[object, str, Span]] = []
    for frontend in device.frontends:
        if isinstance(frontend, PciFrontend):
            ids += [
                (str(pair), f"the PCI id {pair} is claimed already", pair.device.at["id"])
                for pair in frontend.ids
            ]
        if isinstance(frontend, PlatformFrontend):
            ids += [
                (text, f"the id '{text}' is claimed already", frontend.at[f"{key}[{index}]"])
                for key, texts in (("acpi", frontend.acpi), ("of", frontend.of))
                for index, text in enumerate(texts)
            ]
            if not frontend.acpi and not frontend.of:
                message = f"the frontend '{frontend.name}' has neither 'acpi' nor 'of' ids"
                diagnostics.error("SPEC-NO-ID", message, frontend.at["name"])
            kinds = ((r.kind, f"'{r.kind}' stands here twice", r.at["kind"])
                     for r in frontend.resources)  # fmt: skip
            _check_unique("SPEC-DUPLICATE", kinds, diagnostics)
    _check_unique("SPEC-DUPLICATE", ids, diagnostics)


def _check_kconfig(device: Device, diagnostics: Diagnostics) -> None:
    own: list[KconfigSymbol] = [device.kconfig, *(front.kconfig for front in device.frontends)]
    _check_unique(
        "SPEC-DUPLICATE",
        ((k.symbol, f"the symbol {k.symbol} is defined already", k.at["symbol"]) for k in own),
        diagnostics,
    )
    names = [symbol.symbol for symbol in own]
    for symbol in own:
        used: set[str] = set()
        if symbol.depends is not None:
            try:
                used = symbols(parse_dependency(symbol.depends))
            except DependencyError as error:
                message = f"this is no Kconfig expression: {error}"
                diagnostics.error("SPEC-DEPENDS", message, symbol.at["depends"])
                continue
        if symbol is not device.kconfig and device.kconfig.symbol not in used:
            message = f"{symbol.symbol} has to depend on {device.kconfig.symbol}, its core"
            place = symbol.at["depends"]
            # Own symbols only: a close name among the kernel's thousands is no typing error.
            close = [word for word in used if did_you_mean(word, names[:1])]
            advice = did_you_mean(close[0], names) if close else None
            diagnostics.error("SPEC-DEPENDS", message, place, help=advice)
        if symbol.symbol in used:
            message = f"{symbol.symbol} depends on itself"
            diagnostics.error("SPEC-DEPENDS", message, symbol.at["depends"])


def _check_documents(device: Device, diagnostics: Diagnostics) -> None:
    has_of = any(isinstance(f, PlatformFrontend) and f.of for f in device.frontends)
    needs = {
        DocumentKind.SYSFS_ABI: (bool(device.sysfs), "there is no sysfs attribute to document"),
        DocumentKind.DT_BINDING: (has_of, "no frontend has an 'of' compatible to document"),
    }
    _check_unique(
        "SPEC-DUPLICATE",
        ((doc.path, f"two documents share the path {doc.path}", doc.at["path"])
         for doc in device.documents),
        diagnostics,
    )  # fmt: skip
    for document in device.documents:
        present, why = needs[document.kind]
        if not present:
            diagnostics.error("SPEC-DANGLING", why, document.at["kind"])
        if document.kind is DocumentKind.SYSFS_ABI:
            _check_abi_level(device, document, diagnostics)


def _check_abi_level(device: Device, document: Document, diagnostics: Diagnostics) -> None:
    """A directory of Documentation/ABI promises one thing of all attributes in its files."""
    level = document.path.removeprefix(ABI).split("/")[0] if document.path.startswith(ABI) else ""
    for attribute in device.sysfs:
        if level in ABI_LEVELS and attribute.abi != level:
            message = f"the attribute '{attribute.name}' is {attribute.abi}, its document {level}"
            related = (Related(document.at["path"], "the path of the document says it"),)
            diagnostics.error("SPEC-ABI-LEVEL", message, attribute.at["abi"], related=related)


def _check_c_names(device: Device, diagnostics: Diagnostics) -> None:
    """Clashing identifiers, and names that C keeps for itself."""
    for space in (macros(device), core_functions(device)):
        # Items of the same kind and name are reported as duplicates; in C they say nothing new.
        names = {(name.text, name.what): name for name in space}.values()
        seen = ((n.text, f"{n.what} and another item both become {n.text} in C", n.span)
                for n in names)  # fmt: skip
        _check_unique("SPEC-C-CLASH", seen, diagnostics)
    for attribute in device.sysfs:
        if attribute.name in RESERVED:
            message = f"'{attribute.name}' is a word of C or a macro of the kernel"
            advice = "DEVICE_ATTR_RO() and its kin take the bare name of the attribute"
            place = attribute.at["name"]
            diagnostics.error("SPEC-C-KEYWORD", message, place, help=advice)
    if device.name in RESERVED:
        message = f"'{device.name}' is a word of C or a macro of the kernel"
        diagnostics.error("SPEC-C-KEYWORD", message, device.at["name"])
    taken = next((one for one in core_functions(device) if one.text in DECLARED), None)
    if taken is not None:
        message = f"{taken.what} becomes {taken.text} in C, which the kernel has already"
        diagnostics.error("SPEC-C-KEYWORD", message, taken.span)
    if PREDEFINED.fullmatch(device.uapi.guard):
        message = f"the guard {device.uapi.guard} is a macro that is there before the header"
        diagnostics.error("SPEC-C-KEYWORD", message, device.uapi.at["guard"])
