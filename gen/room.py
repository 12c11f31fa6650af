# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories for scratch files that do not outlive their run by more than the next run.

A room is locked as long as it is used. The kernel drops the lock when the process ends, however it
ends, so a room without a lock is what a killed run left. What the caller gets is a directory in it,
without a lock: whoever writes there may lock it (gen/output.py does).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "pvgen-room-"


@contextmanager
def scratch_room() -> Iterator[Path]:
    """A new directory in a room below the one for temporary files; both go with the context.

    Rooms of the same user that killed runs left go first.
    """
    _clear(Path(tempfile.gettempdir()))
    path, lock = _open()
    try:
        place = path / "files"
        place.mkdir()
        yield place
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _open() -> tuple[Path, int]:
    """A new room and its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _locked(path)
        if lock is not None:
            return path, lock
        # Another run took it for a left one before it was locked, and removes it.


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of a room; None where another run has it, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.lstat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _clear(parent: Path) -> None:
    """Remove the rooms of killed runs."""
    for path in parent.glob(f"{PREFIX}*"):
        try:
            status = path.lstat()
        except OSError:
            continue
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            continue
        lock = _locked(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
