# SPDX-License-Identifier: GPL-2.0-or-later
"""A few of the system calls at which a run can end; `make faults` has all of them.

Then disks that are full and read-only for real, and two runs at once.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from gen.lab.process import tool
from tests.hostile.faults import CLI, JOBS, MACHINE, ROOT, Bench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Benches = Callable[[str], Bench]

KILL, FULL, READ_ONLY = "signal=KILL", "error=ENOSPC", "error=EROFS"
POINTS = [("gen", "renameat2", 1, KILL), ("gen", "linkat", 1, KILL), ("gen", "rmdir", 1, KILL),
          ("gen", "fsync", 3, FULL), ("gen", "mkdir", 1, READ_ONLY), ("dkms", "fsync", 9, KILL),
          ("backport", "fsync", 1, KILL), ("backport", "rename", 1, KILL),
          ("backport", "fsync", 1, FULL), ("check", "fsync", 1, KILL), ("check", "fsync", 1, FULL),
          ("check", "rename", 1, KILL), ("diff", "rename", 1, READ_ONLY),
          ("fetch", "rename", 1, KILL), ("fetch", "rename", 3, KILL), ("fetch", "rmdir", 1, KILL),
          ("fetch", "mkdir", 9, FULL)]  # fmt: skip


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Benches:
    room = tmp_path_factory.mktemp("faults")
    return cache(lambda name: Bench(name, room))


@pytest.mark.parametrize(("job", "call", "number", "fault"), POINTS)
def test_a_disturbed_run(benches: Benches, job: str, call: str, number: int, fault: str) -> None:
    """None of them goes on as if nothing had been."""
    assert benches(job).disturb(call, number, fault) != 0


@pytest.mark.parametrize("job", JOBS)
def test_two_runs_at_once(benches: Benches, job: str) -> None:
    bench = benches(job)
    home = bench.place()
    runs = [bench.begin(home) for _ in range(2)]
    assert sorted(run.wait() for run in runs) == [0, bench.job.again]
    bench.heal(home, "two runs")


def test_what_was_fetched_is_verified(benches: Benches) -> None:
    bench = benches("fetch")
    deb = bench.first / MACHINE / "archive/thing.deb"
    whole = deb.read_bytes()
    home = bench.place()
    try:
        deb.write_bytes(whole[:-9] + b"\0" * 9)
        assert bench.start(home) == 3
        assert bench.state(home, whole=False) == {}
    finally:
        deb.write_bytes(whole)
    bench.heal(home, "another package was offered")


# $1 is where a small disk is mounted, $2 the old set, $3 the new one; the rest renders into $1/out.
DISK = """
place=$1 old=$2 new=$3
shift 3
only() { diff -r "$1" "$place/out" >&2 && test "$(ls -A "$place" | grep -v ballast)" = out; }
mount -t tmpfs -o size=256k tmpfs "$place" && cp -a "$old" "$place/out" || exit 90
BEFORE
"$@"
test $? = 3 || exit 91
only "$old" || exit 92
mount -o remount,rw,size=4m "$place" && "$@" || exit 93
only "$new" || exit 94
"""


@pytest.mark.parametrize(("before", "why"), [
    ('dd if=/dev/zero of="$place/ballast" 2>/dev/null', "No space left on device"),
    ('mount -o remount,ro "$place"', "Read-only file system"),
])  # fmt: skip
def test_a_disk(benches: Benches, before: str, why: str, tmp_path: Path) -> None:
    """A set is rendered where nothing can be written, and again once something can."""
    old, new, place = benches("gen").place() / "out", tmp_path / "new", tmp_path / "disk"
    place.mkdir()
    render = [sys.executable, *CLI, "gen", "--kernel", "7.3", "--out"]
    subprocess.run([*render, new], cwd=ROOT, check=True, capture_output=True)
    done = subprocess.run(
        [tool("unshare"), "--map-root-user", "--mount", "sh", "-c", DISK.replace("BEFORE", before),
         "sh", place, old, new, *render, place / "out"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert why in done.stderr
