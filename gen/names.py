# SPDX-License-Identifier: GPL-2.0-or-later
"""Names in C from names in the spec: the contract of docs/naming.md.

Every identifier that a rendered file defines is made here, so that clashes can be found in the
spec before any C exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.frontend import PciFrontend

if TYPE_CHECKING:
    from gen.frontend import Frontend, PciId
    from gen.model import Attribute, Device, Event, Register, Trigger
    from gen.source import Span

# C11's keywords, the kernel's own typeof and asm, and the names that gcc and the kernel predefine
# as macros: DEVICE_ATTR_RO(current) would not name its attribute "current".
RESERVED = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "asm",
        "typeof",
        "bool",
        "true",
        "false",
        "linux",
        "unix",
        "i386",
        "current",
        "likely",
        "unlikely",
    ],
)

# What the headers that a driver includes declare or define, and what parts of one would be called.
DECLARED = frozenset(
    f"{stem}_{part}"
    for stems, parts in (
        ("module", "init exit"),
        ("mutex", "init lock"),
        ("spin raw_spin read write raw_read raw_write seq", "lock init"),
        ("device driver bus class", "register unregister"),
        ("platform_device platform_driver pci_driver", "register unregister"),
        ("rcu srcu", "init lock"),
    )
    for stem in stems.split()
    for part in parts.split()
)
# Macros that there are before any text is read: a header with such a guard is empty.
PREDEFINED = re.compile(
    r"__(FILE|LINE|DATE|TIME|TIMESTAMP|COUNTER|BASE_FILE|INCLUDE_LEVEL|STDC|STDC_[A-Z0-9_]+|VERSION"
    r"|GNUC|GNUC_[A-Z_]+|ELF|OPTIMIZE|OPTIMIZE_SIZE|CHAR_BIT|BYTE_ORDER|FLOAT_WORD_ORDER|KERNEL"
    r"|ASSEMBLY|CHECKER|LP64|ILP32|CHAR_UNSIGNED|NO_INLINE|PIC|PIE|SSP|PTRDIFF_TYPE|REGISTER_PREFIX"
    r"|(ORDER|SIZEOF|INT|UINT|INTMAX|UINTMAX|INTPTR|UINTPTR|SIZE|WCHAR|WINT|CHAR|SHRT|LONG|SCHAR"
    r"|GCC|ATOMIC|SIG|FLT|DBL|LDBL|DEC)[0-9]*_[A-Z0-9_]+)__|_LP64|_ILP32|MODULE"
    r"|KBUILD_[A-Z]+"
)


@dataclass(frozen=True)
class Name:
    """An identifier that will be defined, what it stands for, and the place it comes from."""

    text: str
    what: str
    span: Span


def macro_prefix(device: Device) -> str:
    """`acme` → `ACME`."""
    return device.name.upper()


def macro(device: str, event: str) -> str:
    """`acme`, `on_fire` → `ACME_ON_FIRE`."""
    return f"{device.upper()}_{event.upper()}"


def event_macro(device: Device, event: Event) -> str:
    """`on_fire` → `ACME_ON_FIRE`."""
    return macro(device.name, event.name)


def known_events_macro(device: Device) -> str:
    """The mask of all events that the driver knows."""
    return f"{macro_prefix(device)}_KNOWN_EVENTS"


def register_macro(device: Device, register: Register) -> str:
    """`status` → `ACME_REG_STATUS`, the offset of a register."""
    return f"{macro_prefix(device)}_REG_{register.name.upper()}"


def trigger_stem(device: Device, trigger: Trigger) -> str:
    """`power-off` → `acme_power_off`, the stem of what serves a trigger."""
    return f"{device.name}_{trigger.value.replace('-', '_')}"


def frontend_stem(frontend: Frontend) -> str:
    """`acme-pci` → `acme_pci`, the stem of what a frontend's module defines."""
    return frontend.name.replace("-", "_")


def pci_macro(frontend: PciFrontend, side: str, pci_id: PciId) -> str:
    """The macro of a PCI id; `side` is `vendor` or `device`."""
    if pci_id.macro:
        return pci_id.macro
    stem = f"PCI_{side.upper()}_ID_{frontend_stem(frontend).upper()}"
    # The device's own id has the plain name; one that came to it has its number in the name.
    own = pci_id.id == (frontend.vendor if side == "vendor" else frontend.device).id
    return stem if own else f"{stem}_{pci_id.id:04X}"


def pci_macros(frontend: PciFrontend) -> dict[str, PciId]:
    """The macros of all ids of a frontend, each once, in the order of its ids."""
    found: dict[str, PciId] = {}
    for pair in frontend.ids:
        for side, pci_id in (("vendor", pair.vendor), ("device", pair.device)):
            found.setdefault(pci_macro(frontend, side, pci_id), pci_id)
    return found


def bar_macro(frontend: Frontend) -> str:
    """`acme-pci` → `ACME_PCI_BAR`, the number of the BAR with the registers."""
    return f"{frontend_stem(frontend).upper()}_BAR"


def length_macro(frontend: Frontend) -> str:
    """`acme-pci` → `ACME_PCI_REGS_LEN`, how long the region has to be for the registers."""
    return f"{frontend_stem(frontend).upper()}_REGS_LEN"


def header_guard(device: Device) -> str:
    """The guard of the driver's own header; a trailing underscore keeps it apart from uapi's."""
    return f"{macro_prefix(device)}_H_"


def macros(device: Device) -> list[Name]:
    """All macros that the rendered files may define, which share one name space."""
    whole = device.at["name"]
    names = [
        Name(header_guard(device), "the guard of the driver's header", whole),
        Name(known_events_macro(device), "the mask of known events", whole),
        Name(device.uapi.guard, "the guard of the uapi header", device.uapi.at["guard"]),
    ]
    names += [
        Name(event_macro(device, event), f"the event '{event.name}'", event.at["name"])
        for event in device.macros
    ]
    names += [
        Name(register_macro(device, reg), f"the register '{reg.name}'", reg.at["name"])
        for reg in device.registers
    ]
    for frontend in device.frontends:
        length = Name(length_macro(frontend), "the length of the registers", frontend.at["name"])
        names.append(length)
        if isinstance(frontend, PciFrontend):
            names.append(Name(bar_macro(frontend), "the number of the BAR", frontend.at["name"]))
            for macro, pci_id in pci_macros(frontend).items():
                # Frontends are modules of their own: two may define one macro, as the same id.
                what = f"the PCI id {pci_id.id:#06x}"
                names.append(Name(macro, what, pci_id.at["macro"]))
    return names


def core_functions(device: Device) -> list[Name]:
    """The functions and objects of the core module, which share one name space."""
    whole, prefix = device.at["name"], device.name
    own = ["instances", "lock", "send", "panic_notify", "panic_nb", "attrs", "groups", "group",
           "register", "unregister", "init", "exit"]  # fmt: skip
    names = [Name(f"{prefix}_{name}", "a part of every driver", whole) for name in own]
    for attribute in device.sysfs:
        names += _attribute_names(attribute)
    return names


def _attribute_names(attribute: Attribute) -> list[Name]:
    what, span = f"the attribute '{attribute.name}'", attribute.at["name"]
    names = [f"{attribute.name}_show", f"dev_attr_{attribute.name}"]
    if attribute.store:
        names.append(f"{attribute.name}_store")
    return [Name(name, what, span) for name in names]
