# SPDX-License-Identifier: GPL-2.0-or-later
"""Which macros for user space are events: those that are bits, and no help for writing others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.tree import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import DriverFacts, Value
    from gen.source import Span

_ENUM = re.compile(r"\benum\b[^{;]{0,200}+\{[^}]*+(?:\}|\Z)")
# What is shifted by, or is the argument of BIT().
_SHIFT = re.compile(r"(?:<<|\b_?BIT\w*\s*\()(?=[\s(]*(\w+))")
_NUMBER_OF_BIT = re.compile(r"_(?:BIT|SHIFT|NR|POS)$")


def public_macros(facts: DriverFacts, prefix: str) -> dict[str, Value]:
    """The macros of the header for user space that have the driver's prefix, by their whole name.

    Those that only number the bit of another, and masks of others, are left out.
    """
    headers = {file.source for file in facts.tree.of(Role.UAPI)}
    found = {
        name: value
        for name, value in facts.macros.items()
        if name.startswith(prefix) and (not headers or value.span.source in headers)
    }
    numbers = set(_numbers(found))
    return {name: value for name, value in found.items()
            if name not in numbers and not _of_others(value.written, prefix)}  # fmt: skip


def enumerators(facts: DriverFacts, prefix: str) -> Iterator[tuple[str, Span]]:
    """The enumerators of headers for user space with the driver's prefix that are no macros."""
    for file in facts.tree.of(Role.UAPI):
        for whole in _ENUM.finditer(file.source.text):
            for match in re.finditer(rf"\b{re.escape(prefix)}\w+(?=\s*[=,}}])", whole[0]):
                if match[0] not in facts.macros:
                    yield match[0], file.source.place(whole.start() + match.start())


def _numbers(found: Mapping[str, Value]) -> Iterator[str]:
    """The macros that say which bit another macro is, and are none themselves."""
    shifts = {name for one in found.values() for name in _SHIFT.findall(one.written)}
    for name, value in found.items():
        whole = found.get(_NUMBER_OF_BIT.sub("", name))
        named = (
            whole is not None
            and whole is not value
            and value.number is not None
            and value.number in range(64)
            and whole.number == 1 << value.number
        )
        if named or name in shifts:
            yield name


def _of_others(written: str, prefix: str) -> bool:
    """Whether a macro is a mask of others of the driver, and so no event."""
    names = re.findall(r"\w+", written)
    return "|" in written and all(name.startswith(prefix) for name in names)


def bits(number: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    return (bit for bit in range(number.bit_length()) if number >> bit & 1)
