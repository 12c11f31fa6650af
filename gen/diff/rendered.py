# SPDX-License-Identifier: GPL-2.0-or-later
"""The rendered files of both sides compared, and what each change does to them by itself.

A change's hunks are those between the old device and the old device with this change alone. One
that makes no sense alone is rendered with the fewest others that make it one. Hunks that come of
no change, nor of what was rendered together, are kept apart.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from gen.diagnostics import Diagnostics
from gen.diff.records import Share
from gen.diff.transplant import EntangledError, ties, transplant
from gen.frontend import PlatformFrontend
from gen.kernel import KernelFactsError
from gen.meaning import check_meaning
from gen.plan import Target, make_plan
from gen.render import render
from gen.resources import template_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.diff.compare import Comparison
    from gen.diff.records import Change
    from gen.kernel import Kernel
    from gen.model import Device

    Unit = tuple[Change, ...]

# Up to so many changes are tried in pairs; what differs in more is another device.
MAX_PAIRS = 24
# What the banner of every file says; it differs with every text of a spec.
_BANNER = re.compile(r"sha256 [0-9a-f]+")


def rendered_hunks(old: Device, new: Device, kernel: Kernel) -> list[str]:
    """The hunks of a unified diff of both renderings, each with its file's header.

    Raises:
        KernelFactsError: one side cannot be rendered for the kernel.
    """
    return _hunks(_files(old, kernel), _files(new, kernel))


def _hunks(left: dict[str, list[str]], right: dict[str, list[str]]) -> list[str]:
    hunks = []
    for path in sorted({*left, *right}):
        names = (f"a/{path}" if path in left else "/dev/null",
                 f"b/{path}" if path in right else "/dev/null")  # fmt: skip
        lines = difflib.unified_diff(left.get(path, []), right.get(path, []), *names, "", "", 2, "")
        hunks += _split(list(lines))
    return hunks


def _files(device: Device, kernel: Kernel) -> dict[str, list[str]]:
    texts = render(make_plan(device, Target(kernel), "the spec"), template_directory())
    return {path: _BANNER.sub("sha256", text).split("\n") for path, text in texts.items()}


def _split(lines: list[str]) -> list[str]:
    starts = [index for index, line in enumerate(lines) if line.startswith("@@")]
    ends = [*starts[1:], len(lines)][: len(starts)]
    return ["\n".join([*lines[:2], *lines[a:b]]) for a, b in zip(starts, ends, strict=True)]


def with_shares(result: Comparison, old: Device, new: Device, kernel: Kernel) -> Comparison:
    """The findings with what each change does to the rendered files, and the hunks left over.

    Raises:
        KernelFactsError: one side cannot be rendered for the kernel.
    """
    known = [*result.findings, *(one for one, _ in result.accepted)]
    changes = list(dict.fromkeys(one.change for one in known))
    whole = rendered_hunks(old, new, kernel)
    shares = _Shares(old, new, changes, kernel).find()
    told = chain.from_iterable(share.hunks for share in shares.values())
    return replace(
        result,
        findings=tuple(replace(one, share=shares[one.change]) for one in result.findings),
        accepted=tuple((replace(one, share=shares[one.change]), by) for one, by in result.accepted),
        leftover=tuple(_leftover(whole, told)),
        kernel=kernel.series,
    )


def _leftover(whole: Iterable[str], told: Iterable[str]) -> Iterator[str]:
    """The hunks with a changed line that no share has."""
    known = Counter(chain.from_iterable(_changed(hunk) for hunk in told))
    return (hunk for hunk in whole if any(not known[line] for line in _changed(hunk)))


def _changed(hunk: str) -> list[tuple[str, str]]:
    """The lines that come and go, each with its file."""
    lines = hunk.split("\n")
    name = next(line[6:] for line in reversed(lines[:2]) if not line.endswith("/dev/null"))
    return [(name, line) for line in lines[3:] if line[:1] in {"+", "-"}]


def units(changes: Iterable[Change]) -> list[Unit]:
    """The changes in sets of which no part can be made: mostly of one each."""
    found: list[tuple[set[str], list[Change]]] = []
    changes = list(changes)
    whole = set(chain.from_iterable(ties(one) for one in changes))
    for change in changes:
        items = (change.pair.old, change.pair.new) if change.pair else ()
        mine = set(ties(change)) | {p for i in items if i for p in (i.owner, i.path) if p in whole}
        meet = [unit for unit in found if unit[0] & mine]
        found = [unit for unit in found if unit not in meet]
        joined = [*chain.from_iterable(unit[1] for unit in meet), change]
        found.append((mine.union(*(unit[0] for unit in meet)), joined))
    return [tuple(unit) for _, unit in found]


class _Shares:
    def __init__(self, old: Device, new: Device, changes: list[Change], kernel: Kernel) -> None:
        self.old, self.new, self.changes, self.kernel = old, new, changes, kernel
        self.before = _files(old, kernel)
        # A release's part of a device may have what its spec's check would not let pass.
        self.excused = _errors(old) | _errors(new)

    def find(self) -> dict[Change, Share]:
        """The share of each change."""
        every = units(self.changes)
        alone = {unit: self._try((unit,)) for unit in every}
        needy = [unit for unit, hunks in alone.items() if hunks is None]
        shares: dict[Change, Share] = {}
        for unit in every:
            made: tuple[Unit, ...] = (unit,)
            hunks = alone[unit]
            if hunks is None:
                made, hunks = self._together(unit, needy, every)
            paths = dict.fromkeys(one.path for part in made for one in part)
            for change in unit:
                others = tuple(path for path in paths if path != change.path)
                shares[change] = Share(tuple(hunks), others)
        return shares

    def _together(
        self, unit: Unit, needy: list[Unit], every: list[Unit]
    ) -> tuple[tuple[Unit, ...], list[str]]:
        """The fewest units with which one can be rendered, and the hunks of them all."""
        sets: list[tuple[Unit, ...]] = []
        if len(every) <= MAX_PAIRS:
            sets += [(unit, other) for other in needy if other is not unit]
            sets += [(unit, other) for other in every if other not in needy]
        for made in (*sets, tuple(needy)):
            hunks = self._try(made)
            if hunks is not None:
                return made, hunks
        return tuple(every), _hunks(self.before, _files(self.new, self.kernel))

    def _try(self, made: tuple[Unit, ...]) -> list[str] | None:
        """The hunks of some changes; None where they make no device without others."""
        try:
            changes = chain.from_iterable(made)
            device = transplant(self.old, self.new, changes, self.changes)
            if not _is_whole(device) or _errors(device) - self.excused:
                return None
            return _hunks(self.before, _files(device, self.kernel))
        except (EntangledError, KernelFactsError):
            return None


def _is_whole(device: Device) -> bool:
    """Whether it has one at least of what no device can be without."""
    fronts = [one for one in device.frontends if isinstance(one, PlatformFrontend)]
    parts = (device.registers, device.events, device.frontends, *(one.resources for one in fronts))
    return all(parts)


def _errors(device: Device) -> frozenset[tuple[str, str]]:
    """What is wrong with a device's meaning."""
    diagnostics = Diagnostics()
    check_meaning(device, diagnostics)
    return frozenset((item.rule, item.message) for item in diagnostics)
