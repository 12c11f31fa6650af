# SPDX-License-Identifier: GPL-2.0-or-later
"""A run that ends at any of its system calls: `python -m tests.hostile.faults [STEP [JOB...]]`.

strace counts the calls of one kind that a whole run makes, then a run is killed, or told that the
disk is full or read-only, at each STEP-th of them. What is there afterwards is the old state of
files or the new one, and the next run makes the new one and leaves nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.backport.trees import AUTHOR, SPEC, make_tree

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
DRIVER = ROOT / "tests/checks/driver"
CLI = ("-m", "gen.cli")
# The calls that change something on the disk.
KILLED = ("mkdir", "link", "linkat", "unlink", "unlinkat", "rmdir", "rename", "renameat2", "fsync",
          "write", "flock", "fchmodat", "chmod")  # fmt: skip
REFUSED = ("mkdir", "link", "linkat", "write", "fsync")
FAULTS = {"signal=KILL": KILLED, "error=ENOSPC": REFUSED,
          "error=EROFS": ("mkdir", "linkat", "rename", "renameat2")}  # fmt: skip
# What a run has in its hands while it writes, and apt's and the lab's own notes.
_UNFINISHED = re.compile(r"(^|/)(\.[^/]+\.pvgen-|\.unpacking-|machine/|apt/|partial/|lock$)")
# Where a job has what stands for the machine.
MACHINE = "machine"


@dataclass(frozen=True)
class Job:
    """A run that writes: what is there before, and the words for Python, of a directory each.

    `again` is the status of a run that finds all done; `children` says whether what it starts is
    disturbed with it.
    """

    prepare: Callable[[Path], None]
    words: Callable[[Path], list[str]]
    again: int = 0
    children: bool = True


def _old_gen(home: Path) -> None:
    run(["gen", "--kernel", "5.10", "--out", str(home / "out")])


def _old_dkms(home: Path) -> None:
    run(["dkms", "--as-of", "6.1", "--out", str(home)])


def _driver(home: Path) -> None:
    """A driver with two defects, of which one was accepted when it was the only one."""
    shutil.copytree(DRIVER, home / "driver")
    core = home / "driver/vmbell.c"
    core.write_text(core.read_text().replace("0444", "0644"))
    run([*_accept(home), "--reason", "The old reason."])
    core.write_text(core.read_text().replace('MODULE_LICENSE("GPL");\n', ""))


def _accept(home: Path) -> list[str]:
    return ["check", "--spec", str(SPEC), "--write-baseline", str(home / "driver")]


def _specs(home: Path) -> None:
    text = SPEC.read_text()
    (home / "old.yaml").write_text(text)
    (home / "new.yaml").write_text(text.replace("priority: 12", "priority: 13"))
    (home / "accepted.yaml").write_text("baseline: 1\nfindings: []\n")


def _tree(home: Path) -> None:
    make_tree(home / "tree")
    (home / "spec.yaml").write_text(SPEC.read_text().replace("priority: 12", "priority: 7"))


def _archive(home: Path) -> None:
    """A machine whose apt knows an archive with one package, and nothing else."""
    machine = home / MACHINE
    files, pool = machine / "thing/DEBIAN", machine / "archive/dists/stone/main/binary-amd64"
    for directory in (files, files.parent / "usr", pool, machine / "state/lists/partial"):
        directory.mkdir(parents=True)
    fields = "Package: thing\nVersion: 1\nArchitecture: amd64\nMaintainer: N <n@example.org>\n"
    (files / "control").write_text(f"{fields}Description: a thing\n")
    (files.parent / "usr/thing").write_text("a thing\n" * 999)
    deb = machine / "archive/thing.deb"
    subprocess.run(["dpkg-deb", "-b", files.parent, deb], check=True, capture_output=True)
    data = deb.read_bytes()
    index = f"{fields}Filename: thing.deb\nSize: {len(data)}\nSHA256: {_sha256(data)}\n"
    (pool / "Packages").write_text(index)
    listed = f" {_sha256(index.encode())} {len(index)} main/binary-amd64/Packages\n"
    head = "Suite: stone\nCodename: stone\nComponents: main\nArchitectures: amd64\n"
    (pool.parents[1] / "Release").write_text(f"{head}SHA256:\n{listed}")
    (machine / "sources.list").write_text(f"deb file:{machine}/archive stone main\n")
    settings = {"Dir::State": machine / "state", "Dir::Etc::sourcelist": machine / "sources.list",
                "Dir::Etc::sourceparts": "-", "APT::Sandbox::User": "",
                "Acquire::AllowInsecureRepositories": "true",
                "APT::Get::AllowUnauthenticated": "true"}  # fmt: skip
    text = "".join(f'{key} "{value}";\n' for key, value in settings.items())
    (machine / "apt.conf").write_text(text)
    subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True,
                   env={**os.environ, "APT_CONFIG": str(machine / "apt.conf")})  # fmt: skip


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


UNPACK = """
import sys
from pathlib import Path
from gen.lab.archive import Archive
from gen.lab.problem import LabError
try:
    Archive(cache=Path(sys.argv[1])).unpack("thing")
except (LabError, OSError):
    # The words would be one more write, which may fail, too.
    sys.exit(3)
"""
JOBS = {
    "gen": Job(_old_gen, lambda home: [*CLI, "gen", "--kernel", "7.3", "--out", f"{home}/out"]),
    "dkms": Job(_old_dkms, lambda home: [*CLI, "dkms", "--out", str(home)]),
    "check": Job(_driver, lambda home: [*CLI, *_accept(home), "--reason", "A new one."]),
    "diff": Job(_specs, lambda home: [*CLI, "diff", f"{home}/old.yaml", f"{home}/new.yaml",
                                      "--baseline", f"{home}/accepted.yaml", "--write-baseline",
                                      "--reason", "It is wanted."]),
    "backport": Job(_tree, lambda home: [*CLI, "backport", "--spec", f"{home}/spec.yaml", "--was",
                                         str(SPEC), "--kernel", "6.1", "--tree", f"{home}/tree",
                                         "--author", AUTHOR, "--out", f"{home}/mails"],
                    again=2, children=False),
    "fetch": Job(_archive, lambda home: ["-c", UNPACK, f"{home}/cache"]),
}  # fmt: skip


def run(words: list[str]) -> None:
    """A command of pvgen, which has to succeed."""
    subprocess.run([sys.executable, *CLI, *words], cwd=ROOT, check=True, capture_output=True)


class Bench:
    """A job, the states of its files before and after it, and a place where runs are disturbed."""

    def __init__(self, name: str, room: Path) -> None:
        self.job, self.room, self.first = JOBS[name], room, room / f"{name}-first"
        self.strace = ("strace", "-qq", *["-f"] * self.job.children)
        self.first.mkdir()
        self.job.prepare(self.first)
        self.old = self.state(self.first)
        home = self.place()
        assert self.start(home) == 0
        self.new = self.state(home)
        assert self.old != self.new

    def place(self) -> Path:
        """A directory with the old state."""
        home = Path(tempfile.mkdtemp(dir=self.room))
        skip = shutil.ignore_patterns(MACHINE)
        shutil.copytree(self.first, home, dirs_exist_ok=True, ignore=skip)
        return home

    def start(self, home: Path, *before: str) -> int:
        """Run the job; the exit status, negative for a signal."""
        return self.begin(home, *before).wait()

    def begin(self, home: Path, *before: str) -> subprocess.Popen[bytes]:
        """Start the job, in a session of its own."""
        apt = str(self.first / MACHINE / "apt.conf")
        return subprocess.Popen(
            [*before, sys.executable, *self.job.words(home)], cwd=ROOT, start_new_session=True,
            env={**os.environ, "APT_CONFIG": apt, "SOURCE_DATE_EPOCH": "1"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def state(self, home: Path, *, whole: bool = True) -> dict[str, bytes]:
        """All files; not `whole`, without those that a run has not finished."""
        files = {path.relative_to(home).as_posix(): path for path in sorted(home.rglob("*"))
                 if path.is_file()}  # fmt: skip
        # Of apt's own notes there are no two alike.
        skip = re.compile(rf"(^|/)({MACHINE}/|apt/|lock$)") if whole else _UNFINISHED
        return {name: path.read_bytes() for name, path in files.items() if not skip.search(name)}

    def count(self, call: str) -> int:
        """How many calls of a kind a whole run makes, in the process that makes most of them."""
        home, log = self.place(), self.room / "strace"
        assert self.start(home, *self.strace, "-e", f"trace={call}", "-o", str(log)) == 0
        found = re.findall(rf"^(\d+ +|){call}\(", log.read_text(errors="replace"), re.MULTILINE)
        return max(map(found.count, set(found)), default=0)

    def disturb(self, call: str, number: int, fault: str) -> int:
        """One run with a fault at one call, and the run after it; the status of the first."""
        home = self.place()
        status = self.start(home, *self.strace, "-o", "/dev/null", "-e", f"trace={call}",
                            "-e", f"inject={call}:{fault}:when={number}")  # fmt: skip
        told = f"{call} {number} {fault}: status {status}"
        assert status in {0, 3, -9, 137}, told
        self.heal(home, told)
        return status

    def heal(self, home: Path, told: str) -> None:
        """Whatever happened in `home`: it is as before or as after, and the next run mends it."""
        without = {name: data for name, data in self.old.items() if not _UNFINISHED.search(name)}
        now = self.state(home, whole=False)
        assert now in (without, self.new), told
        assert self.start(home) == (0 if now == without else self.job.again), told
        assert self.state(home) == self.new, told
        left = [path.name for path in home.rglob("*") if path.is_dir()]
        assert not [name for name in left if ".pvgen-" in name or ".unpacking-" in name], told


def main() -> None:
    """Disturb the jobs at every STEP-th call of each kind."""
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory(prefix="pvgen-faults-") as room:
        runs = 0
        for name in sys.argv[2:] or JOBS:
            bench = Bench(name, Path(room))
            for fault, calls in FAULTS.items():
                for call in calls:
                    many, met = bench.count(call), 0
                    for number in range(1, many + 1, step):
                        met += bench.disturb(call, number, fault) != 0
                        runs += 1
                    print(f"{name:6} {fault:12} {call:10} {many:4} calls, every {step}th: "
                          f"{met} runs ended there", flush=True)  # fmt: skip
    print(f"{runs} runs disturbed: each left the old state or the new one, and the next one healed")


if __name__ == "__main__":
    main()
