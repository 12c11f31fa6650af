# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/history.md: what mainline's own driver changed, read out of its sources release by release.

Run as `python -m tests.kbuild.history`. The sources are fetched from Debian; nothing of their text
gets into the document, only what was read out of them.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from checks.contract.side import read_tree
from gen.diff.compare import compare
from tests.kbuild.kernels import source_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.diff.compare import Comparison
    from gen.diff.records import Finding

DOCUMENT = Path(__file__).parents[2] / "docs" / "history.md"
RELEASES = ("5.10", "6.1", "6.12", "7.2", "7.3")
_INTRODUCTION = """\
# What mainline's driver changed

Made by `make history` from the sources of Debian's linux-source packages: the contract of each
release is read out of its C, as `pvgen extract` does, and compared with the one before, as `pvgen
diff TREE@{first} TREE@{second}` does. What is not told did not change for anybody outside of the
driver, or cannot be read out of C; [extract.md](extract.md) says what that is. The point releases
are Debian's, so what a stable tree took over late is in.
"""


def history() -> str:
    """The document.

    Raises:
        LabError: a source cannot be fetched.
    """
    parts = [_INTRODUCTION.format(first=RELEASES[0], second=RELEASES[1])]
    sides = [(name, read_tree(name, source_tree(name), name)) for name in RELEASES]
    for (old, before), (new, after) in pairwise(sides):
        parts.append(f"## {old} to {new}\n\n{_told(compare(before, after))}")
    return "\n".join(parts)


def _told(result: Comparison) -> str:
    if not result.findings:
        return "Nothing that anybody outside of the driver sees.\n"
    lines = []
    for severity, found in groupby(result.findings, key=lambda one: one.rule.severity):
        lines += [f"**{severity}**", "", *(_line(one) for one in found), ""]
    return "\n".join([*lines, *_seen(result)])


def _seen(result: Comparison) -> Iterator[str]:
    """What a system sees of all that, each view of it once."""
    witnesses = dict.fromkeys(one for finding in result.findings for one in finding.witnesses)
    for what, group in groupby(sorted(witnesses, key=lambda one: one.what), lambda one: one.what):
        views = list(group)
        before = dict.fromkeys(line for one in views for line in one.before)
        after = dict.fromkeys(line for one in views for line in one.after)
        yield from (f"{what[0].upper()}{what[1:]}:", "", "```diff")
        yield from (f"-{line}" for line in before)
        yield from (f"+{line}" for line in after)
        yield from ("```", "")


def _line(finding: Finding) -> str:
    breaks = ", ".join(finding.rule.breaks)
    whom = f" ({breaks})" if breaks else ""
    return f"* {finding.message}{whom} `{finding.rule.id}`"


if __name__ == "__main__":
    DOCUMENT.write_text(history(), encoding="utf-8")
