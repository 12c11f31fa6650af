# SPDX-License-Identifier: GPL-2.0-or-later
"""The stages in a row: two sides to findings, those that are accepted set apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.diff.detect import changes
from gen.diff.policy import judge
from gen.diff.records import Finding
from gen.diff.witness import witnesses

if TYPE_CHECKING:
    from gen.diff.accept import Accepted
    from gen.diff.records import Severity, Side
    from gen.kernel import Kernel


@dataclass(frozen=True)
class Comparison:
    """The findings of a diff, the worst first; `stale` are acceptances of what is not found."""

    old: Side
    new: Side
    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Accepted], ...] = ()
    stale: tuple[Accepted, ...] = ()

    def reaches(self, gate: Severity) -> bool:
        """Whether a finding is as bad as `gate`, or worse."""
        return any(one.rule.severity.weight >= gate.weight for one in self.findings)


def compare(old: Side, new: Side, accepted: tuple[Accepted, ...] = ()) -> Comparison:
    """Everything that differs between two sides, judged."""
    found = [
        Finding(change, rule, witnesses(change, old.device, new.device))
        for change in changes(old.device, new.device)
        for rule in judge(change)
    ]
    found.sort(key=lambda one: -one.rule.severity.weight)
    allowed = {(one.fingerprint, one.rule): one for one in accepted}
    marked = [(one, allowed.pop((one.fingerprint, one.rule.id), None)) for one in found]
    return Comparison(
        old,
        new,
        tuple(one for one, entry in marked if entry is None),
        tuple((one, entry) for one, entry in marked if entry is not None),
        tuple(allowed.values()),
    )


def with_hunks(result: Comparison, kernel: Kernel) -> Comparison:
    """The findings with the hunks of the rendered files that belong to them.

    Raises:
        KernelFactsError: one side cannot be rendered for the kernel.
    """
    from gen.diff.rendered import belonging, rendered_hunks  # noqa: PLC0415 (jinja2 takes long)

    hunks = rendered_hunks(result.old.device, result.new.device, kernel)
    found = (replace(one, hunks=belonging(one.change, hunks)) for one in result.findings)
    return replace(result, findings=tuple(found))
