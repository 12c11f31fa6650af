# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `pvgen backport`."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checks.report import as_text
from checks.run import check_paths
from gen.backport.mail import base_files, make_mails
from gen.backport.records import BackportError
from gen.backport.replace import plan_replace
from gen.backport.tree import open_tree
from gen.console import fail, report, say
from gen.generate import GenerationError, generate
from gen.model_restrict import carry
from gen.options import as_of_option, kernel_option, spec_option
from gen.output import OutputError, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.run import Report
    from gen.backport.records import Mail, Patch
    from gen.backport.tree import KernelTree
    from gen.generate import Generation
    from gen.kernel import Kernel

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
    if root is not None and not swap:
        fail("--tree needs --replace: the tree's own text is not edited yet", 2)
    try:
        generation = generate(spec, kernel, as_of)
        for note in generation.notes:
            say(f"note: {note}")
        if root is None:
            _render(generation, out)
        else:
            _mail(generation, root, out, author or "", sign=signoff)
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


def _mail(generation: Generation, root: Path, out: Path, author: str, *, sign: bool) -> None:
    """Make the mails, check what each leaves behind, then write them all."""
    tree = open_tree(root, generation.device)
    _same_series(tree, generation.kernel)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BackportError(f"{out} is not empty; mails go to a new directory", 2)
    patches = [plan_replace(tree, generation)]
    mails = make_mails(tree, patches, author, sign=sign)
    results = check_steps(tree, patches, generation.kernel)
    for result in results:
        _tell(result)
    _write(out, mails)
    click.echo(f"{root}: Linux {tree.release}, {len(mails)} mails")
    for mail, result in zip(mails, results, strict=True):
        click.echo(f"  {out / mail.name}: applies with git am; {_verdict(result)}")
    click.echo(f"  reproduce: git am {out}/*.patch, then pvgen check {tree.parent}")
    sys.exit(max(result.status for result in results))


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
    count = len(result.findings)
    return "the checker finds nothing" if not count else f"the checker has {count} findings"


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
