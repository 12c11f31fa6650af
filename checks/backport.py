# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `pvgen backport`."""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

import click

from checks.backport_evidence import Trial
from checks.backport_report import tell
from checks.backport_series import Wish, has_headers, make_mails
from checks.run import check_paths
from gen.backport.mail import Sender
from gen.backport.records import BackportError
from gen.backport.scratch import check_author
from gen.console import fail, report, say
from gen.generate import generate
from gen.lab.problem import LabError
from gen.model_restrict import carry
from gen.options import PathName, as_of_option, kernel_option, spec_option
from gen.output import OutputError, write
from gen.specs import GenerationError

if TYPE_CHECKING:
    from pathlib import Path

    from gen.generate import Generation


@click.command()
@spec_option
@kernel_option
@as_of_option
@click.option(
    "--tree",
    "root",
    type=PathName(file_okay=False),
    help="Kernel tree to make mails for: a git work tree or an unpacked source; it is only read.",
)
@click.option(
    "--replace", "swap", is_flag=True, help="Swap the tree's driver for the rendered one."
)
@click.option(
    "--was",
    type=PathName(),
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
    type=PathName(),
    help="With --verify: build for these headers, not for the distribution's of the series.",
)
@click.option("--scenario", "scenarios", multiple=True, help="With --verify: play this one only.")
@click.option(
    "--guests", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time."
)
@click.option(
    "--out",
    type=PathName(file_okay=False),
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
        "--kernel is needed: the series to bring the driver to": not kernel and root is None,
        f"--kernel is needed: {root} has no headers that tell what it offers": (
            root is not None and not (kernel or has_headers(root))
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
        if root is None:
            sys.exit(_render(generate(spec, kernel, as_of), out))
        sender = Sender(check_author(author), signoff, stable)
        trial = Trial(kdir, scenarios, guests, say) if verify else None
        sys.exit(
            make_mails(Wish(root, spec, kernel, as_of, swap, was, upstream, sender, trial), out)
        )
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except LabError as error:
        fail(f"it could not be tried, so nothing is written: {error}", 3)
    except (OutputError, BackportError) as error:
        fail(str(error), error.status)
    except OSError as error:  # a full disk, most likely that of the scratch files
        fail(f"{error.filename or tempfile.gettempdir()}: {error.strerror or error}", 3)


def _render(generation: Generation, out: Path) -> int:
    """Write the rendered driver and check it; the exit status."""
    for note in generation.notes:
        say(f"note: {note}")
    changes = write(out, generation.files)
    say(f"{out}: {len(generation.files)} files, {len(changes)} changed")
    contract = carry(generation.device, generation.kernel)[0]
    result = check_paths([out], contract, generation.kernel)
    tell(result)
    rules = ", ".join(sorted({item.rule for item in result.findings})) or "nothing"
    click.echo(f"rendered for Linux {generation.kernel.series}: the checker finds {rules}")
    click.echo(f"  build it: make modules OUT={out} KDIR=<headers of {generation.kernel.series}>")
    return result.status
