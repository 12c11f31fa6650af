# SPDX-License-Identifier: GPL-2.0-or-later
"""Scratch directories: gone with their run, or with the next one where that was killed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen.room import PREFIX, scratch_room
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLD = (
    "from gen.room import scratch_room\nwith scratch_room() as r:\n print(r, flush=True); input()"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both this process and those that it starts have their rooms here."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another run that has a room."""
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:  # fmt: skip
        assert run.stdout is not None
        assert PREFIX in run.stdout.readline()
        yield run
        run.kill()


def test_a_room_goes_with_its_run(temporary: Path) -> None:
    with pytest.raises(FileNotFoundError), scratch_room() as place:
        (place / "missing" / "file").touch()
    assert list(temporary.iterdir()) == []


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else(
    temporary: Path, other: subprocess.Popen[str]
) -> None:
    (temporary / "pvgen-mine").mkdir()
    (temporary / f"{PREFIX}link").symlink_to(temporary / "pvgen-mine")
    (used,) = (path for path in temporary.glob(f"{PREFIX}*") if not path.is_symlink())
    (used / "file").touch()
    with scratch_room() as place:
        assert place.parent != used
    assert (used / "file").exists()
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert used.exists()
    with scratch_room():
        assert not used.exists()
    assert sorted(path.name for path in temporary.iterdir()) == ["pvgen-mine", f"{PREFIX}link"]


def test_a_room_that_another_run_took_for_a_left_one_is_not_used(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, list[str]()

    def lose_the_first(prefix: str) -> str:
        made.append(make(prefix=prefix))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", lose_the_first)
    with scratch_room() as place:
        assert [str(place.parent)] == made[1:]
        assert list(temporary.iterdir()) == [place.parent]


def test_who_writes_into_a_room_may_lock_it() -> None:
    with scratch_room() as place:
        descriptor = os.open(place, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
