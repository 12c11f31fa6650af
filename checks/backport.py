# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `pvgen backport`."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checks.backport_evidence import Trial, not_run, try_series
from checks.backport_judge import Before, Chooser, Step, look, told, walk
from checks.backport_report import evidence_lines, report_series, report_stable, tell
from checks.run import check_paths
from gen.backport.cover import cover_letter, fits
from gen.backport.edits import plan_edits, reached
from gen.backport.mail import Sender, base_files, commit_series, person
from gen.backport.records import BackportError
from gen.backport.replace import plan_replace
from gen.backport.stable import judge_series
from gen.backport.tree import open_tree, refuse_other_series
from gen.backport.upstream import read_upstream
from gen.console import fail, report, say
from gen.generate import generate, read_device
from gen.kernel_load import load_kernels
from gen.lab.problem import LabError
from gen.model_restrict import NothingLeftError, carry, restrict
from gen.options import as_of_option, kernel_option, spec_option
from gen.output import OutputError, write
from gen.resources import kernel_directory
from gen.specs import GenerationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.backport.records import Mail, Patch
    from gen.backport.tree import KernelTree
    from gen.generate import Generation
    from gen.kernel import Kernel
    from gen.model import Device

_AUTHOR = re.compile(r"[^<>]+ <[^<>\s]+@[^<>\s]+>")


@click.command()
@spec_option
@kernel_option
@as_of_option
@click.option(
    "--tree",
    "root",
    type=click.Path(path_type=Path, file_okay=False),
    help="Kernel tree to make mails for: a git work tree or an unpacked source; it is only read.",
)
@click.option(
    "--replace", "swap", is_flag=True, help="Swap the tree's driver for the rendered one."
)
@click.option(
    "--was",
    type=click.Path(path_type=Path),
    help="The spec that the tree's driver keeps; without it, --spec as of the tree's release.",
)
@click.option("--author", metavar="NAME <MAIL>", help="Author of the mails; needed with --tree.")
@click.option("--signoff", is_flag=True, help="The author signs the mails off.")
@click.option(
    "--stable",
    is_flag=True,
    help="Hold the series against the rules of stable trees; adds a cover letter.",
)
@click.option(
    "--upstream",
    multiple=True,
    metavar="MAIL|COMMIT",
    help="Mainline's patch of a change: a mail, or a commit of the tree. Can be repeated.",
)
@click.option("--verify", is_flag=True, help="Build after each mail, and boot the last.")
@click.option(
    "--kdir",
    metavar="KDIR",
    type=click.Path(path_type=Path),
    help="With --verify: build for these headers, not for the distribution's of the series.",
)
@click.option("--scenario", "scenarios", multiple=True, help="With --verify: play this one only.")
@click.option(
    "--guests", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory for the rendered driver, or a new one for the mails.",
)
def backport(  # noqa: PLR0917 (an option is a parameter)
    spec: Path | None,
    kernel: str | None,
    as_of: str | None,
    root: Path | None,
    swap: bool,
    was: Path | None,
    author: str | None,
    signoff: bool,
    stable: bool,
    upstream: tuple[str, ...],
    verify: bool,
    kdir: Path | None,
    scenarios: tuple[str, ...],
    guests: int,
    out: Path,
) -> None:
    """Bring the driver to a kernel: as a directory to build, or as mails for a kernel tree.

    Exit status: 0 made; 1 made, but the checker objects to a rendered driver, or a series is no
    material for a stable tree; 2 wrong usage or tree; 3 it cannot be done with certainty, or
    trying it failed. Whatever is not 0 or 1 has written nothing.
    """
    edits = bool(was or stable or upstream)
    wrong = {
        "--kernel is needed: the series to bring the driver to": not (kernel or _has_headers(root)),
        "with --tree, --author is needed, such as 'A U Thor <author@example.org>'": (
            root is not None
            and not (_AUTHOR.fullmatch(author or "") and (author or "").isprintable())
        ),
        "--replace, --was, --stable, --upstream and --verify go with --tree": (
            root is None and (swap or edits or verify)
        ),
        "--was, --stable and --upstream are about edits, and --replace makes none": swap and edits,
        "--stable needs --signoff: no tree takes a mail without it": stable and not signoff,
        "--kdir and --scenario go with --verify": bool(kdir or scenarios) and not verify,
    }
    for message in (text for text, holds in wrong.items() if holds):
        fail(message, 2)
    try:
        if root is not None:
            refuse_other_series(root, kernel)
        # A tree is known by its headers, where it has them; the number only names a series.
        probed = root if _has_headers(root) else None
        generation = generate(spec, None if probed else kernel, as_of, probed)
        for note in generation.notes:
            say(f"note: {note}")
        if root is None:
            _render(generation, out)
        else:
            trial = Trial(kdir, scenarios, guests, say) if verify else None
            sender = Sender(person(author or ""), signoff, stable)
            again = [f"--spec {spec}"] if spec else []
            again += [f"--as-of {as_of}"] if as_of else []
            wish = _Wish(swap, was, upstream, sender, trial, " ".join(["", *again]))
            _mail(generation, root, out, wish)
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except LabError as error:
        fail(f"it could not be tried, so nothing is written: {error}", 3)
    except (OutputError, BackportError) as error:
        fail(str(error), error.status)
    except OSError as error:  # a full disk, most likely that of the scratch files
        fail(f"{error.filename or tempfile.gettempdir()}: {error.strerror or error}", 3)


def _has_headers(root: Path | None) -> bool:
    """Whether a tree has the headers that tell what it offers."""
    return root is not None and (root / "include/linux/module.h").is_file()


def _render(generation: Generation, out: Path) -> None:
    """Write the rendered driver and check it."""
    changes = write(out, generation.files)
    say(f"{out}: {len(generation.files)} files, {len(changes)} changed")
    contract = carry(generation.device, generation.kernel)[0]
    result = check_paths([out], contract, generation.kernel)
    tell(result)
    rules = ", ".join(sorted({item.rule for item in result.findings})) or "nothing"
    click.echo(f"rendered for Linux {generation.kernel.series}: the checker finds {rules}")
    click.echo(f"  build it: make modules OUT={out} KDIR=<headers of {generation.kernel.series}>")
    sys.exit(result.status)


@dataclass(frozen=True)
class _Wish:
    """What kind of mails, whose, and whether they are tried."""

    swap: bool
    was: Path | None
    upstream: tuple[str, ...]
    sender: Sender
    trial: Trial | None
    again: str

    @property
    def stable(self) -> bool:
        """Whether it is meant for a stable tree."""
        return self.sender.refer


def _mail(generation: Generation, root: Path, out: Path, wish: _Wish) -> None:
    """Make the mails, check and try what each leaves behind, then write them all."""
    tree, kernel = open_tree(root, generation.device), generation.kernel
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BackportError(f"{out} is not empty; mails go to a new directory", 2)
    if out.resolve().is_relative_to(root.resolve()):
        raise BackportError(f"{out} is in the tree, which is only read", 2)
    if wish.swap:
        patches, before = [plan_replace(tree, generation)], Before()
    else:
        patches, before = _edits(tree, generation, wish)
    base = base_files(tree, patches)
    steps = walk(tree, base, patches, kernel)
    objections = _objections(steps, before, wish)
    with commit_series(tree, patches, wish.sender) as series:
        newer = [
            one for one in load_kernels(kernel_directory()).all if one.release > kernel.release
        ]
        judged = judge_series(patches, series.diffs, newer)
        evidence = not_run(len(steps))
        if wish.trial is not None:
            evidence = try_series(tree, base, steps, kernel, wish.trial)
        lines = evidence_lines(steps, evidence, before)
        fit = wish.stable and fits(judged)
        prefix = f"PATCH {tree.release.series}.y" if fit else "PATCH"
        flat = [line for mail in lines for line in mail]
        letter = cover_letter(judged, tree, generation.notes, flat) if wish.stable else None
        mails = series.mails(prefix, letter)
    _write(out, mails)
    report_series(tree, out, mails, lines, before)
    click.echo(f"  reproduce: git am {out}/*.patch, then pvgen check --kernel {kernel.series}"
               f"{wish.again} {tree.home} include/uapi/{generation.device.uapi.path}")  # fmt: skip
    if wish.stable:
        report_stable(judged, tree, out)
    sys.exit(1 if objections or (wish.stable and not fit) else 0)


def _edits(tree: KernelTree, generation: Generation, wish: _Wish) -> tuple[list[Patch], Before]:
    """The edits of the tree's own text, and what the checker has against it before them."""
    kernel = generation.kernel
    whole = read_device(wish.was) if wish.was else generation.device
    known = [read_upstream(name, tree.root) for name in wish.upstream]
    new = carry(generation.device, kernel)[0]
    try:
        old = reached(tree, carry(restrict(whole, tree.release, shared=True), kernel)[0], new)
    except NothingLeftError as error:
        raise BackportError(str(error)) from None
    before = Before() if tree.single else _has_before(tree, old, new, kernel)
    choose = Chooser(tree, kernel, before, known, wish.stable)
    patches = plan_edits(tree, old, new, kernel, choose)
    choose.finish()
    return patches, before


def _has_before(tree: KernelTree, old: Device, new: Device, kernel: Kernel) -> Before:
    """What the checker has against the tree's driver, which has to keep the old contract.

    Raises:
        BackportError: it keeps the new one already, or neither.
    """
    report, differs = look(tree, tree.files, old, kernel)
    if any(rule.startswith("SPEC") for rule, _ in told(report)):
        after, others = look(tree, tree.files, new, kernel)
        if not others and not any(rule.startswith("SPEC") for rule, _ in told(after)):
            raise BackportError(f"{tree.root}: its driver keeps this contract already", 2)
        tell(report)
        raise BackportError(f"{tree.root}: its driver is not the one of Linux {tree.release}", 2)
    return Before(told(report), differs)


def _objections(steps: Sequence[Step], before: Before, wish: _Wish) -> bool:
    """Whether the checker objects, or the driver's contract is another than the mail's.

    Raises:
        BackportError: it does so to an edited driver.
    """
    found = False
    for step in steps:
        if step.fresh(before):
            tell(step.report)
            found = True
        for line in step.strange(before):
            say(f"the contract that is read out of the C: {line}")
            found = True
    if found and not wish.swap:
        raise BackportError("the edited driver is not right; nothing is written")
    return found


def _write(out: Path, mails: Sequence[Mail]) -> None:
    """All mails or none: they are written beside the directory, which then gets its name."""
    room = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        room.chmod(0o755)
        for mail in mails:
            (room / mail.name).write_text(mail.text, encoding="utf-8", newline="")
        room.replace(out)
    except OSError as error:
        raise BackportError(f"{out}: {error.strerror}") from None
    finally:
        if room is not None:
            shutil.rmtree(room, ignore_errors=True)
