# SPDX-License-Identifier: GPL-2.0-or-later
"""A run that ends at any of its system calls: `python -m tests.hostile.faults [STEP]`.

strace counts the calls of one kind that a whole run makes, then a run is killed, or told that the
disk is full, at each STEP-th of them. What is there afterwards is the old set of files or the new
one, and the next run makes the new one and leaves nothing else. So `gen` is tried, which replaces
a set, and `backport`, which makes one where there is none and only reads the kernel tree.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.backport.trees import AUTHOR, SPEC, make_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
# The calls that change something on the disk.
KILLED = ("mkdir", "link", "linkat", "unlink", "unlinkat", "rmdir", "rename", "renameat2", "fsync",
          "write", "flock", "fchmodat", "chmod")  # fmt: skip
FULL = ("mkdir", "link", "linkat", "write", "fsync")
OLD, NEW = "5.10", "7.3"


def pvgen(*words: object, before: Sequence[str] = ()) -> int:
    """Run the command; its exit status, negative for a signal."""
    line = [*before, sys.executable, "-m", "gen.cli", *map(str, words)]
    fixed = {**os.environ, "SOURCE_DATE_EPOCH": "1"}
    return subprocess.run(line, cwd=ROOT, capture_output=True, check=False, env=fixed).returncode


def contents(out: Path) -> dict[str, bytes]:
    """The files of a directory; nothing if there is none."""
    return {str(path.relative_to(out)): path.read_bytes()
            for path in sorted(out.rglob("*")) if path.is_file()}  # fmt: skip


class Bench:
    """The two sets of `gen`, and a place where runs are disturbed."""

    name = "gen"
    strace: tuple[str, ...] = ("strace", "-f", "-qq")

    def __init__(self, room: Path) -> None:
        self.room = room
        self.old, self.new = room / "old", room / "new"
        assert pvgen("gen", "--kernel", OLD, "--out", self.old) == 0
        assert self.run(self.new) == 0

    def run(self, out: Path, *before: str) -> int:
        """Make the new set in a directory."""
        return pvgen("gen", "--kernel", NEW, "--out", out, before=before)

    def place(self) -> Path:
        """A directory with the old set."""
        home = Path(tempfile.mkdtemp(dir=self.room))
        if self.old.exists():
            shutil.copytree(self.old, home / "out")
        return home / "out"

    def count(self, call: str) -> int:
        """How many calls of a kind a run makes that has all to replace."""
        log = self.room / "strace"
        assert self.run(self.place(), *self.strace, "-e", f"trace={call}", "-o", str(log)) == 0
        lines = log.read_text(errors="replace")
        return len(re.findall(rf"^(?:\d+ +)?{call}\(", lines, re.MULTILINE))

    def disturb(self, call: str, number: int, fault: str) -> int:
        """One run with a fault at one call, and the run after it; the status of the first."""
        out = self.place()
        status = self.run(out, *self.strace, "-o", "/dev/null", "-e", f"trace={call}",
                          "-e", f"inject={call}:{fault}:when={number}")  # fmt: skip
        told = f"{self.name}: {call} {number} {fault}: status {status}"
        assert status in {0, 3, -9, 137}, told
        assert contents(out) in (contents(self.old), contents(self.new)), told
        self.heal(out, told)
        assert contents(out) == contents(self.new), told
        assert [path.name for path in out.parent.iterdir()] == ["out"], told
        return status

    def heal(self, out: Path, told: str) -> None:
        """The run after a disturbed one."""
        assert self.run(out) == 0, told


class MailBench(Bench):
    """No mails yet, and those for a kernel tree. Only pvgen is disturbed, not the git below it."""

    name = "backport"
    strace = ("strace", "-qq")

    def __init__(self, room: Path) -> None:
        self.room = room
        self.old, self.new = room / "none", room / "new"
        self.tree = make_tree(room / "tree")
        self.spec = room / "changed.yaml"
        self.spec.write_text(SPEC.read_text().replace("priority: 12", "priority: 7"))
        self.read = contents(self.tree)
        assert self.run(self.new) == 0

    def run(self, out: Path, *before: str) -> int:
        """Make the mails in a directory."""
        return pvgen("backport", "--spec", self.spec, "--was", SPEC, "--kernel", "6.1", "--tree",
                     self.tree, "--author", AUTHOR, "--out", out, before=before)  # fmt: skip

    def heal(self, out: Path, told: str) -> None:
        """Where they were written before the end, the next run says so and leaves them."""
        assert contents(self.tree) == self.read, told
        wanted = 2 if contents(out) else 0
        assert self.run(out) == wanted, told


def main() -> None:
    """Disturb at every STEP-th call of each kind."""
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for kind in (Bench, MailBench):
        with tempfile.TemporaryDirectory(prefix="pvgen-faults-") as room:
            bench, runs = kind(Path(room)), 0
            for fault, calls in (("signal=KILL", KILLED), ("error=ENOSPC", FULL)):
                for call in calls:
                    many = bench.count(call)
                    for number in range(1, many + 1, step):
                        bench.disturb(call, number, fault)
                        runs += 1
                    told = f"{many:4} calls, every {step}th"
                    print(f"{bench.name:9} {fault:14} {call:10} {told}", flush=True)
            print(f"{bench.name}: {runs} runs disturbed: each left the old set or the new one, "
                  "and the next run healed")  # fmt: skip


if __name__ == "__main__":
    main()
