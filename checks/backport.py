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

from checks.report import as_text
from checks.run import check_paths
from gen.backport.edits import plan_edits
from gen.backport.mail import base_files, make_mails
from gen.backport.records import BackportError, Patch
from gen.backport.replace import plan_replace
from gen.backport.tree import open_tree
from gen.console import fail, report, say
from gen.generate import generate, read_device
from gen.model_restrict import NothingLeftError, carry, restrict
from gen.options import as_of_option, kernel_option, spec_option
from gen.output import OutputError, write
from gen.specs import GenerationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.run import Report
    from gen.backport.records import Mail
    from gen.backport.tree import KernelTree
    from gen.generate import Generation
    from gen.kernel import Kernel

# A finding without its place, which edits move.
_Told = tuple[str, str]
_AUTHOR = re.compile(r"[^<>\n]+ <[^<>\s]+@[^<>\s]+>")


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
    out: Path,
) -> None:
    """Bring the driver to a kernel: as a directory to build, or as mails for a kernel tree.

    Exit status: 0 made and checked, 1 the checker objects, 2 wrong usage or tree, 3 it cannot be
    done with certainty. Whatever is not 0 or 1 has written nothing.
    """
    if kernel is None:
        fail("--kernel is needed: the series to bring the driver to", 2)
    if root is not None and not _AUTHOR.fullmatch(author or ""):
        fail("with --tree, --author is needed, such as 'A U Thor <author@example.org>'", 2)
    if (swap or was) and (root is None or (swap and was)):
        fail("--replace and --was go with --tree, and not with each other", 2)
    try:
        generation = generate(spec, kernel, as_of)
        for note in generation.notes:
            say(f"note: {note}")
        if root is None:
            _render(generation, out)
        else:
            wish = _Wish(swap, was, as_of, author or "", signoff)
            _mail(generation, root, out, wish)
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except (OutputError, BackportError) as error:
        fail(str(error), error.status)


def _render(generation: Generation, out: Path) -> None:
    """Write the rendered driver and check it."""
    changes = write(out, generation.files)
    say(f"{out}: {len(generation.files)} files, {len(changes)} changed")
    contract = carry(generation.device, generation.kernel)[0]
    result = check_paths([out], contract, generation.kernel)
    _tell(result)
    click.echo(f"rendered for Linux {generation.kernel.series}: {_verdict(result)}")
    click.echo(f"  build it: make modules OUT={out} KDIR=<headers of {generation.kernel.series}>")
    sys.exit(result.status)


@dataclass(frozen=True)
class _Wish:
    """What kind of mails, and whose."""

    swap: bool
    was: Path | None
    as_of: str | None
    author: str
    sign: bool


def _mail(generation: Generation, root: Path, out: Path, wish: _Wish) -> None:
    """Make the mails, check what each leaves behind, then write them all."""
    tree = open_tree(root, generation.device)
    _same_series(tree, generation.kernel)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BackportError(f"{out} is not empty; mails go to a new directory", 2)
    if wish.swap:
        patches, before = [plan_replace(tree, generation)], frozenset[_Told]()
    else:
        patches, before = _edits(tree, generation, wish)
    mails = make_mails(tree, patches, wish.author, sign=wish.sign)
    results = check_steps(tree, patches, generation.kernel)
    fresh = [_fresh(*pair, before) for pair in zip(results, patches, strict=True)]
    for result, new in zip(results, fresh, strict=True):
        if new:
            _tell(result)
    if any(fresh) and not wish.swap:
        raise BackportError("the checker objects to the edited driver; nothing is written")
    _write(out, mails)
    click.echo(f"{root}: Linux {tree.release}, {len(mails)} mails")
    for mail, new, patch in zip(mails, fresh, patches, strict=True):
        later = f", but {', '.join(sorted(patch.open))} until the next mail" if patch.open else ""
        verdict = f"the checker finds {', '.join(new) or 'nothing new'}{later}"
        click.echo(f"  {out / mail.name}: applied with git am; {verdict}")
    if before:
        rules = ", ".join(sorted({rule for rule, _ in before}))
        click.echo(f"  the tree's driver has had before: {rules}")
    click.echo(f"  reproduce: git am {out}/*.patch, then pvgen check {tree.home}")
    sys.exit(1 if any(fresh) else 0)


def _edits(
    tree: KernelTree, generation: Generation, wish: _Wish
) -> tuple[list[Patch], frozenset[_Told]]:
    """The edits of the tree's own text, and what the checker has against it before them."""
    kernel = generation.kernel
    whole = read_device(wish.was) if wish.was else generation.device
    try:
        old = carry(restrict(whole, tree.release, shared=True), kernel)[0]
    except NothingLeftError as error:
        raise BackportError(str(error)) from None
    patches = plan_edits(tree, old, carry(generation.device, kernel)[0], kernel)
    before = check_steps(tree, [Patch("", "", {}, old)], kernel)[0]
    if any(item.rule.startswith("SPEC") for item in before.findings):
        _tell(before)
        raise BackportError(f"{tree.root}: its driver is not the one of Linux {tree.release}", 2)
    return patches, frozenset((item.rule, item.message) for item in before.findings)


def _fresh(result: Report, patch: Patch, before: frozenset[_Told]) -> list[str]:
    """The rules of findings that the tree did not have, and that no later patch answers."""
    left = [item for item in result.findings if (item.rule, item.message) not in before]
    return sorted({item.rule for item in left} - patch.open)


def _same_series(tree: KernelTree, kernel: Kernel) -> None:
    if tree.release.series != kernel.release:
        raise BackportError(f"{tree.root}: is Linux {tree.release}, not {kernel.series}", 2)


def check_steps(tree: KernelTree, patches: Sequence[Patch], kernel: Kernel) -> list[Report]:
    """What the checker says of the driver after each patch, held against the patch's contract."""
    files: dict[str, str | None] = dict(base_files(tree, patches))
    results = []
    for patch in patches:
        files |= patch.files
        with tempfile.TemporaryDirectory(prefix="pvgen-") as room:
            for path, text in files.items():
                # The parent's Kconfig and Makefile are about other drivers.
                others = path in {f"{tree.parent}/Kconfig", f"{tree.parent}/Makefile"}
                if text is not None and not others:
                    place = Path(room) / path
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_text(text, encoding="utf-8")
            results.append(check_paths([Path(room)], patch.contract, kernel))
    return results


def _tell(result: Report) -> None:
    if result.findings:
        click.echo(as_text(result, colour=False), err=True)


def _verdict(result: Report) -> str:
    return f"the checker finds {', '.join(sorted({i.rule for i in result.findings})) or 'nothing'}"


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
