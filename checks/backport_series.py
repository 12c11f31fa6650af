# SPDX-License-Identifier: GPL-2.0-or-later
"""A series of mails for a kernel tree: planned, looked at, tried, and then written as one set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from checks.backport_evidence import not_run, try_series
from checks.backport_judge import Before, Chooser, has_before, walk
from checks.backport_read import refuse_torn
from checks.backport_report import evidence_lines, report_series, report_stable, tell
from gen.backport.cover import cover_letter, fits, swap_letter
from gen.backport.edits import plan_edits, reached
from gen.backport.effects import compare_exports, compare_headers, tell_effects
from gen.backport.mail import base_files, commit_series
from gen.backport.records import BackportError
from gen.backport.replace import find_place, plan_replace
from gen.backport.stable import judge_series
from gen.backport.tree import open_tree, refuse_other_series
from gen.backport.upstream import read_upstream
from gen.console import say
from gen.diff.compare import compare
from gen.diff.records import Action, Side, TreeSide
from gen.generate import generate, read_device
from gen.kernel_load import load_kernels
from gen.model_restrict import NothingLeftError, carry, restrict
from gen.output import write
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from checks.backport_evidence import Trial
    from checks.backport_judge import Step
    from gen.backport.mail import Sender
    from gen.backport.records import Patch
    from gen.backport.stable import Judged
    from gen.backport.tree import KernelTree
    from gen.generate import Generation


@dataclass(frozen=True)
class Wish:
    """Which mails are wanted: for which tree, of which spec, of what kind, whose, whether tried."""

    root: Path
    spec: Path | None
    kernel: str | None
    as_of: str | None
    swap: bool
    was: Path | None
    upstream: tuple[str, ...]
    sender: Sender
    trial: Trial | None

    @property
    def stable(self) -> bool:
        """Whether it is meant for a stable tree."""
        return self.sender.refer

    @property
    def again(self) -> str:
        """The words of a command line that name the same contract."""
        words = [f"--spec {self.spec.resolve()}"] if self.spec else []
        words += [f"--as-of {self.as_of}"] if self.as_of else []
        return " ".join(["", *words])


@dataclass(frozen=True)
class Plan:
    """The patches for a tree, and what there was to say of its driver before them."""

    tree: KernelTree
    generation: Generation
    patches: Sequence[Patch]
    before: Before


def has_headers(root: Path | None) -> bool:
    """Whether a tree has the headers that tell what it offers."""
    return root is not None and (root / "include/linux/module.h").is_file()


def make_mails(wish: Wish, out: Path) -> int:
    """Make the mails, check and try what each leaves behind, then write them all.

    Returns:
        The exit status: 0, or 1 where the checker objects or it is no series for a stable tree.

    Raises:
        BackportError: it cannot be done, or not with certainty. So, too, for the others.
        GenerationError: a spec, a series or a release is wrong.
        LabError: it could not be tried.
        OutputError: the mails could not be written.
    """
    plan = _plan(wish, out)
    tree, kernel, patches = plan.tree, plan.generation.kernel, plan.patches
    base = base_files(tree, patches)
    steps = walk(tree, base, patches, kernel)
    objections = _objections(steps, plan.before, wish)
    with commit_series(tree, patches, wish.sender) as series:
        newer = [
            one for one in load_kernels(kernel_directory()).all if one.release > kernel.release
        ]
        judged = judge_series(patches, series.diffs, newer)
        evidence = not_run(len(steps))
        if wish.trial is not None:
            evidence = try_series(tree, steps, plan.before, kernel, wish.trial)
        lines = evidence_lines(steps, evidence, plan.before)
        fit = wish.stable and fits(judged)
        prefix = f"PATCH {tree.release.series}.y" if fit else "PATCH"
        flat = [line for mail in lines for line in mail]
        letter = _letter(plan, judged, flat, wish)
        mails = series.mails(prefix, letter)
    write(out, {mail.name: mail.text for mail in mails}, new=True)
    report_series(tree, out, mails, lines, plan.before)
    click.echo(f"  reproduce, in {tree.root}: git am {out.resolve()}/*.patch, "
               f"then pvgen check --kernel {kernel.series}{wish.again} .")  # fmt: skip
    if wish.stable:
        report_stable(judged, tree, out)
    return 1 if objections or (wish.stable and not fit) else 0


def _letter(
    plan: Plan, judged: Sequence[Judged], evidence: Sequence[str], wish: Wish
) -> str | None:
    """The letter before the mails: for a stable tree, or where a swap takes more than one."""
    if wish.stable:
        return cover_letter(judged, plan.tree, plan.generation.notes, evidence)
    if wish.swap and len(plan.patches) > 1:
        return swap_letter(plan.patches, plan.tree, evidence)
    return None


def _plan(wish: Wish, out: Path) -> Plan:
    """What the tree is, what is to be rendered for it, and the patches."""
    root = wish.root
    refuse_other_series(root, wish.kernel)
    # A tree is known by its headers, where it has them; the number only names a series.
    probed = root if has_headers(root) else None
    tree = open_tree(root, read_device(wish.spec))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BackportError(f"{out} is not empty; mails go to a new directory", 2)
    if out.resolve().is_relative_to(root.resolve()):
        raise BackportError(f"{out} is in the tree, which is only read", 2)
    place = find_place(tree) if wish.swap else None
    series = None if probed else wish.kernel
    generation = generate(wish.spec, series, wish.as_of, probed, place)
    for note in generation.notes:
        say(f"note: {note}")
    if wish.swap:
        patches = plan_replace(tree, generation, _effects(tree, generation))
        return Plan(tree, generation, patches, Before())
    return _edits(tree, generation, wish)


def _effects(tree: KernelTree, generation: Generation) -> str:
    """What changes for users where the rendered driver takes the place of the tree's own."""
    kernel = generation.kernel
    read = refuse_torn(tree, kernel)
    old = TreeSide("the tree", read.items, read.unknown)
    new = Side("the spec", carry(generation.device, kernel)[0])
    header = f"uapi/{generation.device.uapi.path}"
    types = compare_headers(tree.text(f"include/{header}"), generation.files[header])
    exports = compare_exports(_sources(tree.files), _sources(generation.files))
    return tell_effects(compare(old, new).findings, [*types, *exports], generation.notes)


def _sources(files: Mapping[str, str]) -> list[str]:
    return [text for path, text in files.items() if path.endswith(".c")]


def _edits(tree: KernelTree, generation: Generation, wish: Wish) -> Plan:
    """The edits of the tree's own text, and what the checker has against it before them."""
    kernel = generation.kernel
    whole = read_device(wish.was) if wish.was else generation.device
    known = [read_upstream(name, tree.root) for name in wish.upstream]
    new = carry(generation.device, kernel)[0]
    try:
        old = reached(tree, carry(restrict(whole, tree.release, shared=True), kernel)[0], new)
    except NothingLeftError as error:
        raise BackportError(str(error)) from None
    before = Before() if tree.single else has_before(tree, old, new, kernel)
    choose = Chooser(tree, kernel, before, known, wish.stable)
    patches = plan_edits(tree, old, new, kernel, choose)
    choose.finish()
    for change in (one for patch in patches for one in patch.changes):
        if (change.subject, change.action) == ("event.bit", Action.CHANGED):
            say(f"warning: {change.path}: {change.old} becomes {change.new}, and that bit is known "
                "to programs built with the header, and to hosts")  # fmt: skip
    return Plan(tree, generation, patches, before)


def _objections(steps: Sequence[Step], before: Before, wish: Wish) -> bool:
    """Whether the checker objects, or the driver's contract is another than the mail's.

    Raises:
        BackportError: it does so to an edited driver.
    """
    found = False
    for number, step in enumerate(steps, 1):
        if step.fresh(before):
            say(f"after mail {number}:")
            tell(step.report)
            found = True
        for line in step.strange(before):
            say(f"the contract that is read out of the C: {line}")
            found = True
    if found and not wish.swap:
        raise BackportError("the edited driver is not right; nothing is written")
    return found
