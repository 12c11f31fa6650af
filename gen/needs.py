# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rendering takes from its kernel that not every kernel has."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from gen.api import Range
from gen.kernel import Kernel


@dataclass(frozen=True, order=True)
class Need:
    """A word that a header has to declare, between the braces of `struct` where one is named."""

    header: str
    word: str
    struct: str = ""


@dataclass(frozen=True)
class WatchedKernel(Kernel):
    """A kernel that notes what a plan finds in it; `needs` fills while the plan is made.

    What is missing makes no need: a plan that goes without goes on any kernel.
    """

    needs: set[Need] = field(default_factory=set, repr=False, compare=False)

    def has(self, name: str) -> bool:
        """As of any kernel; notes what is there."""
        found = super().has(name)
        if found:
            self.header(name)
        return found

    def header(self, name: str) -> str:
        """As of any kernel; notes where it is, if that is not the same on all."""
        header, api = super().header(name), self.table[name.partition(".")[0]]
        everywhere = len(api.headers) == 1 and api.range == self.header_table.get(header) == Range()
        if not everywhere:
            self.needs.add(Need(header, api.name.rpartition(" ")[2]))
        return header

    def members(self, name: str) -> dict[str, str]:
        """As of any kernel; notes those that are there and not on all."""
        found = super().members(name)
        for member in self.api(name).members:
            if member.range != Range() and found.get(member.name) == member.text:
                self.needs.add(Need(super().header(name), member.name, name))
        return found


def watched(kernel: Kernel) -> WatchedKernel:
    """The same kernel, watched."""
    return WatchedKernel(**{item.name: getattr(kernel, item.name) for item in fields(kernel)})
