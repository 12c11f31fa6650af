# SPDX-License-Identifier: GPL-2.0-or-later
"""Rendered files on disk: compared, and written as one set.

A set is written beside the directory and put in its place by exchanging the two directories, one
system call, so that whatever happens there is the old set or the new one. What else lies in the
directory (kbuild's objects, somebody's notes) moves along as hard links, and a file whose text did
not change stays the same file, so that make does not rebuild for nothing. Where the file system
cannot exchange directories, each file is replaced atomically but the set is not.
"""

from __future__ import annotations

import contextlib
import ctypes
import difflib
import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Stands in the banner of every rendered file; no other file is ever replaced or removed.
MARKER = "Do not edit; change the spec and run"
_MARKER_WITHIN = 1024
_STAGE = ".pvgen-"
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


class OutputError(Exception):
    """The directory cannot be written, or holds what is not ours; the message is for the user."""


@dataclass(frozen=True)
class Change:
    """A file that differs; `old` is None for a missing one, `new` for one that has to go."""

    path: str
    old: str | None
    new: str | None

    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = ((text or "").splitlines(keepends=True) for text in (self.old, self.new))
        before = "/dev/null" if self.old is None else f"a/{self.path}"
        after = "/dev/null" if self.new is None else f"b/{self.path}"
        return "".join(difflib.unified_diff(list(old), list(new), before, after))


def compare(directory: Path, files: Mapping[str, str]) -> list[Change]:
    """How `directory` differs from the rendered `files`, by path.

    Raises:
        OutputError: a file that would be replaced was not rendered, or cannot be read.
    """
    changes = []
    for name, text in files.items():
        path = directory / name
        if not path.exists() and not path.is_symlink():
            changes.append(Change(name, None, text))
            continue
        old = _read(path)
        if old is None or MARKER not in old[:_MARKER_WITHIN]:
            raise OutputError(f"{path} exists and was not rendered by pvgen; it is left alone")
        if old != text:
            changes.append(Change(name, old, text))
    for path in _rendered(directory):
        name = path.relative_to(directory).as_posix()
        if name not in files:
            changes.append(Change(name, _read(path), None))
    return sorted(changes, key=lambda change: change.path)


def write(directory: Path, files: Mapping[str, str]) -> list[Change]:
    """Make `directory` hold the rendered `files`; return what changed.

    Raises:
        OutputError: as for `compare`, or the directory cannot be written. Nothing was changed then.
    """
    directory = directory.resolve()
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _alone(directory.parent):
            _clean(directory)
            changes = compare(directory, files)
            if changes:
                _replace(directory, changes)
    except FileExistsError as error:
        raise OutputError(f"{error.filename}: not a directory") from None
    except OSError as error:
        name = error.filename or directory
        raise OutputError(f"{name}: {error.strerror or error}") from None
    return changes


def _read(path: Path) -> str | None:
    """The text of a regular file; None for anything else, or for what is no text."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None


def _rendered(directory: Path) -> Iterator[Path]:
    """The rendered files below a directory; files are opened only as far as a banner goes."""
    for root, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                head = file.read(_MARKER_WITHIN)
            if MARKER.encode() in head:
                yield path


@contextlib.contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Keep other runs out; the kernel drops the lock when this process ends, however it ends."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _clean(directory: Path) -> None:
    """Remove what an interrupted run left; called with the lock held, so nobody uses it."""
    for stale in directory.parent.glob(f".{directory.name}{_STAGE}*"):
        shutil.rmtree(stale)


def _replace(directory: Path, changes: list[Change]) -> None:
    """Put a changed copy of the directory in its place."""
    try:
        stage = Path(tempfile.mkdtemp(prefix=f".{directory.name}{_STAGE}", dir=directory.parent))
    except PermissionError:
        _replace_each(directory, changes)
        return
    try:
        stage.chmod(directory.stat().st_mode & 0o7777 if directory.exists() else 0o755)
        if directory.exists():
            shutil.copytree(
                directory, stage, symlinks=True, dirs_exist_ok=True, copy_function=_link
            )
        _apply(stage, changes)
        if not directory.exists():
            stage.rename(directory)
        elif not _exchange(stage, directory):
            _replace_each(directory, changes)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _link(source: str, target: str) -> None:
    os.link(source, target, follow_symlinks=False)


def _apply(directory: Path, changes: list[Change]) -> None:
    """Write and remove files in a directory that nobody looks at yet."""
    for change in changes:
        path = directory / change.path
        path.unlink(missing_ok=True)
        if change.new is None:
            with contextlib.suppress(OSError):
                path.parent.rmdir()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(change.new)
            file.flush()
            os.fsync(file.fileno())


def _replace_each(directory: Path, changes: list[Change]) -> None:
    """Replace file by file, each atomically."""
    for change in changes:
        path = directory / change.path
        if change.new is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}{_STAGE}{os.getpid()}")
        try:
            fresh.write_text(change.new, encoding="utf-8", newline="\n")
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step; False where the system or its file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    names = (os.fsencode(one), os.fsencode(other))
    result = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    return bool(result == 0)
