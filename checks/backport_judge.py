# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checker and the contract reader say of a driver after each mail of a backport."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.backport_read import as_called, laid_out, read_driver, refuse_torn
from checks.backport_report import tell
from checks.run import check_trees
from checks.tree import find_trees
from gen import names
from gen.backport.includes import apply_but_includes
from gen.backport.mail import compare
from gen.backport.records import BackportError, Delta, Patch, Upstream
from gen.backport.scratch import apply_text, diff_of
from gen.backport.upstream import paths_of
from gen.diagnostics import Severity
from gen.diff.carried import in_c
from gen.diff.detect import item_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.run import Report
    from gen.backport.tree import KernelTree
    from gen.kernel import Kernel
    from gen.model import Device

# A finding without its place, which edits move.
Told = tuple[str, str]


def told(report: Report) -> frozenset[Told]:
    """The findings of a report."""
    return frozenset((item.rule, item.message) for item in report.findings)


@dataclass(frozen=True)
class Before:
    """What there was to say of the tree's own driver, which edits may leave as it is.

    `contract` is the one that it keeps, None where it is not edited.
    """

    findings: frozenset[Told] = frozenset()
    differs: tuple[str, ...] = ()
    contract: Device | None = None


@dataclass(frozen=True)
class Step:
    """What one mail leaves: the driver's texts, and what the checker says of them.

    `differs` says where the contract that is read back out of the C is not the one to reach. `had`
    are findings of the driver that a mail without any C leaves as it is.
    """

    patch: Patch
    files: Mapping[str, str | None]
    report: Report
    differs: tuple[str, ...]
    had: frozenset[Told] = frozenset()

    def fresh(self, before: Before) -> list[str]:
        """The rules of findings that the tree did not have."""
        return sorted({rule for rule, message in told(self.report) - before.findings - self.had})

    def strange(self, before: Before) -> list[str]:
        """Where the contract is another, and was not so before."""
        return [line for line in self.differs if line not in before.differs]


def look(
    tree: KernelTree, files: Mapping[str, str | None], contract: Device, kernel: Kernel
) -> tuple[Report, tuple[str, ...]]:
    """The checker's report on a driver, and where its contract is another."""
    with laid_out(tree, files) as room:
        found = [as_called(tree, files, room, one) for one in find_trees([room], contract)]
        report = check_trees(found, contract, kernel)
    try:
        read = read_driver(tree, files, kernel)
    except BackportError as error:
        return report, (str(error),)
    return report, tuple(
        f"{one.path} is {one.new or 'not told'}, not {one.old or 'as it is there'}"
        for one in item_changes(in_c(contract), read.items)
    )


def has_before(tree: KernelTree, old: Device, new: Device, kernel: Kernel) -> Before:
    """What the checker has against the tree's driver, which has to keep the old contract.

    Raises:
        BackportError: it keeps the new one already, a part of it, or neither; or it is not whole.
    """
    report, differs = look(tree, tree.files, old, kernel)
    if not any(rule.startswith("SPEC") for rule, _ in told(report)):
        refuse_torn(tree, kernel)
        return Before(told(report), differs, old)
    after, others = look(tree, tree.files, new, kernel)
    errors = sorted({one.rule for one in after.findings if one.severity is Severity.ERROR})
    if not others and not errors:
        raise BackportError(f"{tree.root}: its driver keeps this contract already", 2)
    done, undone = _progress(tree, old, new, kernel)
    done = done or _named(tree, old, new)
    if not done:
        refuse_torn(tree, kernel)
        tell(report)
        raise BackportError(
            f"{tree.root}: its driver is not the one of Linux {tree.release}; where it is meant to "
            "be as it is, --was names a spec that says so", 2
        )  # fmt: skip
    tell(after)
    lacks = f", and not {', '.join(undone)}" if undone else ""
    rules = f"; the checker finds {', '.join(errors)}" if errors else ""
    raise BackportError(
        f"{tree.root}: the change is partly applied: the driver has {', '.join(done)}{lacks}"
        f"{rules}; take out what is there, or finish it by hand", 2
    )  # fmt: skip


def _named(tree: KernelTree, old: Device, new: Device) -> list[str]:
    """The macros of events that the tree's driver does not send by its contract, and yet names."""
    macros = [names.event_macro(new, one) for one in new.events if one not in old.events]
    sources = [text for path, text in tree.files.items() if path.endswith(".c")]
    return [macro for macro in macros
            if any(re.search(rf"\b{macro}\b", text) for text in sources)]  # fmt: skip


def _progress(
    tree: KernelTree, old: Device, new: Device, kernel: Kernel
) -> tuple[list[str], list[str]]:
    """Which of the changes from one contract to another the tree's driver has, and which not."""
    try:
        read = read_driver(tree, tree.files, kernel).items
    except BackportError:
        return [], []
    wanted = dict.fromkeys(one.path for one in item_changes(in_c(old), in_c(new)))
    from_old, from_new = (
        {one.path for one in item_changes(in_c(side), read)} for side in (old, new)
    )
    done = [path for path in wanted if path not in from_new]
    return done, [path for path in wanted if path not in from_old and path not in done]


def walk(
    tree: KernelTree, base: Mapping[str, str], patches: Sequence[Patch], kernel: Kernel
) -> list[Step]:
    """Look at the driver after each patch, held against the contract that the patch reaches."""
    files: dict[str, str | None] = dict(base)
    steps = []
    for patch in patches:
        old, files = files, {**files, **patch.files}
        report, differs = look(tree, files, patch.contract, kernel)
        if patch.documents_only:  # the driver is not the one of the contract yet
            had = told(look(tree, old, patch.contract, kernel)[0])
            steps.append(Step(patch, files, report, (), had))
        else:
            steps.append(Step(patch, files, report, differs))
    return steps


@dataclass
class Chooser:
    """Takes mainline's own text of a change where it applies and the checker does not object."""

    tree: KernelTree
    kernel: Kernel
    before: Before
    left: list[Upstream]
    refer: bool
    _used: list[str] = field(default_factory=list)

    def __call__(self, patch: Patch, files: Mapping[str, str]) -> Patch:
        """The patch to take: mainline's, or the edit with a note of what is adapted."""
        known = self._claim(patch)
        if known is None:
            return replace(patch, delta=Delta.REWRITTEN) if self.refer and patch.commit else patch
        patch = replace(patch, upstream=known, commit=known.commit or patch.commit)
        applied = apply_text(files, known.diff)
        if not isinstance(applied, str) and not self._objections(patch, {**files, **applied}):
            return replace(patch, files=dict(applied), delta=Delta.IDENTICAL)
        delta = compare(diff_of(files, patch.files), known.diff)
        if delta in {Delta.IDENTICAL, Delta.CONTEXT}:
            return replace(
                patch, delta=delta, note="the context differs" if delta is Delta.CONTEXT else ""
            )
        if isinstance(applied, str):
            rest = apply_but_includes(files, known.diff)
            if rest and not self._objections(patch, {**files, **rest}):
                note = f"adapted to {self.tree.release}: the includes are placed anew"
                return replace(patch, files=dict(rest), delta=Delta.ADAPTED, note=note)
        # Nobody signs for code that another wrote: mainline's author stays out of it.
        return replace(patch, upstream=None, basis=known, delta=Delta.REWRITTEN)

    def _claim(self, patch: Patch) -> Upstream | None:
        for one in self.left:
            named = bool(one.commit and patch.commit)
            same = named and (one.commit or "").startswith(patch.commit or "")
            if same or (not named and paths_of(one.diff) & patch.files.keys()):
                self.left.remove(one)
                return one
        return None

    def _objections(self, patch: Patch, files: Mapping[str, str]) -> list[str]:
        report, differs = look(self.tree, files, patch.contract, self.kernel)
        step = Step(patch, files, report, differs)
        return step.fresh(self.before) or step.strange(self.before)[:1]

    def finish(self) -> None:
        """Nothing that was given may be left over.

        Raises:
            BackportError: a commit of mainline belongs to no mail.
        """
        if self.left:
            raise BackportError(f"{self.left[0].name}: belongs to no mail of this series", 2)
