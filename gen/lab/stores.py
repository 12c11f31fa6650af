# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that a user may write to an attribute, and what has to come of each.

The parser is the kernel's kstrtouint(), whose rules stand in its kernel-doc: an optional plus
sign, the digits of the base (16 with an optional 0x), at most one newline at the end, nothing
else; ERANGE for what does not fit into 32 bits. What parses but asks for a bit that the device
lacks is refused with EINVAL.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

HEXADECIMAL = 16
OCTAL = 8


@dataclass(frozen=True)
class Refused:
    """A text that must be refused, and the errno."""

    why: str
    text: bytes
    errno: int


def spelling(value: int, base: int) -> str:
    """The plain digits of a number; base 0 is the kernel's for "as in C", so decimal serves."""
    return {HEXADECIMAL: f"{value:x}", OCTAL: f"{value:o}"}.get(base, f"{value}")


def spellings(value: int, base: int) -> list[bytes]:
    """Every way to write a number that the parser takes."""
    digits = spelling(value, base)
    texts = {digits, f"+{digits}"}
    if base != 0:
        # With base 0 a leading zero would announce an octal number.
        texts |= {f"0{digits}", digits.zfill(30)}
    if base == 0:
        texts |= {f"0x{value:x}", f"0{value:o}"}
    if base == HEXADECIMAL:
        texts |= {digits.upper(), f"0x{digits}", f"0X{digits.upper()}", f"+0x{digits}"}
    return [form.encode() for text in sorted(texts) for form in (text, f"{text}\n")]


def refusals(legal: int, base: int) -> list[Refused]:
    """Texts that must be refused by a device on which only the bits in `legal` may be set."""
    sound = spelling(legal, base)
    lowest = (~legal & (legal + 1)).bit_length() - 1
    foreign = [bit for bit in (lowest, 8, 31) if not legal >> bit & 1]
    outside = {f"bit {bit} is not the device's": 1 << bit for bit in foreign}
    outside["legal bits and one more"] = legal | 1 << lowest
    invalid = {
        "not a number": "zz",
        "a letter behind the digits": f"{sound}z",
        "an empty line": "\n",
        "a sign alone": "+",
        "a negative number": "-1",
        "minus zero": "-0",
        "two signs": f"++{sound}",
        "a space in front": f" {sound}",
        "a space behind": f"{sound} ",
        "a space before the newline": f"{sound} \n",
        "two newlines": f"{sound}\n\n",
        "two numbers": f"{sound} {sound}",
        "a comma": f"{sound},{sound}",
        **{why: spelling(value, base) for why, value in outside.items()},
    }
    if base in (0, HEXADECIMAL):
        invalid["a prefix without digits"] = "0x"
    large = {
        "33 bits": spelling(1 << 32, base),
        "64 bits": spelling((1 << 64) - 1, base),
        "65 bits": spelling(1 << 64, base),
        "a hundred digits": "1" * 100,
    }
    return [
        *(Refused(why, text.encode(), errno.EINVAL) for why, text in invalid.items()),
        *(Refused(why, text.encode(), errno.ERANGE) for why, text in large.items()),
    ]
