# SPDX-License-Identifier: GPL-2.0-or-later
"""The letter before a series: what each mail is, what stable trees say of it, what was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.backport.records import Delta
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.backport.records import Patch
    from gen.backport.stable import Judged
    from gen.backport.tree import KernelTree

_WIDTH = 72


def fits(judged: Sequence[Judged]) -> bool:
    """Whether the whole series is one for a stable tree."""
    return all(one.fits for one in judged)


def verdict(judged: Sequence[Judged], tree: KernelTree) -> str:
    """One sentence."""
    if fits(judged):
        return f"By the rules of stable trees this is material for {tree.release.series}.y."
    unmet: dict[str, list[int]] = {}
    for number, one in enumerate(judged, 1):
        for ruling in (one for one in one.rulings if not one.holds):
            rule = ruling.rule if ruling.holds is False else f"{ruling.rule} (not known)"
            unmet.setdefault(rule, []).append(number)
    told = [f"{rule} ({_mails(numbers, len(judged))})" for rule, numbers in unmet.items()]
    series = f"{tree.release.series}.y"
    return f"Not suitable for {series} because these rules are not met: {'; '.join(told)}."


def _mails(numbers: Sequence[int], count: int) -> str:
    """Which mails of a series are meant."""
    if len(numbers) == count:
        return "every mail"
    return f"mail{'s' if len(numbers) > 1 else ''} {_and([str(one) for one in numbers])}"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def cover_letter(
    judged: Sequence[Judged], tree: KernelTree, dropped: Sequence[str], evidence: Sequence[str]
) -> str:
    """Subject, empty line, text.

    Args:
        judged: the mails of the series.
        tree: what they apply to.
        dropped: sentences about what the target cannot carry.
        evidence: lines about what was tried.
    """
    name = judged[0].patch.contract.name
    lines = [f"misc/{name}: {_about(judged)}", ""]
    lines += [*wrap(verdict(judged, tree), _WIDTH), "", f"It applies to Linux {tree.release}.", ""]
    lines += [*_table(judged, dropped), "", *_presence(judged)]
    for number, one in enumerate(judged, 1):
        lines += [f"Mail {number}:"]
        for ruling in sorted(one.rulings, key=lambda ruling: bool(ruling.holds)):
            lines += [f"  {line}" for line in wrap(str(ruling), _WIDTH - 2, hanging="  ")]
        lines.append("")
    lines += ["Tried:", *(f"  {line}" for line in evidence)]
    return "\n".join(lines) + "\n"


def swap_letter(patches: Sequence[Patch], tree: KernelTree, evidence: Sequence[str]) -> str:
    """Subject, empty line, text of the letter before the mails that swap a driver.

    Args:
        patches: the mails, the driver's last.
        tree: what they apply to.
        evidence: lines about what was tried.
    """
    why = (
        "The binding comes first, in a mail of its own, as the maintainers of the device tree "
        "want it. Each mail builds without the next."
    )
    lines = [patches[-1].subject, "", *wrap(why, _WIDTH), "",
             f"It applies to Linux {tree.release}.", "", "Tried:"]  # fmt: skip
    for text in evidence:
        lines += [f"  {line}" for line in wrap(text, _WIDTH - 2, hanging="  ")]
    return "\n".join(lines) + "\n"


def _about(judged: Sequence[Judged]) -> str:
    """What the series is for: its last mail, which those before it prepare, and how many more."""
    last = judged[-1].patch.subject.partition(": ")[2]
    more = len(judged) - 1
    return last if not more else f"{last}, and {more} more"


def _table(judged: Sequence[Judged], dropped: Sequence[str]) -> list[str]:
    """What changes, by which commit of mainline, and how its lines differ from mainline's."""
    rows = [("change", "upstream", "delta", "lines")]
    for one in judged:
        patch = one.patch
        said = patch.upstream.subject if patch.upstream else patch.subject
        subject = said.partition(": ")[2] or said
        rows.append((subject, (patch.commit or "-")[:12], patch.delta, str(one.lines)))
    rows += [(text.partition(" is left out")[0], "-", Delta.DROPPED, "-") for text in dropped]
    widths = [max(len(row[index]) for row in rows) for index in range(4)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _presence(judged: Sequence[Judged]) -> list[str]:
    """Which newer series have each change."""
    words = {True: "yes", False: "no", None: "?"}
    lines = ["In newer trees:"]
    for number, one in enumerate(judged, 1):
        told = ", ".join(f"{series}.y {words[has]}" for series, has in one.newer)
        lines.append(f"  mail {number}: {told or 'there are none'}")
    return [*lines, ""]
