# SPDX-License-Identifier: GPL-2.0-or-later
"""A run that ends at any of its system calls: `python -m tests.hostile.faults [STEP]`.

strace counts the calls of one kind that a whole run makes, then a run is killed, or told that the
disk is full, at each STEP-th of them. What is there afterwards is the old set of files or the new
one, and the next run makes the new one and leaves nothing else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The calls that change something on the disk.
KILLED = ("mkdir", "link", "linkat", "unlink", "unlinkat", "rmdir", "rename", "renameat2", "fsync",
          "write", "flock", "fchmodat", "chmod")  # fmt: skip
FULL = ("mkdir", "link", "linkat", "write", "fsync")
OLD, NEW = "5.10", "7.3"


def gen(out: Path, series: str, *before: str) -> int:
    """Render for a series; the exit status, negative for a signal."""
    words = [*before, sys.executable, "-m", "gen.cli", "gen", "--kernel", series, "--out", str(out)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode


def contents(out: Path) -> dict[str, bytes]:
    """The files of a directory, and of nothing else than the directory beside it."""
    return {str(path.relative_to(out)): path.read_bytes()
            for path in sorted(out.rglob("*")) if path.is_file()}  # fmt: skip


class Bench:
    """The two sets, and a place where runs are disturbed."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.old, self.new = room / "old", room / "new"
        assert gen(self.old, OLD) == gen(self.new, NEW) == 0

    def place(self) -> Path:
        """A directory with the old set."""
        home = Path(tempfile.mkdtemp(dir=self.room))
        shutil.copytree(self.old, home / "out")
        return home / "out"

    def count(self, call: str) -> int:
        """How many calls of a kind a run makes that has all to replace."""
        out, log = self.place(), self.room / "strace"
        assert gen(out, NEW, "strace", "-f", "-qq", "-e", f"trace={call}", "-o", str(log)) == 0
        return len(re.findall(rf"^\d+ +{call}\(", log.read_text(errors="replace"), re.MULTILINE))

    def disturb(self, call: str, number: int, fault: str) -> None:
        """One run with a fault at one call, and the run after it."""
        out = self.place()
        status = gen(out, NEW, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                     "-e", f"inject={call}:{fault}:when={number}")  # fmt: skip
        told = f"{call} {number} {fault}: status {status}"
        assert status in {0, 3, -9, 137}, told
        assert contents(out) in (contents(self.old), contents(self.new)), told
        assert gen(out, NEW) == 0, told
        assert contents(out) == contents(self.new), told
        assert [path.name for path in out.parent.iterdir()] == ["out"], told


def main() -> None:
    """Disturb at every STEP-th call of each kind."""
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory(prefix="pvgen-faults-") as room:
        bench, runs = Bench(Path(room)), 0
        for fault, calls in (("signal=KILL", KILLED), ("error=ENOSPC", FULL)):
            for call in calls:
                many = bench.count(call)
                for number in range(1, many + 1, step):
                    bench.disturb(call, number, fault)
                    runs += 1
                print(f"{fault:14} {call:10} {many:4} calls, every {step}th", flush=True)
        print(
            f"{runs} runs disturbed: each left the old set or the new one, and the next run healed"
        )


if __name__ == "__main__":
    main()
