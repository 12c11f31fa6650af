# SPDX-License-Identifier: GPL-2.0-or-later
"""The stages in a row: two sides to findings, those that are accepted set apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.diff.detect import changes, item_changes
from gen.diff.policy import judge
from gen.diff.records import Finding, Side, TreeSide
from gen.diff.witness import witnesses
from gen.kernel import KernelFactsError

if TYPE_CHECKING:
    from gen.diff.accept import Accepted
    from gen.diff.records import Change, Item, Severity
    from gen.kernel import Kernel


@dataclass(frozen=True)
class Comparison:
    """The findings of a diff, the worst first; `stale` are acceptances of what is not found."""

    old: Side | TreeSide
    new: Side | TreeSide
    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Accepted], ...] = ()
    stale: tuple[Accepted, ...] = ()

    def reaches(self, gate: Severity) -> bool:
        """Whether a finding is as bad as `gate`, or worse."""
        return any(one.rule.severity.weight >= gate.weight for one in self.findings)


def compare(
    old: Side | TreeSide, new: Side | TreeSide, accepted: tuple[Accepted, ...] = ()
) -> Comparison:
    """Everything that differs between two sides, judged.

    With a side that was read out of C, only what both sides tell is compared, and there is
    nothing to compute witnesses from.
    """
    if isinstance(old, Side) and isinstance(new, Side):
        found = [
            Finding(change, rule, witnesses(change, old.device, new.device))
            for change in changes(old.device, new.device)
            for rule in judge(change)
        ]
    else:
        found = [Finding(one, rule) for one in _told_by_both(old, new) for rule in judge(one)]
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


def _told_by_both(old: Side | TreeSide, new: Side | TreeSide) -> list[Change]:
    unknown = _unknown(old) | _unknown(new)
    left, right = ([_known(item, unknown) for item in _in_c(side)
                    if (item.path, "") not in unknown] for side in (old, new))  # fmt: skip
    return item_changes(left, right)


def _unknown(side: Side | TreeSide) -> frozenset[tuple[str, str]]:
    return side.unknown if isinstance(side, TreeSide) else frozenset()


def _known(item: Item, unknown: frozenset[tuple[str, str]]) -> Item:
    facts = {key: fact for key, fact in item.facts.items() if (item.path, key) not in unknown}
    return replace(item, facts=facts)


def _in_c(side: Side | TreeSide) -> tuple[Item, ...]:
    if isinstance(side, TreeSide):
        return side.items
    from gen.diff.carried import in_c  # noqa: PLC0415 (kconfiglib takes long to load)

    return in_c(side.device)


def with_hunks(result: Comparison, kernel: Kernel) -> Comparison:
    """The findings with the hunks of the rendered files that belong to them.

    Raises:
        KernelFactsError: one side cannot be rendered for the kernel, or was read out of C.
    """
    if isinstance(result.old, TreeSide) or isinstance(result.new, TreeSide):
        raise KernelFactsError("--rendered needs two specs; a side was read out of C")
    from gen.diff.rendered import belonging, rendered_hunks  # noqa: PLC0415 (jinja2 takes long)

    hunks = rendered_hunks(result.old.device, result.new.device, kernel)
    found = (replace(one, hunks=belonging(one.change, hunks)) for one in result.findings)
    return replace(result, findings=tuple(found))
