# SPDX-License-Identifier: GPL-2.0-or-later
"""What `pvgen backport` says of the mails that it made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from checks.report import as_text
from gen.backport.cover import verdict
from gen.backport.mail import COVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from checks.backport_evidence import Evidence
    from checks.backport_judge import Before, Step
    from checks.run import Report
    from gen.backport.records import Mail
    from gen.backport.stable import Judged
    from gen.backport.tree import KernelTree


def evidence_lines(
    steps: Sequence[Step], evidence: Evidence, before: Before
) -> list[tuple[str, ...]]:
    """What was tried of each mail, the boot with the last."""
    told_of = []
    for number, (step, build) in enumerate(zip(steps, evidence.builds, strict=True), 1):
        finds = ", ".join(step.fresh(before)) or "nothing new"
        count, old = len(step.strange(before)), len(step.differs)
        same = f"equal, but for {old} facts that differed before" if old else "equal"
        lines = ["applied: with git am", f"checked: the checker finds {finds}"]
        if step.patch.documents_only:
            lines.append("driver: not touched, so there is nothing to build")
        else:
            lines.append(f"contract: {f'{count} facts differ' if count else same}")
            lines.append(f"built: {build}")
        lines += [f"MAINTAINERS: {text}" for text in step.patch.maintained]
        lines += [f"comment: {place} stands by what changes, and stays: see whether it still holds"
                  for place in step.patch.remarks]  # fmt: skip
        told_of.append(tuple(f"mail {number} {line}" for line in lines))
    told_of[-1] = (*told_of[-1], f"booted: {evidence.boot}")
    return told_of


def report_series(
    tree: KernelTree,
    out: Path,
    mails: Sequence[Mail],
    lines: Sequence[tuple[str, ...]],
    before: Before,
) -> None:
    """Say what each mail is, and what was tried of it."""
    patches = [mail for mail in mails if mail.name != COVER]
    count = f"{len(patches)} mail{'s' if len(patches) != 1 else ''}"
    click.echo(f"{tree.root}: Linux {tree.release}, {count}")
    for mail, evidence in zip(patches, lines, strict=True):
        click.echo(f"  {out / mail.name}")
        for line in evidence:
            click.echo(f"    {re.sub('^mail [0-9]+ ', '', line)}")
    if before.findings:
        rules = ", ".join(sorted({rule for rule, _ in before.findings}))
        click.echo(f"  the tree's driver has had before: {rules}")


def report_stable(judged: Sequence[Judged], tree: KernelTree, out: Path) -> None:
    """Say what stable trees make of it."""
    click.echo(f"{out / COVER}: {verdict(judged, tree)}")
    for number, one in enumerate(judged, 1):
        for ruling in one.rulings:
            click.echo(f"  mail {number}, {ruling}")


def tell(result: Report) -> None:
    """Show what the checker finds, on stderr."""
    if result.findings:
        click.echo(as_text(result, colour=False), err=True)
