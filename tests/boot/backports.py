# SPDX-License-Identifier: GPL-2.0-or-later
"""`make backports`: every case on its real source, built on real headers, booted in QEMU.

python -m tests.boot.backports [--all | --scenario NAME]... [CASE...]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from tests.backport.cases import CASES, SWAPS, Case
from tests.backport.trees import AUTHOR, git_am, remarks
from tests.kbuild.kernels import source_tree

HEAD = ("series", "change", "mails", "git am", "checkpatch", "contract", "built", "booted")


@dataclass(frozen=True)
class Outcome:
    """What came of a case: the cells of its row, and whether all is as it has to be."""

    cells: tuple[str, ...]
    right: bool


@click.command()
@click.option("--scenario", "scenarios", multiple=True, help="Play this one only.")
@click.option("--all", "every", is_flag=True, help="Play all, not only where the change shows.")
@click.argument("names", nargs=-1, metavar="[CASE]...")
def main(scenarios: tuple[str, ...], every: bool, names: tuple[str, ...]) -> None:
    """Verify the cases whose `SERIES NAME` begins with one of the words, or all."""
    chosen = [case for case in (*CASES, *SWAPS)
              if not names or f"{case.series} {case.name}".startswith(names)]  # fmt: skip
    if not chosen:
        raise click.UsageError(f"no case begins with {' or '.join(names)}")
    failed = 0
    for line in (HEAD, ("---",) * len(HEAD)):
        _row(line)
    for case in chosen:
        outcome = _verify(case, () if every else scenarios or case.scenarios)
        failed += not outcome.right
        _row((case.series, case.name, *outcome.cells))
    sys.exit(1 if failed else 0)


def _row(cells: tuple[str, ...]) -> None:
    click.echo(f"| {' | '.join(cells)} |")


def _verify(case: Case, scenarios: tuple[str, ...]) -> Outcome:
    """Run the command as a user would, and hand its mails to git and checkpatch.pl."""
    source = source_tree(case.series)
    with tempfile.TemporaryDirectory(prefix="pvgen-case-") as name:
        room = Path(name)
        words = ["backport", "--tree", source, "--author", AUTHOR, "--signoff",
                 "--out", room / "mails", "--verify", *case.words(room)]  # fmt: skip
        words += [word for one in scenarios for word in ("--scenario", one)]
        line = [sys.executable, "-m", "gen.cli", *map(str, words)]
        done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            return Outcome((f"FAIL, exit status {done.returncode}: see above",), right=False)
        mails = sorted((room / "mails").glob("*.patch"))
        git_am(source, mails, room / "tree")
        stand, answered = remarks(source, mails, done.stdout)
    # Without what is the same in every row, and without the release, which is that of the headers.
    told = {
        "contract": re.findall(r"^ +contract: (.*)$", done.stdout, re.MULTILINE),
        "built": re.findall(r"^ +built: with W=1 on linux-headers-(\S+).*: (.*)$", done.stdout,
                            re.MULTILINE),
        "booted": re.findall(r"^ +booted: Linux \S+: (.*)$", done.stdout, re.MULTILINE),
    }  # fmt: skip
    told["built"] = [f"{headers}: {words}" for headers, words in told["built"]]
    style = ", ".join([*stand, *(f"{kind} answered" for kind in answered)]).lower() or "clean"
    cells = (str(len(mails)), "applies", style,
             *(", ".join(dict.fromkeys(texts)) for texts in told.values()))  # fmt: skip
    return Outcome(cells, right=not stand and len(mails) == case.mails)


if __name__ == "__main__":
    main()
