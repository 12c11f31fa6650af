# SPDX-License-Identifier: GPL-2.0-or-later
"""`make backports`: every case on its real source, built on real headers, booted in QEMU.

python -m tests.boot.backports [--scenario NAME]... [CASE...]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tests.backport.cases import CASES, SWAPS, Case
from tests.backport.trees import AUTHOR
from tests.kbuild.kernels import source_tree


@click.command()
@click.option("--scenario", "scenarios", multiple=True, help="Play this one only.")
@click.argument("names", nargs=-1, metavar="[CASE]...")
def main(scenarios: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Verify the cases whose `SERIES NAME` begins with one of the words, or all."""
    chosen = [case for case in (*CASES, *SWAPS)
              if not names or f"{case.series} {case.name}".startswith(names)]  # fmt: skip
    if not chosen:
        raise click.UsageError(f"no case begins with {' or '.join(names)}")
    failed = 0
    for case in chosen:
        status, told = _verify(case, scenarios)
        failed += status != 0
        click.echo(f"{case.series:6}{case.name:20}{'pass' if not status else 'FAIL':6}{told}")
    sys.exit(1 if failed else 0)


def _verify(case: Case, scenarios: tuple[str, ...]) -> tuple[int, str]:
    """Run the command as a user would; its status, and what it says in the end."""
    with tempfile.TemporaryDirectory(prefix="pvgen-case-") as name:
        room = Path(name)
        words = ["backport", "--tree", source_tree(case.series), "--author", AUTHOR, "--signoff",
                 "--out", room / "mails", "--verify", *case.words(room)]  # fmt: skip
        words += [word for one in scenarios for word in ("--scenario", one)]
        line = [sys.executable, "-m", "gen.cli", *map(str, words)]
        done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=False)
    found = re.findall(r"^ +(built|booted): (.*)$", done.stdout, re.MULTILINE)
    builds = [text for kind, text in found if kind == "built"]
    boots = [text for kind, text in found if kind == "booted"]
    told = (
        f"{len(builds)} built {builds[0]}; booted {boots[0]}" if builds and boots else "see above"
    )
    return done.returncode, told


if __name__ == "__main__":
    main()
