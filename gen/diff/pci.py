# SPDX-License-Identifier: GPL-2.0-or-later
"""What an entry of a table of PCI ids claims: `1234:5678`, and what C may say besides.

`*` stands for any id. Behind the two ids may stand ` sub SUBVENDOR:SUBDEVICE` and ` class
VALUE/MASK`, all in hexadecimal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ANY = "*"
_NAME = re.compile(
    r"(?P<vendor>\w+|\*):(?P<device>\w+|\*)(?: sub (?P<sv>\w+|\*):(?P<sd>\w+|\*))?"
    r"(?: class (?P<value>\w+)/(?P<mask>\w+))?"
)


@dataclass(frozen=True)
class Claim:
    """The parts of a claim: four ids, and the class of which the bits in `mask` count."""

    ids: tuple[str, str, str, str]
    value: int = 0
    mask: int = 0

    @classmethod
    def parse(cls, name: str) -> Claim:
        """The claim that has a name.

        Raises:
            ValueError: no claim is called so.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"'{name}' is no PCI id")
        ids = match["vendor"], match["device"], match["sv"] or ANY, match["sd"] or ANY
        return cls(ids, int(match["value"] or "0", 16), int(match["mask"] or "0", 16))

    @property
    def name(self) -> str:
        """What it is called, without what it leaves open."""
        vendor, device, *sub = self.ids
        text = f"{vendor}:{device}"
        if sub != [ANY, ANY]:
            text += f" sub {':'.join(sub)}"
        return text + (f" class {self.value:06x}/{self.mask:06x}" if self.mask else "")

    @property
    def alias(self) -> str:
        """The module alias that depmod makes of it."""
        words = (f"{letter}{'*' if one == ANY else one.upper().rjust(8, '0')}"
                 for letter, one in zip(("v", "d", "sv", "sd"), self.ids, strict=True))  # fmt: skip
        parts = []
        for shift, letter in ((16, "bc"), (8, "sc"), (0, "i")):
            whole = self.mask >> shift & 0xFF == 0xFF  # noqa: PLR2004 (one byte)
            parts.append(f"{letter}{self.value >> shift & 0xFF:02X}" if whole else f"{letter}*")
        return f"pci:{''.join(words)}{''.join(parts)}"

    def covers(self, other: Claim) -> bool:
        """Whether each device that the other one claims is claimed by this one."""
        same = all(mine in {ANY, its} for mine, its in zip(self.ids, other.ids, strict=True))
        inside = self.mask & ~other.mask == 0 and (self.value ^ other.value) & self.mask == 0
        return same and inside


def direction(old: str, new: str) -> str:
    """Whether a claim became wider or narrower; empty if it is neither."""
    was, now = Claim.parse(old), Claim.parse(new)
    return "widened" if now.covers(was) else "narrowed" if was.covers(now) else ""
